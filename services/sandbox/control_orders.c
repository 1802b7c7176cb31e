/* control_orders.c - places, changes, removes and reads orders while the sandbox runs, for tests
 * and for whoever judges a run. */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "generate/generate.h"
#include "order_text.h"

/* Segments of the path: sandbox, stores, hash, orders, id, raw. */
enum { SEGMENT_HASH = 2, SEGMENT_ORDERS, SEGMENT_ID, SEGMENT_RAW };

static void note(struct world *world, const struct shop *shop, const struct shop_order *order,
                 const char *method, const char *verb)
{
    char *path = mem_printf("/stores/%s/orders/%lld", shop->hash, (long long)order->id);
    char *effect = shop_effect(shop, order, verb);

    journal_store(&world->journal, method, path, effect);
    free(path);
    free(effect);
}

/* Answers with all orders as the list call shows them; with ?complete=1 also with the lines and
 * coupons that the list call leaves out. */
static void list_all(const struct shop *shop, const struct request *request, struct reply *reply)
{
    int complete = request_parameter(request, "complete") != NULL;
    struct buffer *body = &reply->body;

    reply->status = 200;
    buffer_append(body, "[", 1);
    for (size_t i = 0; i < shop->count; i++) {
        const struct shop_order *order = shop->by_id[i];
        if (i > 0)
            buffer_append(body, ",\n", 2);
        if (complete)
            buffer_printf(body, "{\"id\":%lld,\"products\":%s,\"coupons\":%s,\"order\":",
                          (long long)order->id, order->products == NULL ? "null" : order->products,
                          order->coupons == NULL ? "[]" : order->coupons);
        buffer_append(body, order->text, order->length);
        if (complete)
            buffer_append(body, "}", 1);
    }
    buffer_append(body, "]", 1);
}

/* Fills in the members that a list call needs. */
static void complete_order(const struct world *world, struct shop *shop, json_t *order)
{
    char date[DATE_SIZE];

    date_rfc2822(date, world_store_time(world));
    if (json_object_get(order, "id") == NULL)
        json_object_set_new(order, "id", json_integer(shop->last_id + 1));
    if (json_object_get(order, "date_created") == NULL)
        json_object_set_new(order, "date_created", json_string(date));
    if (json_object_get(order, "date_modified") == NULL)
        json_object_set_new(order, "date_modified", json_string(date));
    if (json_object_get(order, "status_id") == NULL)
        json_object_set_new(order, "status_id", json_integer(11));
    if (json_object_get(order, "status") == NULL)
        json_object_set_new(
            order, "status",
            json_string(status_name((int)json_integer_value(json_object_get(order, "status_id")))));
}

/* Places an order as it was given. Its member `sandbox` says what the list call is to hide or to
 * add; it is not stored. */
static int place_one(struct world *world, struct shop *shop, const json_t *given, json_t *ids,
                     struct reply *reply)
{
    json_t *order = json_deep_copy(given);
    json_t *hints = json_incref(json_object_get(order, "sandbox"));
    struct shop_extra extra = {.products = json_object_get(hints, "products"),
                               .coupons = json_object_get(hints, "coupons"),
                               .hide_lines = json_is_true(json_object_get(hints, "hide_lines")),
                               .style = (int)json_integer_value(json_object_get(hints, "style"))};
    struct shop_order *placed;
    struct error err = {0};

    json_object_del(order, "sandbox");
    if (json_is_object(order))
        complete_order(world, shop, order);
    placed = shop_put(shop, order, &extra, &err);
    json_decref(order);
    json_decref(hints);
    if (placed == NULL)
        return control_error(reply, 400, "%s", err.text);
    note(world, shop, placed, "PLACE", "made");
    json_array_append_new(ids, json_integer(placed->id));
    return 0;
}

