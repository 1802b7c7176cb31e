/* orders.c - orders of the account. Totals are computed in whole smallest units of the account's
 * currency, so that a rounding error cannot stay unseen. */
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

static const char *const order_types[] = {"ONLINE", "OFFLINE", NULL};
static const char *const item_types[] = {"PRODUCT",
                                         "SHIPPING",
                                         "TAX",
                                         "FINANCE_CHARGE",
                                         "SUBSCRIPTION",
                                         "DISCOUNT",
                                         "DISCOUNT_FREE_TRIAL",
                                         "DISCOUNT_ORDER_TOTAL",
                                         "DISCOUNT_PRODUCT",
                                         "DISCOUNT_PRODUCT_CATEGORY",
                                         "DISCOUNT_SHIPPING",
                                         "OTHER",
                                         "FEE",
                                         NULL};

static const struct schema_member item_members[] = {
    {"name", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"description", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"quantity", SCHEMA_INTEGER, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"notes", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"product_id", SCHEMA_ID, 0, 0, NULL, NULL},
    STRING("subscription_plan_id"),
    STRING("subscription_plan_description"),
    {"item_type", SCHEMA_STRING, 0, 0, item_types, NULL},
    {"price_per_unit", SCHEMA_NUMBER, 0, 0, NULL, NULL},
    {"cost_per_unit", SCHEMA_NUMBER, 0, 0, NULL, NULL},
    {0}};

static const struct schema_member address_members[] = {
    STRING("line1"),
    STRING("line2"),
    STRING("locality"),
    STRING("region"),
    STRING("company"),
    STRING("phone"),
    STRING("zip_code"),
    STRING("zip_four"),
    STRING("country_code"),
    STRING("first_name"),
    STRING("middle_name"),
    STRING("last_name"),
    {"is_invoice_to_company", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {0}};

static const struct schema_member custom_members[] = {
    {"id", SCHEMA_ID, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"content", SCHEMA_ANY, 0, 0, NULL, NULL},
    {0}};

static const struct schema_member order_members[] = {
    STRING("notes"),
    STRING("terms"),
    STRING("title"),
    {"contact_id", SCHEMA_ID, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"order_items", SCHEMA_OBJECTS, 0, 0, NULL, item_members},
    {"order_title", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"order_time", SCHEMA_TIME, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"order_type", SCHEMA_STRING, SCHEMA_REQUIRED, 0, order_types, NULL},
    {"promo_codes", SCHEMA_STRINGS, 0, 0, NULL, NULL},
    STRING("lead_affiliate_id"),
    STRING("sales_affiliate_id"),
    {"shipping_address", SCHEMA_OBJECT, 0, 0, NULL, address_members},
    {"custom_fields", SCHEMA_OBJECTS, 0, 0, NULL, custom_members},
    TIME("sent_time"),
    TIME("due_time"),
    STRING("invoice_number"),
    STRING("external_create_user"),
    TIME("external_create_time"),
    TIME("external_update_time"),
    {0}};

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static const char *item_type(const json_t *item)
{
    const char *type = json_string_value(json_object_get(item, "item_type"));

    return type == NULL ? "PRODUCT" : type;
}

/* Price of one piece in smallest units: the given one, else the product's own, else 0. */
static int item_price(const struct call *call, const json_t *item, const struct object *product,
                      int64_t *minor)
{
    const json_t *price = json_object_get(item, "price_per_unit");

    *minor = product != NULL ? product->amount : 0;
    return price != NULL ? call_price(call, "price_per_unit", price, minor) : 0;
}

/* Makes {"id"} and those values of the object that are known without parsing it. */
static json_t *summary_of(const struct object *object, const char *const *names)
{
    json_t *summary =
        mem_check(json_pack("{s:o}", "id", json_sprintf("%lld", (long long)object->id)));

    for (; *names != NULL; names++) {
        const char *text = object_value(object, *names);
        if (text != NULL)
            json_object_set_new(summary, *names, json_string(text));
    }
    return summary;
}

static json_t *stored_product(const struct object *product)
{
    static const char *const names[] = {"name", "sku", NULL};

    return summary_of(product, names);
}

/* Makes the stored form of an item and adds its amount to total. NULL when it has answered. */
static json_t *store_item(const struct call *call, const json_t *item, int64_t item_id,
                          int64_t *total)
{
    const char *type = item_type(item), *product_id = text_at(item, "product_id");
    int64_t quantity = json_integer_value(json_object_get(item, "quantity")), price, amount;
    const struct object *product = collection_get_text(&call->account->products, product_id);
    char id[24];
    json_t *stored;

    if (quantity < 1 || quantity > INT32_MAX) {
        reply_is_error(call->reply, 400, "quantity must be at least 1");
        return NULL;
    }
    if (product == NULL && (strcmp(type, "PRODUCT") == 0 || *product_id != '\0')) {
        reply_is_error(call->reply, 400, "Product does not exist: %.50s",
                       *product_id == '\0' ? "product_id is required" : product_id);
        return NULL;
    }
    if (item_price(call, item, product, &price) != 0)
        return NULL;
    amount = price * quantity;
    if (call->world->settings.discount_positive && strncmp(type, "DISCOUNT", 8) == 0)
        amount = -amount;
    *total += amount;
    snprintf(id, sizeof id, "%lld", (long long)item_id);
    stored = mem_check(json_pack("{s:s,s:s,s:I,s:o}", "id", id, "item_type", type, "quantity",
                                 quantity, "price_per_unit", call_money(call, price)));
    if (json_object_get(item, "name") != NULL)
        json_object_set(stored, "name", json_object_get(item, "name"));
    if (json_object_get(item, "description") != NULL)
        json_object_set(stored, "description", json_object_get(item, "description"));
    if (json_object_get(item, "notes") != NULL)
        json_object_set(stored, "notes", json_object_get(item, "notes"));
    if (product != NULL)
        json_object_set_new(stored, "product", stored_product(product));
    return stored;
}

/* Makes all items. NULL when it has answered. */
static json_t *store_items(const struct call *call, const json_t *items, int64_t *total)
{
    int64_t first_id = (int64_t)(call->account->orders.count + 1) * 1000;
    json_t *list = mem_check(json_array());

    *total = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = store_item(call, json_array_get(items, i), first_id + (int64_t)i, total);
        if (item == NULL) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static int check_address(const struct call *call, const json_t *address)
{
    const struct geo *geo = &call->world->geo;
    const char *region = text_at(address, "region"), *country = text_at(address, "country_code");
    const char *spelling = call->world->settings.order_region;

    if (address == NULL)
        return 0;
    if (json_object_get(address, "country_code") != NULL && !geo_country(geo, country))
        return reply_is_error(call->reply, 400, "SHIPPING Country is invalid");
    if (json_object_get(address, "region") == NULL)
        return 0;
    if (*country == '\0' ||
        (strcmp(spelling, "code") == 0 && !geo_region_code(geo, country, region)) ||
        (strcmp(spelling, "name") == 0 && !geo_region_name(geo, country, region)))
        return reply_is_error(call->reply, 400, "SHIPPING Region is invalid");
    return 0;
}

/* The address with the member names that replies use. */
static json_t *stored_shipping(const json_t *address, int64_t id)
{
    static const char *const names[][2] = {{"line1", "line1"},
                                           {"line2", "line2"},
                                           {"locality", "locality"},
                                           {"region", "region"},
                                           {"zip_code", "zip_code"},
                                           {"zip_four", "zip_four"},
                                           {"country_code", "country_code"}};
    static const char *const outer[][2] = {{"first_name", "given_name"},
                                           {"last_name", "family_name"},
                                           {"company", "company"},
                                           {"phone", "phone_number"},
                                           {"is_invoice_to_company", "invoice_to_company"}};
    json_t *stored = json_object(), *inner = json_object();
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    json_object_set_new(stored, "id", json_string(text));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_object_get(address, names[i][0]) != NULL)
            json_object_set(inner, names[i][1], json_object_get(address, names[i][0]));
    for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++)
        if (json_object_get(address, outer[i][0]) != NULL)
            json_object_set(stored, outer[i][1], json_object_get(address, outer[i][0]));
    json_object_set_new(stored, "address", inner);
    return stored;
}

