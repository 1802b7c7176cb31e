/* control_products.c - places, changes, removes and reads products of a store while the sandbox
 * runs. */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "generate/products.h"

/* Segments of the path: sandbox, stores, hash, products, id, variants, id. */
enum { SEGMENT_HASH = 2, SEGMENT_ID = 4, SEGMENT_VARIANTS, SEGMENT_VARIANT };

static void note(struct world *world, const struct shop *shop, const json_t *product,
                 const char *method, const char *verb)
{
    char *path = mem_printf("/stores/%s/products/%lld", shop->hash,
                            (long long)json_integer_value(json_object_get(product, "id")));
    json_t *effect = mem_check(json_pack("{s:s,s:s}", verb, "product", "store", shop->hash));
    char *text;

    json_object_update_missing(effect, (json_t *)product);
    text = json_text(effect);
    journal_store(&world->journal, method, path, text);
    json_decref(effect);
    free(text);
    free(path);
}

static void list_all(const struct shop *shop, struct reply *reply)
{
    json_t *list = mem_check(json_array());

    for (size_t i = 0; i < shop->catalog.count; i++)
        json_array_append(list, shop->catalog.products[i]);
    reply_json(reply, 200, list);
}

static int place_one(struct world *world, struct shop *shop, const json_t *given, json_t *ids,
                     struct reply *reply)
{
    struct error err = {0};
    const json_t *product = catalog_put(&shop->catalog, given, world_store_time(world), &err);

    if (product == NULL)
        return control_error(reply, 400, "%s", err.text);
    note(world, shop, product, "PLACE", "made");
    json_array_append(ids, json_object_get(product, "id"));
    return 0;
}

static void generate(struct world *world, struct shop *shop, const json_t *body, json_t *ids,
                     struct reply *reply)
{
    int64_t count = json_integer_value(json_object_get(body, "generate"));
    int64_t seed = json_integer_value(json_object_get(body, "seed"));
    int failed = 0;

    for (int64_t i = 0; i < count && !failed; i++) {
        json_t *product = generate_product((uint64_t)seed, world->options->currency, i);
        failed = place_one(world, shop, product, ids, reply);
        json_decref(product);
    }
}

static void place(struct world *world, struct shop *shop, const struct request *request,
                  struct reply *reply)
{
    json_t *ids = mem_check(json_array());
    const json_t *body = request->json;

    if (json_object_get(body, "generate") != NULL) {
        generate(world, shop, body, ids, reply);
    } else if (json_is_array(body)) {
        for (size_t i = 0; i < json_array_size(body) && reply->status == 0; i++)
            place_one(world, shop, json_array_get(body, i), ids, reply);
    } else if (place_one(world, shop, body, ids, reply) == 0) {
        reply_json(
            reply, 201,
            json_incref(catalog_find(&shop->catalog, json_integer_value(json_array_get(ids, 0)))));
    }
    if (reply->status == 0)
        reply_json(reply, 201, json_pack("{s:O}", "ids", ids));
    json_decref(ids);
}

static void change(struct world *world, struct shop *shop, int64_t id,
                   const struct request *request, struct reply *reply)
{
    struct error err = {0};
    int64_t variant_id = 0, now_s = world_store_time(world);
    json_t *product;

    if (strcmp(request_segment(request, SEGMENT_VARIANTS), "variants") == 0)
        product =
            parse_integer(request_segment(request, SEGMENT_VARIANT), &variant_id) == 0
                ? catalog_change_variant(&shop->catalog, id, variant_id, request->json, now_s, &err)
                : NULL;
    else
        product = catalog_change(&shop->catalog, id, request->json, now_s, &err);
    if (product == NULL) {
        control_error(reply, 400, "%s", err.text[0] != '\0' ? err.text : "no variant with this id");
        return;
    }
    note(world, shop, product, "CHANGE", "changed");
    reply_json(reply, 200, json_incref(product));
}

static void answer_one(struct world *world, struct shop *shop, const struct request *request,
                       struct reply *reply)
{
    json_t *product = NULL;
    int64_t id;

    if (parse_integer(request_segment(request, SEGMENT_ID), &id) == 0)
        product = catalog_find(&shop->catalog, id);
    if (product == NULL) {
        control_error(reply, 404, "no product with this id");
    } else if (strcmp(request->method, "PATCH") == 0) {
        change(world, shop, id, request, reply);
    } else if (strcmp(request->method, "DELETE") == 0) {
        note(world, shop, product, "REMOVE", "removed");
        catalog_remove(&shop->catalog, id);
        reply_json(reply, 200, json_pack("{s:I}", "id", id));
    } else {
        reply_json(reply, 200, json_incref(product));
    }
}

void control_products_answer(struct world *world, const struct request *request,
                             struct reply *reply)
{
    struct shop *shop = world_shop(world, request_segment(request, SEGMENT_HASH));

    if (shop == NULL)
        control_error(reply, 404, "no such store");
    else if (request->segment_count > SEGMENT_ID)
        answer_one(world, shop, request, reply);
    else if (strcmp(request->method, "POST") == 0)
        place(world, shop, request, reply);
    else
        list_all(shop, reply);
}
