#include "bigcommerce/catalog_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "bigcommerce/v3.h"
#include "dates.h"

enum { LIMIT_MAX = 250, LIMIT_WITH_OPTIONS = 10, DAY_S = 86400 };

/* The parts of a product that are shown only where `include` asks for them. */
static const char *const includes[] = {
    "bulk_pricing_rules", "channels",         "custom_fields", "images",
    "modifiers",          "options",          "reviews",       "primary_image",
    "variants",           "parent_relations", "videos",        NULL};

struct catalog_query {
    const struct request *request;
    int64_t id, min_id, max_id; /* id -1: any */
    int64_t min_modified_s, max_modified_s;
    const char *sort;
    int descending;
    int64_t page, limit;
};

/* To a date without a time the API adds the time of the request. */
static int read_date(const struct request *request, struct reply *reply, const char *name,
                     int64_t now_s, int64_t *seconds)
{
    const char *text = request_parameter(request, name);

    if (v3_read_date(request, reply, name, seconds) != 0)
        return -1;
    if (text != NULL && strlen(text) == strlen("2025-01-15"))
        *seconds += now_s % DAY_S;
    return 0;
}

static int read_sort(struct catalog_query *query, struct reply *reply)
{
    static const char *const fields[] = {"id",
                                         "name",
                                         "sku",
                                         "price",
                                         "date_modified",
                                         "date_last_imported",
                                         "inventory_level",
                                         "is_visible",
                                         "total_sold",
                                         "calculated_price"};
    const char *text = request_parameter(query->request, "sort");
    const char *direction = request_parameter(query->request, "direction");

    query->sort = text == NULL ? "id" : NULL;
    for (size_t i = 0; text != NULL && i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i], text) == 0)
            query->sort = fields[i];
    query->descending = direction != NULL && strcmp(direction, "desc") == 0;
    if (query->sort == NULL)
        return v3_wrong(reply, "sort");
    if (direction != NULL && !query->descending && strcmp(direction, "asc") != 0)
        return v3_wrong(reply, "direction");
    return 0;
}

static int read_paging(struct catalog_query *query, int page_cap, struct reply *reply)
{
    const char *include = request_parameter(query->request, "include");

    if (v3_read_page(query->request, reply, &query->page, &query->limit) != 0)
        return -1;
    if (query->limit > LIMIT_MAX) {
        reply_bc_title(reply, 413, "The limit must not be above 250.");
        return -1;
    }
    if ((v3_list_has(include, "options") || v3_list_has(include, "modifiers")) &&
        query->limit > LIMIT_WITH_OPTIONS)
        query->limit = LIMIT_WITH_OPTIONS;
    if (page_cap > 0 && query->limit > page_cap)
        query->limit = page_cap;
    return 0;
}

static int read_query(struct catalog_query *query, int64_t now_s, int page_cap, struct reply *reply)
{
    const struct request *request = query->request;
    int64_t greater = INT64_MIN, less = INT64_MAX;

    query->id = -1;
    query->min_id = query->min_modified_s = INT64_MIN;
    query->max_id = query->max_modified_s = INT64_MAX;
    if (v3_read_integer(request, reply, "id", &query->id) != 0 ||
        v3_read_integer(request, reply, "id:min", &query->min_id) != 0 ||
        v3_read_integer(request, reply, "id:max", &query->max_id) != 0 ||
        v3_read_integer(request, reply, "id:greater", &greater) != 0 ||
        v3_read_integer(request, reply, "id:less", &less) != 0 ||
        read_date(request, reply, "date_modified:min", now_s, &query->min_modified_s) != 0 ||
        read_date(request, reply, "date_modified:max", now_s, &query->max_modified_s) != 0 ||
        v3_read_include(request, reply, includes) != 0 || read_sort(query, reply) != 0)
        return -1;
    if (greater != INT64_MIN && greater + 1 > query->min_id)
        query->min_id = greater + 1;
    if (less != INT64_MAX && less - 1 < query->max_id)
        query->max_id = less - 1;
    return read_paging(query, page_cap, reply);
}

/* Whether a product passes a filter by a text, where the request has that filter. */
static int is_text(const struct catalog_query *query, const json_t *product, const char *name)
{
    const char *wanted = request_parameter(query->request, name);

    return wanted == NULL || strcasecmp(wanted, v3_text_at(product, name)) == 0;
}

static int matches(const struct catalog_query *query, const json_t *product)
{
    int64_t id = json_integer_value(json_object_get(product, "id")), modified_s = 0;
    const char *in = request_parameter(query->request, "id:in");
    const char *not_in = request_parameter(query->request, "id:not_in");
    const char *skus = request_parameter(query->request, "sku:in");
    const char *visible = request_parameter(query->request, "is_visible");
    char number[24];

    snprintf(number, sizeof number, "%lld", (long long)id);
    date_parse(v3_text_at(product, "date_modified"), &modified_s);
    return (query->id < 0 || id == query->id) && id >= query->min_id && id <= query->max_id &&
           modified_s >= query->min_modified_s && modified_s <= query->max_modified_s &&
           (in == NULL || v3_list_has(in, number)) &&
           (not_in == NULL || !v3_list_has(not_in, number)) &&
           (skus == NULL || v3_list_has(skus, v3_text_at(product, "sku"))) &&
           (visible == NULL || (strcmp(visible, "true") == 0 || strcmp(visible, "1") == 0) ==
                                   json_is_true(json_object_get(product, "is_visible"))) &&
           is_text(query, product, "sku") && is_text(query, product, "name") &&
           is_text(query, product, "type") && is_text(query, product, "availability") &&
           is_text(query, product, "upc") && is_text(query, product, "condition");
}

