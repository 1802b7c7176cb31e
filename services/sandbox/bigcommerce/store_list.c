#include "bigcommerce/store_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 250

static int wrong(struct reply *reply, const char *name)
{
    return reply_bc_error(reply, 400, "The field '%s' is invalid.", name);
}

static int read_integer(const struct request *request, struct reply *reply, const char *name,
                        int64_t *value)
{
    const char *text = request_parameter(request, name);

    return text == NULL || parse_integer(text, value) == 0 ? 0 : wrong(reply, name);
}

static int read_date(const struct request *request, struct reply *reply, const char *name,
                     int64_t *seconds)
{
    const char *text = request_parameter(request, name);

    return text == NULL || date_parse(text, seconds) == 0 ? 0 : wrong(reply, name);
}

static int read_amount(const struct request *request, struct reply *reply, const char *name,
                       double *amount)
{
    const char *text = request_parameter(request, name);
    char *end;

    if (text == NULL)
        return 0;
    *amount = strtod(text, &end);
    return end != text && *end == '\0' ? 0 : wrong(reply, name);
}

int paging_read(const struct request *request, struct reply *reply, int64_t *page, int64_t *limit)
{
    *page = 1;
    *limit = LIMIT_DEFAULT;
    if (read_integer(request, reply, "page", page) != 0 ||
        read_integer(request, reply, "limit", limit) != 0)
        return -1;
    if (*page < 1 || *page > 1000000000)
        return wrong(reply, "page");
    if (*limit < 1)
        return wrong(reply, "limit");
    if (*limit > LIMIT_MAX)
        return reply_bc_error(reply, 413, "The limit must not be above %d.", LIMIT_MAX);
    return 0;
}

int include_read(struct include *include, const struct request *request, struct reply *reply)
{
    const char *text = request_parameter(request, "include");
    const char *structure = request_parameter(request, "consignment_structure");

    *include = (struct include){0};
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, ",");
        if (length == 12 && strncmp(text, "consignments", length) == 0)
            include->consignments = 1;
        else if (length == 23 && strncmp(text, "consignments.line_items", length) == 0)
            include->consignments = include->line_items = 1;
        else if (length == 4 && strncmp(text, "fees", length) == 0)
            include->fees = 1;
        else
            return wrong(reply, "include");
        text += length;
        if (*text == ',')
            text++;
    }
    if (structure != NULL && strcmp(structure, "object") != 0)
        return wrong(reply, "consignment_structure");
    include->structured = structure != NULL;
    return 0;
}

static json_t *link_to(const char *hash, int64_t id, const char *resource)
{
    char path[96], url[192];

    snprintf(path, sizeof path, "/orders/%lld/%s", (long long)id, resource);
    snprintf(url, sizeof url, "https://api.bigcommerce.com/stores/%s/v2%s", hash, path);
    return mem_check(json_pack("{s:s,s:s}", "url", url, "resource", path));
}

/* Puts a link in place of the line items of each consignment. */
static void hide_lines(json_t *consignments, const char *hash, int64_t id)
{
    for (size_t i = 0; i < json_array_size(consignments); i++)
        json_object_set_new(json_array_get(consignments, i), "line_items",
                            json_pack("[o]", link_to(hash, id, "products")));
}

void include_apply(const struct include *include, const char *hash, json_t *order)
{
    int64_t id = json_integer_value(json_object_get(order, "id"));
    json_t *consignments = json_object_get(order, "consignments");

    if (!include->consignments) {
        json_object_set_new(order, "consignments", link_to(hash, id, "consignments"));
    } else {
        if (!include->line_items) {
            hide_lines(json_object_get(consignments, "shipping"), hash, id);
            hide_lines(json_object_get(consignments, "pickups"), hash, id);
            hide_lines(json_object_get(consignments, "downloads"), hash, id);
            hide_lines(json_object_get(json_object_get(consignments, "email"), "gift_certificates"),
                       hash, id);
        }
        if (!include->structured) /* the older form: a list */
            json_object_set_new(order, "consignments", json_pack("[O]", consignments));
    }
    if (!include->fees)
        json_object_set_new(order, "fees", link_to(hash, id, "fees"));
}

static int read_sort(struct order_query *query, const struct request *request, struct reply *reply)
{
    static const char *const fields[] = {
        "id",        "customer_id", "date_created", "date_modified",
        "status_id", "channel_id",  "external_id"};
    const char *text = request_parameter(request, "sort"), *direction;
    size_t length;

    query->sort = "id";
    if (text == NULL)
        return 0;
    length = strcspn(text, ":");
    direction = text + length;
    query->sort = NULL;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strlen(fields[i]) == length && strncmp(fields[i], text, length) == 0)
            query->sort = fields[i];
    query->descending = strcmp(direction, ":desc") == 0;
    if (query->sort == NULL ||
        (*direction != '\0' && !query->descending && strcmp(direction, ":asc") != 0))
        return wrong(reply, "sort");
    return 0;
}

