/* store.c - the answers of a BigCommerce store: orders and their parts, statuses, the clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dates.h"
#include "generate/generate.h"
#include "order_text.h"
#include "bigcommerce/catalog_list.h"
#include "bigcommerce/store_list.h"
#include "world.h"

/* Segments of the path: stores, hash, v2, resource, id, sub. */
enum { SEGMENT_HASH = 1, SEGMENT_VERSION, SEGMENT_RESOURCE, SEGMENT_ID, SEGMENT_SUB };

static void reply_v2_not_found(struct reply *reply)
{
    reply_bc_error(reply, 404, "The requested resource was not found.");
}

/* An empty collection: 204 without a body, or [] where the settings say so. */
static void reply_empty(const struct world *world, struct reply *reply)
{
    if (world->settings.empty_list)
        reply_text(reply, 200, "[]", 2);
    else
        reply_text(reply, 204, "", 0);
}

static void reply_styled(struct reply *reply, const json_t *json)
{
    reply->status = 200;
    order_text_write(&reply->body, json, 0);
}

/* The order with what the request asked for. */
static void append_order(struct buffer *body, const struct shop *shop,
                         const struct shop_order *order, const struct include *include)
{
    json_t *json;

    if (include->line_items && include->fees && include->structured) {
        buffer_append(body, order->text, order->length);
        return;
    }
    json = json_loadb(order->text, order->length, 0, NULL);
    if (json == NULL) { /* bytes that are not an order: sent as they are */
        buffer_append(body, order->text, order->length);
        return;
    }
    include_apply(include, shop->hash, json);
    order_text_write(body, json, order->style);
    json_decref(json);
}

/* How many orders a page really has when the request asked for so many. */
static int64_t cap_page(const struct world *world, int64_t limit)
{
    int cap = world->settings.page_cap;

    return cap > 0 && limit > cap ? cap : limit;
}

static void list_orders(struct world *world, const struct shop *shop, const struct request *request,
                        struct reply *reply)
{
    struct order_query query;
    struct order_page page;

    if (order_query_read(&query, request, reply) != 0)
        return;
    query.limit = cap_page(world, query.limit);
    query.min_id += world->settings.min_id_exclusive;
    order_page_find(&page, shop, &query);
    if (page.count == 0) {
        reply_empty(world, reply);
    } else {
        reply->status = 200;
        for (size_t i = 0; i < page.count; i++) {
            buffer_append(&reply->body, i == 0 ? "[" : ",", 1);
            append_order(&reply->body, shop, page.orders[i], &query.include);
        }
        buffer_append(&reply->body, "]", 1);
    }
    free(page.orders);
}

static json_t *status_json(int id)
{
    return mem_check(json_pack("{s:i,s:s,s:s,s:s,s:s,s:i}", "id", id, "name", status_name(id),
                               "system_label", status_name(id), "custom_label",
                               id == 11 ? "Ready to pack" : status_name(id), "system_description",
                               "", "order", id));
}

static void count_orders(const struct shop *shop, const struct request *request,
                         struct reply *reply)
{
    struct order_query query;
    json_t *statuses;
    int64_t counts[15] = {0}, total = 0;

    if (order_query_read(&query, request, reply) != 0)
        return;
    for (size_t i = 0; i < shop->count; i++) {
        if (!order_query_matches(&query, shop->by_id[i]))
            continue;
        total++;
        if (shop->by_id[i]->status_id >= 0 && shop->by_id[i]->status_id < 15)
            counts[shop->by_id[i]->status_id]++;
    }
    statuses = mem_check(json_array());
    for (int id = 0; id < 15; id++) {
        json_t *status = status_json(id);
        json_object_del(status, "order");
        json_object_set_new(status, "count", json_integer(counts[id]));
        json_object_set_new(status, "sort_order", json_integer(id));
        json_array_append_new(statuses, status);
    }
    reply_json(reply, 200, mem_check(json_pack("{s:o,s:I}", "statuses", statuses, "count", total)));
}

static void reply_statuses(const struct request *request, struct reply *reply)
{
    int64_t id;

    if (request->segment_count == SEGMENT_RESOURCE + 1) {
        json_t *list = mem_check(json_array());
        for (int i = 0; i < 15; i++)
            json_array_append_new(list, status_json(i));
        reply_json(reply, 200, list);
    } else if (parse_integer(request_segment(request, SEGMENT_ID), &id) == 0 && id >= 0 &&
               id < 15) {
        reply_json(reply, 200, status_json((int)id));
    } else {
        reply_v2_not_found(reply);
    }
}