static int compare(const void *left, const void *right, void *argument)
{
    const struct catalog_query *query = argument;
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    const json_t *x = json_object_get(a, query->sort), *y = json_object_get(b, query->sort);
    int order = 0;

    if (json_is_string(x) && json_is_string(y))
        order = strcasecmp(json_string_value(x), json_string_value(y));
    else if (json_is_number(x) && json_is_number(y))
        order = (json_number_value(x) > json_number_value(y)) -
                (json_number_value(x) < json_number_value(y));
    if (order == 0)
        order = (v3_id_of(a) > v3_id_of(b)) - (v3_id_of(a) < v3_id_of(b));
    return query->descending ? -order : order;
}

/* The product with what the request asks for. New. */
static json_t *shown(const struct request *request, const json_t *product)
{
    const char *include = request_parameter(request, "include");
    const char *fields = request_parameter(request, "include_fields");
    const char *excluded = request_parameter(request, "exclude_fields");
    json_t *copy = mem_check(json_copy((json_t *)product)), *value;
    const char *name;
    void *next;

    json_object_foreach_safe(copy, next, name, value)
    {
        if (strcmp(name, "id") != 0 && strcmp(name, "variants") != 0 &&
            ((fields != NULL && !v3_list_has(fields, name)) || v3_list_has(excluded, name)))
            json_object_del(copy, name);
    }
    for (size_t i = 0; includes[i] != NULL; i++) {
        if (!v3_list_has(include, includes[i]))
            json_object_del(copy, includes[i]);
        else if (json_object_get(copy, includes[i]) == NULL)
            json_object_set_new(copy, includes[i], json_array());
    }
    return copy;
}

static json_t *pagination(const struct catalog_query *query, size_t total, size_t count)
{
    json_int_t pages = (json_int_t)((total + (size_t)query->limit - 1) / (size_t)query->limit);
    json_t *links = mem_check(json_object()), *meta;
    const struct {
        const char *name;
        int64_t page;
    } all[] = {{"previous", query->page - 1}, {"current", query->page}, {"next", query->page + 1}};

    for (size_t i = 0; i < 3; i++)
        if (i == 1 || (all[i].page >= 1 && all[i].page <= pages))
            json_object_set_new(links, all[i].name,
                                json_sprintf("?limit=%lld&page=%lld", (long long)query->limit,
                                             (long long)all[i].page));
    meta =
        json_pack("{s:{s:I,s:I,s:I,s:I,s:I,s:o,s:b}}", "pagination", "total", (json_int_t)total,
                  "count", (json_int_t)count, "per_page", (json_int_t)query->limit, "current_page",
                  (json_int_t)query->page, "total_pages", pages, "links", links, "too_many", 0);
    return mem_check(meta);
}

/* Answers with a page of what is in list (borrowed). */
static void reply_page(const struct catalog_query *query, json_t *const *list, size_t total,
                       int whole, struct reply *reply)
{
    json_t *data = mem_check(json_array());
    size_t first = (size_t)((query->page - 1) * query->limit);

    for (size_t i = first; i < total && i < first + (size_t)query->limit; i++)
        json_array_append_new(data, whole ? json_incref(list[i]) : shown(query->request, list[i]));
    v3_reply(reply, mem_check(json_pack("{s:o,s:o}", "data", data, "meta",
                                        pagination(query, total, json_array_size(data)))));
}

static void list_products(const struct catalog *catalog, struct catalog_query *query,
                          struct reply *reply)
{
    json_t **found = mem_alloc((catalog->count + 1) * sizeof(json_t *));
    size_t count = 0;

    for (size_t i = 0; i < catalog->count; i++)
        if (matches(query, catalog->products[i]))
            found[count++] = catalog->products[i];
    qsort_r(found, count, sizeof(json_t *), compare, query);
    reply_page(query, found, count, 0, reply);
    free(found);
}

static void list_variants(const json_t *product, struct catalog_query *query, struct reply *reply)
{
    const json_t *variants = json_object_get(product, "variants");
    size_t count = json_array_size(variants);
    json_t **list = mem_alloc((count + 1) * sizeof(json_t *));

    for (size_t i = 0; i < count; i++)
        list[i] = json_array_get(variants, i);
    reply_page(query, list, count, 1, reply);
    free(list);
}

void catalog_answer(const struct catalog *catalog, const struct request *request, int segment,
                    int page_cap, int64_t now_s, struct reply *reply)
{
    struct catalog_query query = {.request = request};
    const char *part = request_segment(request, segment + 2);
    const json_t *product = NULL;
    int64_t id = -1;

    if (strcmp(request_segment(request, segment), "products") == 0 &&
        parse_integer(request_segment(request, segment + 1), &id) == 0)
        product = catalog_find(catalog, id);
    if (strcmp(request_segment(request, segment), "products") == 0 &&
        request->segment_count == segment + 1) {
        if (read_query(&query, now_s, page_cap, reply) == 0)
            list_products(catalog, &query, reply);
    } else if (product == NULL || (*part != '\0' && strcmp(part, "variants") != 0)) {
        reply_bc_title(reply, 404, "The requested resource was not found.");
    } else if (*part != '\0') {
        if (read_paging(&query, page_cap, reply) == 0)
            list_variants(product, &query, reply);
    } else if (v3_read_include(request, reply, includes) == 0) {
        v3_reply(reply,
                 mem_check(json_pack("{s:o,s:{}}", "data", shown(request, product), "meta")));
    }
}
