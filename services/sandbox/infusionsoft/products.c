/* products.c - products of the account. Two products may have the same SKU. */
#include "infusionsoft/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "world.h"

#define STRING(name)                                                                               \
    {                                                                                              \
        name, SCHEMA_STRING, 0, 0, NULL, NULL                                                      \
    }
#define BOOLEAN(name)                                                                              \
    {                                                                                              \
        name, SCHEMA_BOOLEAN, 0, 0, NULL, NULL                                                     \
    }

static const struct schema_member inventory_members[] = {
    {"inventory_limit", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"inventory_count", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    BOOLEAN("out_of_stock_enabled"),
    STRING("email_for_inventory_notifications"),
    {0}};

static const struct schema_member product_members[] = {
    {"name", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"sku", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"price", SCHEMA_INTEGER, SCHEMA_REQUIRED, 0, NULL, NULL},
    BOOLEAN("active"),
    STRING("description"),
    BOOLEAN("shippable"),
    {"weight", SCHEMA_NUMBER, 0, 0, NULL, NULL},
    BOOLEAN("taxable"),
    {"inventory", SCHEMA_OBJECT, 0, 0, NULL, inventory_members},
    {"short_description", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 0, NULL, NULL},
    BOOLEAN("subscription_only"),
    BOOLEAN("storefront_hidden"),
    BOOLEAN("country_taxable"),
    BOOLEAN("state_taxable"),
    BOOLEAN("city_taxable"),
    STRING("top_html"),
    STRING("bottom_html"),
    BOOLEAN("is_package"),
    BOOLEAN("needs_digital_delivery"),
    STRING("delivery_description"),
    {0}};

static const struct schema_member product_changes[] = {
    {"name", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"sku", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"price", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    BOOLEAN("active"),
    STRING("description"),
    BOOLEAN("shippable"),
    {"weight", SCHEMA_NUMBER, 0, 0, NULL, NULL},
    BOOLEAN("taxable"),
    {"short_description", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"inventory_limit", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    BOOLEAN("out_of_stock_enabled"),
    BOOLEAN("subscription_only"),
    BOOLEAN("storefront_hidden"),
    BOOLEAN("country_taxable"),
    BOOLEAN("state_taxable"),
    BOOLEAN("city_taxable"),
    {0}};

void products_list(const struct call *call)
{
    static const struct filter_field fields[] = {{"name", NULL, FILTER_TEXT_WILDCARD},
                                                 {"sku", NULL, FILTER_TEXT_WILDCARD},
                                                 {"description", NULL, FILTER_TEXT_WILDCARD},
                                                 {"short_description", NULL, FILTER_TEXT_WILDCARD},
                                                 {"product_id", NULL, FILTER_ID},
                                                 {"product_ids", NULL, FILTER_IDS},
                                                 {0}};
    static const char *const order_by[] = {"id", "name", "sku", "last_updated_time", NULL};
    struct list_query query = {.fields = fields, .order_by = order_by};

    query.visible_until_ms = call_visible_until(call);
    collection_list(&call->account->products, call->request, &query, call->reply);
}

/* Writes the product into the object. product is in reply form, except that its price is in the
 * smallest unit. */
static void store(const struct call *call, struct object *object, json_t *product)
{
    static const char *const names[] = {"name", "sku", "description", "short_description", NULL};
    struct collection *products = &call->account->products;
    char date[DATE_SIZE];

    json_object_set_new(product, "price", call_money(call, object->amount));
    json_object_set_new(product, "update_time", json_string(date_iso(date, call->now_ms)));
    for (const char *const *name = names; *name != NULL; name++) {
        const char *text = json_string_value(json_object_get(product, *name));
        object_drop_values(products, object, *name, NULL);
        if (text != NULL)
            object_add_value(products, object, *name, text, call->now_ms);
    }
    object->updated_ms = call->now_ms;
    object_set_json(object, product);
}

void products_create(const struct call *call)
{
    const json_t *body = call_body(call, product_members);
    struct object *object;
    json_t *product;
    int64_t price;
    char id[24], date[DATE_SIZE];

    if (body == NULL)
        return;
    price = json_integer_value(json_object_get(body, "price"));
    if (price < 0) {
        reply_is_error(call->reply, 400, "price must not be negative");
        return;
    }
    object = collection_add(&call->account->products, call->now_ms);
    object->amount = price;
    snprintf(id, sizeof id, "%lld", (long long)object->id);
    product = mem_check(json_pack("{s:s,s:b,s:s}", "id", id, "active", 1, "create_time",
                                  date_iso(date, call->now_ms)));
    json_object_update(product, (json_t *)body);
    store(call, object, product);
    call_reply_object(call, 201, object);
    reply_effect(call->reply, "made", "product", object->text);
}

void products_get(const struct call *call)
{
    const struct object *object = collection_get_text(&call->account->products, call->id);

    if (object == NULL)
        call_not_found(call, "Product");
    else
        call_reply_object(call, 200, object);
}

void products_patch(const struct call *call)
{
    struct object *object = collection_get_text(&call->account->products, call->id);
    const json_t *body;
    json_t *mask, *product;
    const char *name;
    json_t *value;

    if (object == NULL) {
        call_not_found(call, "Product");
        return;
    }
    body = call_body(call, product_changes);
    mask = body == NULL ? NULL : call_update_mask(call, product_changes);
    if (mask == NULL)
        return;
    product = object_json(object);
    json_object_foreach((json_t *)body, name, value)
    {
        int named = json_array_size(mask) == 0;
        for (size_t i = 0; i < json_array_size(mask); i++)
            named |= strcmp(json_string_value(json_array_get(mask, i)), name) == 0;
        if (named && strcmp(name, "price") == 0)
            object->amount = json_integer_value(value);
        else if (named)
            json_object_set(product, name, value);
    }
    json_decref(mask);
    store(call, object, product);
    call_reply_object(call, 200, object);
    reply_effect(call->reply, "changed", "product", object->text);
}
