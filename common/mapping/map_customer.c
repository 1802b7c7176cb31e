#include <stdio.h>

#include "base/date.h"
#include "base/text.h"
#include "mapping/customer.h"

/* A member of a customer, or of an address of one, and where it goes. */
struct source {
    const char *name;
    enum address_field field;
};

static const struct source person_sources[] = {
    {"first_name", ADDRESS_FIRST_NAME}, {"last_name", ADDRESS_LAST_NAME},
    {"company", ADDRESS_COMPANY},       {"phone", ADDRESS_PHONE},
    {"email", ADDRESS_EMAIL},
};
static const struct source place_sources[] = {
    {"address1", ADDRESS_STREET_1}, {"address2", ADDRESS_STREET_2},
    {"city", ADDRESS_CITY},         {"state_or_province", ADDRESS_STATE},
    {"postal_code", ADDRESS_ZIP},   {"country_code", ADDRESS_COUNTRY_ISO2},
};

static void read_texts(struct address *address, yyjson_val *object, const struct source *sources,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        yyjson_val *value = yyjson_obj_get(object, sources[i].name);
        enum address_field field = sources[i].field;

        address->texts[field] = text_trim(json_text(value));
        if (address->texts[field].data == NULL && !json_is_absent(value))
            address->unreadable |= 1u << field;
    }
}

#define READ_TEXTS(address, object, sources)                                                       \
    read_texts(address, object, sources, sizeof(sources) / sizeof((sources)[0]))

int customer_read(struct customer *customer, yyjson_val *root, struct error *err)
{
    yyjson_val *email = yyjson_obj_get(root, "email");
    yyjson_val *addresses = yyjson_obj_get(root, "addresses");
    struct address *billing = &customer->person.billing;

    *customer = (struct customer){.modified_at_ms = -1};
    if (!yyjson_is_obj(root))
        return error_set(err, ERROR_PERMANENT, "the customer is no JSON object");
    if (text_to_int(json_text(yyjson_obj_get(root, "id")), &customer->id) != 0 || customer->id < 1)
        return error_set(err, ERROR_PERMANENT, "the customer has no id");
    if (!json_is_absent(email) && !yyjson_is_str(email))
        return error_set(err, ERROR_PERMANENT, "customer: email is not a string");
    if (!json_is_absent(addresses) && !yyjson_is_arr(addresses))
        return error_set(err, ERROR_PERMANENT, "customer: addresses is not a list");
    if (date_parse_utc(json_text(yyjson_obj_get(root, "date_modified")),
                       &customer->modified_at_ms) != 0)
        customer->modified_at_ms = -1;
    if (text_to_int(json_text(yyjson_obj_get(root, "customer_group_id")), &customer->group_id) != 0)
        customer->group_id = 0;
    customer->group =
        text_trim(json_text(yyjson_obj_get(yyjson_obj_get(root, "bigfusion"), "customer_group")));
    READ_TEXTS(billing, root, person_sources);
    READ_TEXTS(billing, yyjson_arr_get(addresses, 0), place_sources);
    if (yyjson_arr_size(addresses) > 1) {
        customer->has_shipping = 1;
        READ_TEXTS(&customer->shipping, yyjson_arr_get(addresses, 1), place_sources);
    }
    return 0;
}

int customer_open(struct customer *customer, struct text value, struct text id, struct error *err)
{
    yyjson_doc *doc =
        value.length == 0 ? NULL : yyjson_read(value.data, value.length, YYJSON_READ_NUMBER_AS_RAW);
    int64_t wanted = 0;

    *customer = (struct customer){0};
    if (doc == NULL)
        return error_set(err, ERROR_PERMANENT, "the record is not JSON");
    if (customer_read(customer, yyjson_doc_get_root(doc), err) == 0 && id.length > 0 &&
        (text_to_int(id, &wanted) != 0 || wanted != customer->id))
        error_set(err, ERROR_PERMANENT, "the customer's id is not that of the key");
    if (err->kind != ERROR_NONE) {
        yyjson_doc_free(doc);
        return -1;
    }
    customer->doc = doc;
    return 0;
}

void customer_close(struct customer *customer)
{
    yyjson_doc_free(customer->doc);
    *customer = (struct customer){0};
}

int64_t customer_version(const struct customer *customer, const struct event *event)
{
    const struct order order = {.modified_at_ms = customer->modified_at_ms};

    return order_version(&order, event);
}

/* The list of orders tells whether a shopper allowed marketing, and the customer does not: its
 * member accepts_product_review_abandoned_cart_emails is about two kinds of mail alone. So only
 * opt_in = always brings a permission here. */
void map_customer(struct map *map, const struct map_settings *settings,
                  const struct customer *customer, int64_t modified_at_ms, struct buffer *out)
{
    const struct tag_value values[] = {{"group", customer->group},
                                       {"code", text_of(settings->store->code)}};

    map->shipping = customer->shipping;
    map->has_shipping = customer->has_shipping;
    json_write_literal(out, "{\"format\":1,\"kind\":\"contact\",\"account\":");
    json_write_text(out, text_of(settings->account->name), SIZE_MAX);
    json_write_literal(out, ",\"store\":");
    json_write_text(out, text_of(settings->store->hash), SIZE_MAX);
    buffer_printf(out, ",\"modified_at\":%lld,\"contact\":", (long long)modified_at_ms);
    map_write_contact(map, settings, &customer->person, out);
    tag_list_reset(&map->tags);
    if (customer->group.length > 0)
        tag_list_add(&map->tags, settings->store->group_tag, values, 2);
    json_write_literal(out, ",\"tags\":");
    tag_list_write(&map->tags, out);
    map_write_left_out(map, settings, &customer->person, out);
    json_write_literal(out, "}");
}