/* One page of an array (taken). */
static void reply_array(struct world *world, const struct request *request, struct reply *reply,
                        json_t *array)
{
    int64_t page, limit;
    json_t *slice = mem_check(json_array());

    if (paging_read(request, reply, &page, &limit) == 0) {
        limit = cap_page(world, limit);
        for (size_t i = (size_t)((page - 1) * limit);
             i < json_array_size(array) && i < (size_t)(page * limit); i++)
            json_array_append(slice, json_array_get(array, i));
        if (json_array_size(slice) == 0)
            reply_empty(world, reply);
        else
            reply_styled(reply, slice);
    }
    json_decref(slice);
    json_decref(array);
}

static json_t *parse_or_empty(const char *text)
{
    return text == NULL ? mem_check(json_array()) : mem_check(json_loads(text, 0, NULL));
}

/* The shipping consignments in the form of /shipping_addresses. New array. */
static json_t *addresses_of(const json_t *order)
{
    const json_t *shipping = json_object_get(json_object_get(order, "consignments"), "shipping");
    json_t *list = mem_check(json_array());

    for (size_t i = 0; i < json_array_size(shipping); i++) {
        json_t *address = json_copy(json_array_get(shipping, i)), *value;
        const char *name;
        void *next;
        json_object_del(address, "line_items");
        json_object_del(address, "__warning__");
        json_object_foreach_safe(address, next, name, value)
        {
            char text[48];
            if (!json_is_real(value))
                continue;
            snprintf(text, sizeof text, "%.4f", json_real_value(value));
            json_object_set_new(address, name, json_string(text));
        }
        json_object_set(address, "order_id", json_object_get(order, "id"));
        json_array_append_new(list, address);
    }
    return list;
}

static void reply_part(struct world *world, const struct request *request, struct reply *reply,
                       const struct shop_order *order)
{
    const char *part = request_segment(request, SEGMENT_SUB);
    json_t *json;

    if (strcmp(part, "products") == 0) {
        reply_array(world, request, reply, shop_order_products(order));
        return;
    }
    if (strcmp(part, "coupons") == 0) {
        reply_array(world, request, reply, parse_or_empty(order->coupons));
        return;
    }
    json = json_loadb(order->text, order->length, 0, NULL);
    if (strcmp(part, "shipping_addresses") == 0 || strcmp(part, "shippingaddresses") == 0)
        reply_array(world, request, reply, addresses_of(json));
    else if (strcmp(part, "fees") == 0)
        reply_styled(reply, json_object_get(json, "fees"));
    else if (strcmp(part, "consignments") == 0)
        reply_styled(reply, json_object_get(json, "consignments"));
    else
        reply_v2_not_found(reply);
    json_decref(json);
}

static void reply_order(struct world *world, struct shop *shop, const struct request *request,
                        struct reply *reply)
{
    const struct shop_order *order = NULL;
    struct include include;
    int64_t id;

    if (parse_integer(request_segment(request, SEGMENT_ID), &id) == 0)
        order = shop_find(shop, id);
    if (order == NULL) {
        reply_v2_not_found(reply);
    } else if (request->segment_count > SEGMENT_SUB) {
        reply_part(world, request, reply, order);
    } else if (include_read(&include, request, reply) == 0) {
        reply->status = 200;
        append_order(&reply->body, shop, order, &include);
    }
}

static void reply_store(const struct world *world, const struct shop *shop, struct reply *reply)
{
    char name[64];

    snprintf(name, sizeof name, "Sandbox %.40s", shop->hash);
    reply_json(reply, 200,
               mem_check(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:i}}", "id", shop->hash,
                                   "domain", "store.example.com", "name", name, "currency",
                                   world->options->currency, "language", "en", "status", "live",
                                   "timezone", "name", "UTC", "raw_offset", 0)));
}

