/* customers_list.c - GET /v3/customers: filters, sorting, pages by number and by cursor. */
#include "bigcommerce/customers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "bigcommerce/v3.h"
#include "dates.h"

enum { LIMIT_MAX = 250, ADDRESSES_MAX = 10, CURSOR_SIZE = 96 };

static const char *const includes[] = {"addresses",  "storecredit",        "attributes",
                                       "formfields", "shopper_profile_id", "segment_ids",
                                       NULL};

struct query {
    const struct request *request;
    int64_t min_created_s, max_created_s, min_modified_s, max_modified_s;
    int64_t page, limit;
    int64_t after_id, before_id; /* of the cursors; -1: none */
    const char *sort;            /* name of a member; NULL: by id */
    int descending;
};

/* A cursor is the base64 form of {"id":11}. */
static const char *write_cursor(char target[CURSOR_SIZE], const json_t *customer)
{
    char text[48];
    int length = snprintf(text, sizeof text, "{\"id\":%lld}",
                          (long long)json_integer_value(json_object_get(customer, "id")));

    EVP_EncodeBlock((unsigned char *)target, (const unsigned char *)text, length);
    return target;
}

static int read_cursor(const struct query *query, struct reply *reply, const char *name,
                       int64_t *id)
{
    const char *text = request_parameter(query->request, name);
    unsigned char plain[CURSOR_SIZE] = "";
    long long number;

    if (text == NULL)
        return 0;
    if (strlen(text) >= CURSOR_SIZE ||
        EVP_DecodeBlock(plain, (const unsigned char *)text, (int)strlen(text)) < 0 ||
        sscanf((const char *)plain, "{\"id\":%lld}", &number) != 1)
        return v3_wrong(reply, name);
    *id = number;
    return 0;
}

static int read_sort(struct query *query, struct reply *reply)
{
    static const char *const fields[] = {"date_created", "date_modified", "last_name"};
    const char *text = request_parameter(query->request, "sort");
    size_t length = text == NULL ? 0 : strcspn(text, ":");

    if (text == NULL)
        return 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strlen(fields[i]) == length && strncmp(fields[i], text, length) == 0)
            query->sort = fields[i];
    query->descending = strcmp(text + length, ":desc") == 0;
    return query->sort != NULL && (query->descending || strcmp(text + length, ":asc") == 0)
               ? 0
               : v3_wrong(reply, "sort");
}

static int read_query(struct query *query, int page_cap, struct reply *reply)
{
    query->after_id = query->before_id = -1;
    query->min_created_s = query->min_modified_s = INT64_MIN;
    query->max_created_s = query->max_modified_s = INT64_MAX;
    if (v3_read_date(query->request, reply, "date_created:min", &query->min_created_s) != 0 ||
        v3_read_date(query->request, reply, "date_created:max", &query->max_created_s) != 0 ||
        v3_read_date(query->request, reply, "date_modified:min", &query->min_modified_s) != 0 ||
        v3_read_date(query->request, reply, "date_modified:max", &query->max_modified_s) != 0 ||
        read_cursor(query, reply, "after", &query->after_id) != 0 ||
        read_cursor(query, reply, "before", &query->before_id) != 0 ||
        v3_read_include(query->request, reply, includes) != 0 || read_sort(query, reply) != 0)
        return -1;
    if (v3_read_page(query->request, reply, &query->page, &query->limit) != 0)
        return -1;
    if (query->limit > LIMIT_MAX)
        return v3_wrong(reply, "limit");
    if (page_cap > 0 && query->limit > page_cap)
        query->limit = page_cap;
    return 0;
}

/* Whether a customer passes a filter by a list, where the request has that filter. */
static int is_in(const struct query *query, const char *filter, const char *value)
{
    const char *list = request_parameter(query->request, filter);

    return list == NULL || v3_list_has(list, value);
}

static int matches(const struct query *query, const json_t *customer)
{
    int64_t created_s = 0, modified_s = 0;
    char id[24], group[24];

    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(customer, "id")));
    snprintf(group, sizeof group, "%lld",
             (long long)json_integer_value(json_object_get(customer, "customer_group_id")));
    date_parse(v3_text_at(customer, "date_created"), &created_s);
    date_parse(v3_text_at(customer, "date_modified"), &modified_s);
    return created_s >= query->min_created_s && created_s <= query->max_created_s &&
           modified_s >= query->min_modified_s && modified_s <= query->max_modified_s &&
           is_in(query, "id:in", id) && is_in(query, "customer_group_id:in", group) &&
           is_in(query, "email:in", v3_text_at(customer, "email")) &&
           is_in(query, "company:in", v3_text_at(customer, "company")) &&
           is_in(query, "phone:in", v3_text_at(customer, "phone"));
}