static json_t *stored_contact(const struct object *contact)
{
    static const char *const names[] = {"email", "given_name", "family_name", NULL};

    return summary_of(contact, names);
}

void order_set_balance(const struct call *call, struct object *object, json_t *order)
{
    int64_t total = object->amount + call->world->settings.total_off_by_cents;

    json_object_set_new(order, "total", call_money(call, total));
    json_object_set_new(order, "total_paid", call_money(call, object->paid));
    json_object_set_new(order, "total_due", call_money(call, total - object->paid));
    json_object_set_new(order, "refund_total", call_money(call, 0));
    json_object_set_new(
        order, "status",
        json_string(object->paid >= object->amount && object->amount > 0 ? "PAID" : "DRAFT"));
}

/* Makes the order. It takes items. */
static json_t *stored_order(const struct call *call, struct object *object, const json_t *body,
                            const struct object *contact, json_t *items)
{
    static const char *const copied[] = {"notes",
                                         "terms",
                                         "order_type",
                                         "order_time",
                                         "custom_fields",
                                         "sent_time",
                                         "due_time",
                                         "lead_affiliate_id",
                                         "sales_affiliate_id",
                                         "external_create_user",
                                         "external_create_time",
                                         "external_update_time",
                                         NULL};
    char id[24], invoice[24], date[DATE_SIZE];
    json_t *order;

    snprintf(id, sizeof id, "%lld", (long long)object->id);
    snprintf(invoice, sizeof invoice, "%lld", (long long)object->id + 1000000);
    date_iso(date, call->now_ms);
    order = mem_check(json_pack("{s:s,s:O,s:o,s:s,s:s,s:s,s:s,s:o}", "id", id, "title",
                                json_object_get(body, "order_title"), "contact",
                                stored_contact(contact), "source_type", "API", "creation_time",
                                date, "modification_time", date, "invoice_id", invoice,
                                "order_items", items));
    for (const char *const *name = copied; *name != NULL; name++)
        if (json_object_get(body, *name) != NULL)
            json_object_set(order, *name, json_object_get(body, *name));
    if (json_object_get(body, "shipping_address") != NULL)
        json_object_set_new(order, "shipping_information",
                            stored_shipping(json_object_get(body, "shipping_address"), object->id));
    order_set_balance(call, object, order);
    return order;
}