static void reply_groups(struct world *world, const struct shop *shop,
                         const struct request *request, struct reply *reply)
{
    json_t *groups = shop->customers.groups, *group = NULL;
    int64_t id;

    if (request->segment_count == SEGMENT_RESOURCE + 1) {
        reply_array(world, request, reply, groups != NULL ? json_incref(groups) : json_array());
        return;
    }
    if (parse_integer(request_segment(request, SEGMENT_ID), &id) == 0)
        group = customers_find(groups, id);
    if (group != NULL)
        reply_json(reply, 200, json_incref(group));
    else
        reply_v2_not_found(reply);
}

static void route_v2(struct world *world, struct shop *shop, const struct request *request,
                     struct reply *reply)
{
    const char *resource = request_segment(request, SEGMENT_RESOURCE);

    if (strcmp(resource, "orders") == 0 && request->segment_count == SEGMENT_RESOURCE + 1)
        list_orders(world, shop, request, reply);
    else if (strcmp(resource, "orders") == 0 &&
             strcmp(request_segment(request, SEGMENT_ID), "count") == 0)
        count_orders(shop, request, reply);
    else if (strcmp(resource, "orders") == 0)
        reply_order(world, shop, request, reply);
    else if (strcmp(resource, "order_statuses") == 0)
        reply_statuses(request, reply);
    else if (strcmp(resource, "time") == 0)
        reply_json(reply, 200, json_pack("{s:I}", "time", world_store_time(world)));
    else if (strcmp(resource, "store") == 0)
        reply_store(world, shop, reply);
    else if (strcmp(resource, "customer_groups") == 0)
        reply_groups(world, shop, request, reply);
    else
        reply_v2_not_found(reply);
}

static void route_v3(struct world *world, const struct shop *shop, const struct request *request,
                     struct reply *reply)
{
    const char *resource = request_segment(request, SEGMENT_RESOURCE);

    if (strcmp(resource, "catalog") == 0)
        catalog_answer(&shop->catalog, request, SEGMENT_ID, world->settings.page_cap,
                       world_store_time(world), reply);
    else if (strcmp(resource, "customers") == 0 && request->segment_count == SEGMENT_ID)
        customers_answer(&shop->customers, request, world->settings.page_cap, reply);
    else
        reply_bc_title(reply, 404, "The requested resource was not found.");
}

/* Sets the rate headers, or answers 429. Returns 0 when the request may go on. */
static int take_quota(struct world *world, struct shop *shop, struct reply *reply)
{
    int limit = world->settings.bc_quota, left;
    int64_t reset_ms;
    int refused = limits_fixed_take(&shop->quota, limit, clock_monotonic_ms(), &left, &reset_ms);

    if (!refused || world->settings.bc_quota_headers) {
        reply_header(reply, "X-Rate-Limit-Time-Window-Ms", "%d", LIMITS_FIXED_MS);
        reply_header(reply, "X-Rate-Limit-Time-Reset-Ms", "%lld", (long long)reset_ms);
        reply_header(reply, "X-Rate-Limit-Requests-Quota", "%d", limit > 0 ? limit : 1000000);
        reply_header(reply, "X-Rate-Limit-Requests-Left", "%d", left);
    }
    if (refused) {
        world->bc_refused++;
        reply_bc_title(reply, 429, "Too Many Requests");
    }
    return refused;
}

void store_answer(struct world *world, const struct request *request, struct reply *reply)
{
    struct shop *shop = world_shop(world, request_segment(request, SEGMENT_HASH));
    const char *version = request_segment(request, SEGMENT_VERSION);
    size_t length = strlen(request->path);
    char date[DATE_SIZE];

    if (world->settings.clock_skew_s != 0)
        reply_header(reply, "Date", "%s", date_http(date, world_store_time(world)));
    if (request->bc_token == NULL || strcmp(request->bc_token, BC_TOKEN) != 0 || shop == NULL) {
        reply_bc_title(reply, 401,
                       "Unauthorized - the v3 Auth client ID or token in the request are not a "
                       "valid combination for this store.");
        return;
    }
    if (take_quota(world, shop, reply) != 0)
        return;
    if (request->path[length - 1] == '/')
        reply_bc_title(reply, 403, "Forbidden");
    else if (strcmp(request->method, "GET") != 0)
        reply_bc_error(reply, 405, "Method not allowed");
    else if (strcmp(version, "v2") == 0)
        route_v2(world, shop, request, reply);
    else if (strcmp(version, "v3") == 0)
        route_v3(world, shop, request, reply);
    else
        reply_bc_title(reply, 404, "The requested resource was not found.");
}