int order_query_read(struct order_query *query, const struct request *request, struct reply *reply)
{
    *query = (struct order_query){.max_id = INT64_MAX,
                                  .min_created_s = INT64_MIN,
                                  .max_created_s = INT64_MAX,
                                  .min_modified_s = INT64_MIN,
                                  .max_modified_s = INT64_MAX,
                                  .status_id = -1,
                                  .customer_id = -1,
                                  .channel_id = -1,
                                  .min_total = -1e300,
                                  .max_total = 1e300};
    query->email = request_parameter(request, "email");
    if (read_integer(request, reply, "min_id", &query->min_id) != 0 ||
        read_integer(request, reply, "max_id", &query->max_id) != 0 ||
        read_integer(request, reply, "status_id", &query->status_id) != 0 ||
        read_integer(request, reply, "customer_id", &query->customer_id) != 0 ||
        read_integer(request, reply, "channel_id", &query->channel_id) != 0 ||
        read_date(request, reply, "min_date_created", &query->min_created_s) != 0 ||
        read_date(request, reply, "max_date_created", &query->max_created_s) != 0 ||
        read_date(request, reply, "min_date_modified", &query->min_modified_s) != 0 ||
        read_date(request, reply, "max_date_modified", &query->max_modified_s) != 0 ||
        read_amount(request, reply, "min_total", &query->min_total) != 0 ||
        read_amount(request, reply, "max_total", &query->max_total) != 0)
        return -1;
    if (paging_read(request, reply, &query->page, &query->limit) != 0 ||
        read_sort(query, request, reply) != 0)
        return -1;
    return include_read(&query->include, request, reply);
}

int order_query_matches(const struct order_query *query, const struct shop_order *order)
{
    return order->id >= query->min_id && order->id <= query->max_id &&
           order->created_s >= query->min_created_s && order->created_s <= query->max_created_s &&
           order->modified_s >= query->min_modified_s &&
           order->modified_s <= query->max_modified_s &&
           (query->status_id < 0 || order->status_id == query->status_id) &&
           (query->customer_id < 0 || order->customer_id == query->customer_id) &&
           (query->channel_id < 0 || order->channel_id == query->channel_id) &&
           order->total >= query->min_total && order->total <= query->max_total &&
           (query->email == NULL ||
            (order->email != NULL && strcasecmp(order->email, query->email) == 0));
}

static int64_t sort_key(const struct shop_order *order, const char *field)
{
    return strcmp(field, "status_id") == 0     ? order->status_id
           : strcmp(field, "customer_id") == 0 ? order->customer_id
           : strcmp(field, "channel_id") == 0  ? order->channel_id
                                               : order->id;
}

static int compare(const void *left, const void *right, void *field)
{
    const struct shop_order *a = *(struct shop_order *const *)left;
    const struct shop_order *b = *(struct shop_order *const *)right;
    int64_t x = sort_key(a, field), y = sort_key(b, field);

    if (x == y)
        return a->id < b->id ? -1 : a->id > b->id;
    return x < y ? -1 : 1;
}

void order_page_find(struct order_page *page, const struct shop *shop,
                     const struct order_query *query)
{
    struct shop_order **orders = shop->by_id, **sorted = NULL;
    size_t skip = (size_t)((query->page - 1) * query->limit), first = 0, matched = 0;

    *page = (struct order_page){mem_alloc((size_t)query->limit * sizeof *page->orders), 0};
    if (strcmp(query->sort, "date_modified") == 0)
        orders = shop->by_modified;
    else if (strcmp(query->sort, "date_created") == 0)
        orders = shop->by_created;
    else if (strcmp(query->sort, "id") != 0 && shop->count > 0) {
        sorted = mem_alloc(shop->count * sizeof *sorted);
        memcpy(sorted, shop->by_id, shop->count * sizeof *sorted);
        qsort_r(sorted, shop->count, sizeof *sorted, compare, (void *)query->sort);
        orders = sorted;
    }
    if (orders == shop->by_modified && !query->descending)
        first = shop_first_modified(shop, query->min_modified_s);
    for (size_t i = first; i < shop->count && page->count < (size_t)query->limit; i++) {
        const struct shop_order *order = orders[query->descending ? shop->count - 1 - i : i];
        if (orders == shop->by_modified && !query->descending &&
            order->modified_s > query->max_modified_s)
            break;
        if (order_query_matches(query, order) && matched++ >= skip)
            page->orders[page->count++] = order;
    }
    free(sorted);
}
