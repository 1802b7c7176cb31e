/* control_customers.c - places, changes, removes and reads customers and customer groups of a store
 * while the sandbox runs. */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Segments of the path: sandbox, stores, hash, customers or customer_groups, id. */
enum { SEGMENT_HASH = 2, SEGMENT_WHAT, SEGMENT_ID };

static void note(struct world *world, const struct shop *shop, int is_group, const json_t *object,
                 const char *method, const char *verb)
{
    char *path =
        mem_printf("/stores/%s/%s/%lld", shop->hash, is_group ? "customer_groups" : "customers",
                   (long long)json_integer_value(json_object_get(object, "id")));
    json_t *effect = mem_check(json_pack(
        "{s:s,s:s}", verb, is_group ? "customer_group" : "customer", "store", shop->hash));
    char *text;

    json_object_update_missing(effect, (json_t *)object);
    text = json_text(effect);
    journal_store(&world->journal, method, path, text);
    json_decref(effect);
    free(text);
    free(path);
}

static void place(struct world *world, struct shop *shop, int is_group,
                  const struct request *request, struct reply *reply)
{
    struct error err = {0};
    json_t *object =
        is_group ? customers_put_group(&shop->customers, request->json, &err)
                 : customers_put(&shop->customers, request->json, world_store_time(world), &err);

    if (object == NULL) {
        control_error(reply, 400, "%s", err.text);
        return;
    }
    note(world, shop, is_group, object, "PLACE", "made");
    reply_json(reply, 201, json_incref(object));
}

static void change(struct world *world, struct shop *shop, int64_t id,
                   const struct request *request, struct reply *reply)
{
    struct error err = {0};
    json_t *customer =
        customers_change(&shop->customers, id, request->json, world_store_time(world), &err);

    if (customer == NULL) {
        control_error(reply, 400, "%s", err.text);
        return;
    }
    note(world, shop, 0, customer, "CHANGE", "changed");
    reply_json(reply, 200, json_incref(customer));
}

void control_customers_answer(struct world *world, const struct request *request,
                              struct reply *reply)
{
    struct shop *shop = world_shop(world, request_segment(request, SEGMENT_HASH));
    int is_group = strcmp(request_segment(request, SEGMENT_WHAT), "customer_groups") == 0;
    json_t *list = NULL, *object = NULL;
    int64_t id = 0;

    if (shop != NULL)
        list = is_group ? shop->customers.groups : shop->customers.list;
    if (parse_integer(request_segment(request, SEGMENT_ID), &id) == 0)
        object = customers_find(list, id);
    if (shop == NULL) {
        control_error(reply, 404, "no such store");
    } else if (strcmp(request->method, "POST") == 0) {
        place(world, shop, is_group, request, reply);
    } else if (request->segment_count <= SEGMENT_ID) {
        reply_json(reply, 200, list != NULL ? json_incref(list) : json_array());
    } else if (object == NULL) {
        control_error(reply, 404, "none with this id");
    } else if (strcmp(request->method, "PATCH") == 0 && !is_group) {
        change(world, shop, id, request, reply);
    } else if (strcmp(request->method, "DELETE") == 0) {
        note(world, shop, is_group, object, "REMOVE", "removed");
        customers_remove(list, id);
        reply_json(reply, 200, json_pack("{s:I}", "id", id));
    } else {
        reply_json(reply, 200, json_incref(object));
    }
}
