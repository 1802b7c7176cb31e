/* control.c - the paths below /sandbox/, by which tests, demos and people look into the sandbox and
 * steer it. */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static json_t *shop_json(const struct shop *shop)
{
    json_t *statuses = mem_check(json_object());

    for (size_t i = 0; i < shop->count; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", shop->by_id[i]->status_id);
        json_object_set_new(statuses, id,
                            json_integer(json_integer_value(json_object_get(statuses, id)) + 1));
    }
    return mem_check(json_pack("{s:s,s:I,s:I,s:I,s:o}", "hash", shop->hash, "orders",
                               (json_int_t)shop->count, "products", (json_int_t)shop->catalog.count,
                               "last_id", shop->last_id, "orders_by_status", statuses));
}

static json_int_t count_of(const struct collection *collection)
{
    return (json_int_t)(collection->count - collection->deleted);
}

static void reply_state(const struct world *world, struct reply *reply)
{
    const struct account *account = &world->account;
    json_t *stores = mem_check(json_array()), *totals = mem_check(json_object());

    for (size_t i = 0; i < world->shop_count; i++)
        json_array_append_new(stores, shop_json(world->shops[i]));
    json_object_set_new(totals, "contacts", json_integer(count_of(&account->contacts)));
    json_object_set_new(totals, "products", json_integer(count_of(&account->products)));
    json_object_set_new(totals, "orders", json_integer(count_of(&account->orders)));
    json_object_set_new(totals, "payments", json_integer(account->payments));
    json_object_set_new(totals, "goals", json_integer(account->goals));
    json_object_set_new(totals, "tags", json_integer(count_of(&account->tags)));
    json_object_set_new(totals, "custom_fields",
                        json_integer((json_int_t)(json_array_size(account->contact_model.fields) +
                                                  json_array_size(account->order_model.fields))));
    json_object_set_new(totals, "token_pairs", json_integer(account->tokens.generation - 1));
    json_object_set_new(totals, "token_refusals", json_integer(account->tokens.refused));
    reply_json(reply, 200,
               mem_check(json_pack("{s:o,s:o,s:{s:I,s:I,s:I,s:I},s:I}", "account", totals, "stores",
                                   stores, "requests", "is", world->requests[SIDE_INFUSIONSOFT],
                                   "bc", world->requests[SIDE_BIGCOMMERCE], "is_refused_429",
                                   account->quota.refused, "bc_refused_429", world->bc_refused,
                                   "journal_lines", world->journal.lines)));
}

static const struct fault *find_fault(const struct world *world, int64_t id)
{
    const struct fault *fault = world->faults.first;

    while (fault != NULL && fault->id != id)
        fault = fault->next;
    return fault;
}

static void answer_faults(struct world *world, const struct request *request, struct reply *reply)
{
    const char *id_text = request_segment(request, 2);
    int64_t id = 0;
    char message[256];

    if (*id_text != '\0' && (parse_integer(id_text, &id) != 0 || find_fault(world, id) == NULL)) {
        control_error(reply, 404, "no fault with this id");
    } else if (strcmp(request->method, "POST") == 0) {
        id = faults_add(&world->faults, request->json, message, sizeof message);
        if (id < 0)
            control_error(reply, 400, "%s", message);
        else
            reply_json(reply, 201, json_pack("{s:I}", "id", id));
    } else if (strcmp(request->method, "DELETE") == 0) {
        reply_json(reply, 200, json_pack("{s:i}", "removed", faults_remove(&world->faults, id)));
    } else if (id != 0) {
        reply_json(reply, 200, fault_json(find_fault(world, id)));
    } else {
        reply_json(reply, 200, faults_json(&world->faults));
    }
}

static const struct collection *collection_named(const struct account *account, const char *name)
{
    const struct collection *const all[] = {&account->contacts, &account->products,
                                            &account->orders, &account->tags};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->plural, name) == 0)
            return all[i];
    return NULL;
}

/* Replaces members of an object without a check: real accounts hold data that is older than today's
 * checks. */
static void patch_object(const struct collection *collection, const struct request *request,
                         struct reply *reply)
{
    struct object *object = collection_get_text(collection, request_segment(request, 3));
    json_t *json;

    if (object == NULL || !json_is_object(request->json)) {
        control_error(reply, object == NULL ? 404 : 400, "an object's id and members are expected");
        return;
    }
    json = object_json(object);
    json_object_update(json, request->json);
    object_set_json(object, json);
    reply_json(reply, 200, object_json(object));
}

/* Answers with all objects of one kind that the account has, without pages. Whoever judges a run
 * needs them all. */
static void answer_account(const struct world *world, const struct request *request,
                           struct reply *reply)
{
    const struct collection *collection =
        collection_named(&world->account, request_segment(request, 2));
    int first = 1;

    if (collection == NULL) {
        control_error(reply, 404, "one of contacts, products, orders, tags is expected");
        return;
    }
    if (strcmp(request->method, "PATCH") == 0) {
        patch_object(collection, request, reply);
        return;
    }
    reply->status = 200;
    buffer_append(&reply->body, "[", 1);
    for (size_t i = 0; i < collection->count; i++) {
        const struct object *object = collection->objects[i];
        if (object->text == NULL)
            continue;
        if (!first)
            buffer_append(&reply->body, ",\n", 2);
        buffer_append(&reply->body, object->text, object->length);
        first = 0;
    }
    buffer_append(&reply->body, "]", 1);
}

void control_answer(struct world *world, const struct request *request, struct reply *reply)
{
    const char *what = request_segment(request, 1);

    if (strcmp(what, "state") == 0)
        reply_state(world, reply);
    else if (strcmp(what, "faults") == 0)
        answer_faults(world, request, reply);
    else if (strcmp(what, "settings") == 0)
        settings_answer(world, request, reply);
    else if (strcmp(what, "stores") == 0 && strcmp(request_segment(request, 3), "products") == 0)
        control_products_answer(world, request, reply);
    else if (strcmp(what, "stores") == 0 &&
             strncmp(request_segment(request, 3), "customer", strlen("customer")) == 0)
        control_customers_answer(world, request, reply);
    else if (strcmp(what, "stores") == 0)
        control_orders_answer(world, request, reply);
    else if (strcmp(what, "account") == 0)
        answer_account(world, request, reply);
    else
        control_error(reply, 404, "no such call; see docs/sandbox.md");
}