static int compare(const void *left, const void *right, void *argument)
{
    const struct query *query = argument;
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    json_int_t x = json_integer_value(json_object_get(a, "id"));
    json_int_t y = json_integer_value(json_object_get(b, "id"));
    int order = query->sort == NULL
                    ? 0
                    : strcasecmp(v3_text_at(a, query->sort), v3_text_at(b, query->sort));

    if (order == 0)
        order = (x > y) - (x < y);
    return query->descending ? -order : order;
}

/* The customer with what the request asks for. New. */
static json_t *shown(const struct query *query, const json_t *customer)
{
    const char *include = request_parameter(query->request, "include");
    json_t *copy = mem_check(json_deep_copy(customer));
    json_t *addresses = json_object_get(copy, "addresses");

    if (!v3_list_has(include, "addresses"))
        json_object_del(copy, "addresses");
    else
        while (json_array_size(addresses) > ADDRESSES_MAX)
            json_array_remove(addresses, ADDRESSES_MAX);
    if (v3_list_has(include, "storecredit"))
        json_object_set_new(copy, "store_credit_amounts", json_pack("[{s:i}]", "amount", 0));
    if (v3_list_has(include, "attributes"))
        json_object_set_new(copy, "attributes", json_array());
    if (v3_list_has(include, "formfields"))
        json_object_set_new(copy, "form_fields", json_array());
    return copy;
}

/* Where the page begins. */
static size_t first_of(const struct query *query, json_t *const *found, size_t count)
{
    int64_t wanted = query->after_id >= 0 ? query->after_id : query->before_id;
    size_t first = 0;

    if (wanted < 0)
        return (size_t)((query->page - 1) * query->limit);
    while (
        first < count &&
        json_integer_value(json_object_get(found[first], "id")) !=
            (query->sort == NULL ? -1 : wanted) &&
        (query->sort != NULL || json_integer_value(json_object_get(found[first], "id")) <= wanted))
        first++;
    if (query->after_id >= 0)
        return first + (query->sort != NULL && first < count);
    if (query->sort == NULL && first > 0)
        first--; /* the entry of the cursor itself */
    return first > (size_t)query->limit ? first - (size_t)query->limit : 0;
}

/* Page 1 has both kinds of pagination; a further page, and a page by cursor, have their own. */
static json_t *meta_of(const struct query *query, const json_t *data, size_t total, int is_last)
{
    json_int_t count = (json_int_t)json_array_size(data), limit = (json_int_t)query->limit;
    int by_cursor = query->after_id >= 0 || query->before_id >= 0;
    json_t *meta = mem_check(json_object()), *cursor;
    char start[CURSOR_SIZE], end[CURSOR_SIZE];

    if (!by_cursor)
        json_object_set_new(meta, "pagination",
                            json_pack("{s:I,s:I,s:I,s:I,s:I,s:{}}", "total", (json_int_t)total,
                                      "count", count, "per_page", limit, "current_page",
                                      (json_int_t)query->page, "total_pages",
                                      ((json_int_t)total + limit - 1) / limit, "links"));
    if ((!by_cursor && query->page > 1) || count == 0)
        return meta;
    cursor = json_pack("{s:I,s:I,s:s,s:s,s:{}}", "count", count, "per_page", limit, "start_cursor",
                       write_cursor(start, json_array_get(data, 0)), "end_cursor",
                       write_cursor(end, json_array_get(data, (size_t)count - 1)), "links");
    if (!is_last)
        json_object_set_new(json_object_get(cursor, "links"), "next",
                            json_sprintf("?limit=%lld&after=%s", (long long)query->limit, end));
    json_object_set_new(meta, "cursor_pagination", mem_check(cursor));
    return meta;
}

void customers_answer(const struct customers *customers, const struct request *request,
                      int page_cap, struct reply *reply)
{
    struct query query = {.request = request};
    size_t count = 0, size = json_array_size(customers->list), first, last;
    json_t **found, *data, *answer;

    if (read_query(&query, page_cap, reply) != 0)
        return;
    found = mem_alloc((size + 1) * sizeof *found);
    for (size_t i = 0; i < size; i++)
        if (matches(&query, json_array_get(customers->list, i)))
            found[count++] = json_array_get(customers->list, i);
    qsort_r(found, count, sizeof *found, compare, &query);
    data = mem_check(json_array());
    first = first_of(&query, found, count);
    last = first + (size_t)query.limit < count ? first + (size_t)query.limit : count;
    for (size_t i = first; i < last; i++)
        json_array_append_new(data, shown(&query, found[i]));
    answer = mem_check(
        json_pack("{s:o,s:o}", "data", data, "meta", meta_of(&query, data, count, last >= count)));
    free(found);
    v3_reply(reply, answer);
}