static void index_order(const struct call *call, struct object *object, const json_t *body)
{
    struct collection *orders = &call->account->orders;
    const json_t *address = json_object_get(body, "shipping_address");

    object_add_value(orders, object, "title", text_at(body, "order_title"), call->now_ms);
    object_add_value(orders, object, "contact_id", text_at(body, "contact_id"), call->now_ms);
    object_add_value(orders, object, "order_type", text_at(body, "order_type"), call->now_ms);
    object_add_value(orders, object, "order_time", text_at(body, "order_time"), call->now_ms);
    if (address != NULL) {
        object_add_value(orders, object, "shipping_locality", text_at(address, "locality"),
                         call->now_ms);
        object_add_value(orders, object, "shipping_postal_code", text_at(address, "zip_code"),
                         call->now_ms);
        object_add_value(orders, object, "shipping_country_code", text_at(address, "country_code"),
                         call->now_ms);
    }
    call_index_custom_fields(call, orders, object, &call->account->order_model,
                             json_object_get(body, "custom_fields"));
}

void orders_create(const struct call *call)
{
    const json_t *body = call_body(call, order_members);
    const struct object *contact;
    struct object *object;
    json_t *items;
    int64_t total;

    if (body == NULL)
        return;
    contact = collection_get_text(&call->account->contacts, text_at(body, "contact_id"));
    if (contact == NULL) {
        reply_is_error(call->reply, 400, "Contact does not exist: %.50s",
                       text_at(body, "contact_id"));
        return;
    }
    if (call_custom_fields(call, &call->account->order_model,
                           json_object_get(body, "custom_fields")) != 0 ||
        check_address(call, json_object_get(body, "shipping_address")) != 0)
        return;
    items = store_items(call, json_object_get(body, "order_items"), &total);
    if (items == NULL)
        return;
    object = collection_add(&call->account->orders, call->now_ms);
    object->amount = total;
    object_set_json(object, stored_order(call, object, body, contact, items));
    index_order(call, object, body);
    call_reply_object(call, 201, object);
    reply_effect(call->reply, "made", "order", object->text);
}

void orders_list(const struct call *call)
{
    static const struct filter_field fields[] = {
        {"id", NULL, FILTER_ID},
        {"ids", NULL, FILTER_IDS},
        {"contact_id", NULL, FILTER_TEXT},
        {"title", NULL, FILTER_TEXT_WILDCARD},
        {"order_type", NULL, FILTER_TEXT},
        {"created_since_time", NULL, FILTER_CREATED_SINCE},
        {"created_until_time", NULL, FILTER_CREATED_UNTIL},
        {"modified_since_time", NULL, FILTER_UPDATED_SINCE},
        {"modified_until_time", NULL, FILTER_UPDATED_UNTIL},
        {"shipping_locality", NULL, FILTER_TEXT},
        {"shipping_postal_code", NULL, FILTER_TEXT},
        {"shipping_country_code", NULL, FILTER_TEXT},
        {0}};
    static const char *const order_by[] = {"id", "order_time", "modification_time", NULL};
    struct list_query query = {.fields = fields, .order_by = order_by};

    query.custom_fields = &call->account->order_model.by_name;
    query.visible_until_ms = call_visible_until(call);
    collection_list(&call->account->orders, call->request, &query, call->reply);
}

void orders_get(const struct call *call)
{
    const struct object *object = collection_get_text(&call->account->orders, call->id);

    if (object == NULL)
        call_not_found(call, "Order");
    else
        call_reply_object(call, 200, object);
}

void orders_delete(const struct call *call)
{
    struct object *object = collection_get_text(&call->account->orders, call->id);
    char effect[64];

    if (object == NULL) {
        call_not_found(call, "Order");
        return;
    }
    if (json_array_size(object->extra) > 0) {
        reply_is_error(call->reply, 409, "Order has transactions and cannot be deleted");
        return;
    }
    snprintf(effect, sizeof effect, "{\"id\":\"%lld\"}", (long long)object->id);
    object_delete(&call->account->orders, object);
    reply_text(call->reply, 204, "", 0);
    reply_effect(call->reply, "removed", "order", effect);
}
