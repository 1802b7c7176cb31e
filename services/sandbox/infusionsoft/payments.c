/* payments.c - payments of orders. They are records of money only; nothing is charged. */
#include "infusionsoft/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "world.h"

#define STRING(name)                                                                               \
    {                                                                                              \
        name, SCHEMA_STRING, 0, 0, NULL, NULL                                                      \
    }
#define TIME(name)                                                                                 \
    {                                                                                              \
        name, SCHEMA_TIME, 0, 0, NULL, NULL                                                        \
    }

static const struct schema_member payment_members[] = {
    STRING("notes"),
    STRING("payment_method_id"),
    STRING("payment_method_type"),
    TIME("payment_time"),
    {"payment_amount", SCHEMA_NUMBER, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"apply_to_commissions", SCHEMA_BOOLEAN, SCHEMA_REQUIRED, 0, NULL, NULL},
    STRING("external_source"),
    STRING("external_source_value"),
    STRING("external_status_value"),
    TIME("external_create_time"),
    TIME("external_update_time"),
    STRING("external_create_user"),
    {0}};

void payments_list(const struct call *call)
{
    const struct object *object = collection_get_text(&call->account->orders, call->id);

    if (object == NULL) {
        call_not_found(call, "Order");
        return;
    }
    reply_json(
        call->reply, 200,
        mem_check(json_pack("{s:o,s:s}", "invoice_order_payments",
                            object->extra == NULL ? json_array() : json_deep_copy(object->extra),
                            "next_page_token", "")));
}

static int check_payment(const struct call *call, const struct object *order, const json_t *body,
                         int64_t *minor)
{
    static const char *const types[] = {"Credit Card (Manual)", "Check", "Cash", "Adjustment",
                                        NULL};
    const char *type = json_string_value(json_object_get(body, "payment_method_type"));
    int known = type == NULL;

    if (json_object_get(body, "payment_method_id") != NULL)
        return reply_is_error(call->reply, 400, "payment_method_id would charge a card");
    for (const char *const *name = types; type != NULL && *name != NULL; name++)
        known |= strcmp(*name, type) == 0;
    if (!known)
        return reply_is_error(call->reply, 400, "Unknown payment_method_type: %.50s", type);
    if (call_price(call, "payment_amount", json_object_get(body, "payment_amount"), minor) != 0)
        return -1;
    if (*minor == 0 || *minor > order->amount - order->paid || *minor < -order->paid)
        return reply_is_error(call->reply, 400, "payment_amount exceeds the open balance");
    return 0;
}

/* Adds the payment to the order's list. Returns the reply, new. */
static json_t *store_payment(const struct call *call, struct object *order, const json_t *body)
{
    char id[24], date[DATE_SIZE];
    const char *time = json_string_value(json_object_get(body, "payment_time"));
    json_t *updated = object_json(order), *invoice = json_object_get(updated, "invoice_id");
    json_t *amount = json_object_get(body, "payment_amount"), *payment, *reply;

    snprintf(id, sizeof id, "%lld", (long long)(500000 + ++call->account->payments));
    date_iso(date, call->now_ms);
    payment = mem_check(json_pack(
        "{s:s,s:O,s:s,s:O,s:s,s:s,s:s,s:s,s:b}", "id", id, "amount", amount, "note",
        json_object_get(body, "notes") == NULL ? ""
                                               : json_string_value(json_object_get(body, "notes")),
        "invoice_id", invoice, "payment_id", id, "pay_time", time == NULL ? date : time,
        "pay_status", "MANUAL_PAID", "last_updated_time", date, "skip_commission",
        !json_is_true(json_object_get(body, "apply_to_commissions"))));
    reply = mem_check(json_pack("{s:s,s:O,s:O,s:s,s:s}", "id", id, "invoice_id", invoice,
                                "payment_amount", amount, "payment_status_message", "Approved",
                                "transaction_id", id));
    if (order->extra == NULL)
        order->extra = mem_check(json_array());
    json_array_append_new(order->extra, payment);
    order_set_balance(call, order, updated);
    order->updated_ms = call->now_ms;
    object_set_json(order, updated);
    return reply;
}

void payments_create(const struct call *call)
{
    struct object *order = collection_get_text(&call->account->orders, call->id);
    const json_t *body;
    int64_t minor;
    json_t *reply;
    char *effect, order_id[24];

    if (order == NULL) {
        call_not_found(call, "Order");
        return;
    }
    body = call_body(call, payment_members);
    if (body == NULL || check_payment(call, order, body, &minor) != 0)
        return;
    order->paid += minor;
    reply = store_payment(call, order, body);
    reply_json(call->reply, 201, json_incref(reply));
    snprintf(order_id, sizeof order_id, "%lld", (long long)order->id);
    json_object_set_new(reply, "order_id", json_string(order_id));
    effect = json_text(reply);
    reply_effect(call->reply, "made", "payment", effect);
    free(effect);
    json_decref(reply);
}