static void generate(struct world *world, struct shop *shop, const json_t *body, json_t *ids)
{
    int64_t count = json_integer_value(json_object_get(body, "generate"));
    int64_t seed = json_integer_value(json_object_get(body, "seed"));

    for (int64_t i = 0; i < count; i++) {
        struct generate_input input = {.seed = (uint64_t)seed,
                                       .hash = shop->hash,
                                       .currency = world->options->currency,
                                       .id = shop->last_id + 1,
                                       .index = i,
                                       .placed_s = world_store_time(world)};
        struct shop_extra extra = {0};
        struct shop_order *placed;
        struct generated made;
        struct error err = {0};
        generate_order(&input, &made);
        extra.coupons = made.coupons;
        extra.hide_lines = made.hide_lines;
        extra.style = made.style;
        placed = shop_put(shop, made.order, &extra, &err);
        generated_clear(&made);
        if (placed == NULL)
            continue;
        note(world, shop, placed, "PLACE", "made");
        json_array_append_new(ids, json_integer(placed->id));
    }
}

static void place(struct world *world, struct shop *shop, const struct request *request,
                  struct reply *reply)
{
    json_t *ids = mem_check(json_array());
    const json_t *body = request->json;
    int failed = 0;

    if (json_is_array(body)) {
        for (size_t i = 0; i < json_array_size(body) && !failed; i++)
            failed = place_one(world, shop, json_array_get(body, i), ids, reply);
    } else if (!json_is_object(body)) {
        failed = control_error(reply, 400,
                               "an order, an array of orders or {\"generate\": N, "
                               "\"seed\": S} is expected: %s",
                               request->json_error);
    } else if (json_object_get(body, "generate") != NULL) {
        generate(world, shop, body, ids);
    } else if (place_one(world, shop, body, ids, reply) == 0) {
        const struct shop_order *order =
            shop_find(shop, json_integer_value(json_array_get(ids, 0)));
        reply_text(reply, 201, order->text, order->length);
    }
    if (!failed && reply->status == 0)
        reply_json(reply, 201, json_pack("{s:O}", "ids", ids));
    json_decref(ids);
}

static void answer_raw(struct world *world, struct shop *shop, struct shop_order *order,
                       const struct request *request, struct reply *reply)
{
    if (strcmp(request->method, "PUT") == 0) {
        shop_set_text(shop, order, request->body.data == NULL ? "" : request->body.data,
                      request->body.length, world_store_time(world));
        note(world, shop, order, "CHANGE", "changed");
    }
    reply_text(reply, 200, order->text, order->length);
}

static void answer_one(struct world *world, struct shop *shop, const struct request *request,
                       struct reply *reply)
{
    struct shop_order *order = NULL;
    struct error err = {0};
    int64_t id;

    if (parse_integer(request_segment(request, SEGMENT_ID), &id) == 0)
        order = shop_find(shop, id);
    if (order == NULL) {
        control_error(reply, 404, "no order with this id");
    } else if (strcmp(request_segment(request, SEGMENT_RAW), "raw") == 0) {
        answer_raw(world, shop, order, request, reply);
    } else if (strcmp(request->method, "PATCH") == 0) {
        if (world_change_order(world, shop, id, request->json, &err) != 0)
            control_error(reply, 400, "%s", err.text);
        else
            reply_text(reply, 200, shop_find(shop, id)->text, shop_find(shop, id)->length);
    } else if (strcmp(request->method, "DELETE") == 0) {
        note(world, shop, order, "REMOVE", "removed");
        shop_remove(shop, order);
        reply_json(reply, 200, json_pack("{s:I}", "id", id));
    } else {
        reply_text(reply, 200, order->text, order->length);
    }
}

void control_orders_answer(struct world *world, const struct request *request, struct reply *reply)
{
    struct shop *shop = world_shop(world, request_segment(request, SEGMENT_HASH));

    if (shop == NULL || strcmp(request_segment(request, SEGMENT_ORDERS), "orders") != 0)
        control_error(reply, 404, "no such store or no such call");
    else if (request->segment_count > SEGMENT_ID)
        answer_one(world, shop, request, reply);
    else if (strcmp(request->method, "POST") == 0)
        place(world, shop, request, reply);
    else
        list_all(shop, request, reply);
}
