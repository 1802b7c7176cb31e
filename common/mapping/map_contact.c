#include "mapping/map.h"

/* A string literal as struct text. The compiler computes its length. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define TEXT_VALUE(literal) ((struct text)TEXT(literal))

/* One member of an address: which text it takes, under which name it is written, how long it may
 * be. */
struct member {
    enum address_field field;
    struct text prefix; /* `,"name":` */
    size_t max_chars;
};

static const struct member billing_members[] = {
    {ADDRESS_STREET_1, TEXT(",\"line1\":"), 75},
    {ADDRESS_STREET_2, TEXT(",\"line2\":"), 75},
    {ADDRESS_CITY, TEXT(",\"locality\":"), 50},
    {ADDRESS_ZIP, TEXT(",\"postal_code\":"), 15},
};

static const struct member shipping_members[] = {
    {ADDRESS_STREET_1, TEXT(",\"line1\":"), 100},
    {ADDRESS_STREET_2, TEXT(",\"line2\":"), 100},
    {ADDRESS_CITY, TEXT(",\"locality\":"), 100},
    {ADDRESS_ZIP, TEXT(",\"postal_code\":"), 20},
};

/* The shipping address inside an order has other member names than a contact's address, and no
 * limits. */
static const struct member order_members[] = {
    {ADDRESS_FIRST_NAME, TEXT(",\"first_name\":"), SIZE_MAX},
    {ADDRESS_LAST_NAME, TEXT(",\"last_name\":"), SIZE_MAX},
    {ADDRESS_COMPANY, TEXT(",\"company\":"), SIZE_MAX},
    {ADDRESS_PHONE, TEXT(",\"phone\":"), SIZE_MAX},
    {ADDRESS_STREET_1, TEXT(",\"line1\":"), SIZE_MAX},
    {ADDRESS_STREET_2, TEXT(",\"line2\":"), SIZE_MAX},
    {ADDRESS_CITY, TEXT(",\"locality\":"), SIZE_MAX},
    {ADDRESS_ZIP, TEXT(",\"zip_code\":"), SIZE_MAX},
};

enum { NAME_CHARS_MAX = 40, PHONE_CHARS_MAX = 40 };

/* Writes `,"name":"text"`, or nothing when the text is empty. */
static void write_member(struct buffer *out, struct text prefix, struct text text, size_t max_chars)
{
    if (text.length == 0)
        return;
    json_write_raw(out, prefix.data, prefix.length);
    json_write_text(out, text, max_chars);
}

static void write_members(struct buffer *out, const struct member *members, size_t count,
                          const struct address *address)
{
    for (size_t i = 0; i < count; i++)
        write_member(out, members[i].prefix, address->texts[members[i].field],
                     members[i].max_chars);
}

#define WRITE_MEMBERS(out, members, address)                                                       \
    write_members(out, members, sizeof(members) / sizeof((members)[0]), address)

static void write_country(struct buffer *out, const struct regions *regions,
                          const struct address *address)
{
    write_member(out, TEXT_VALUE(",\"country_code\":"),
                 text_of(regions_country(regions, address->texts[ADDRESS_COUNTRY_ISO2])), SIZE_MAX);
}

/* The region's code, or an empty text. Infusionsoft refuses a region that it does not know, and a
 * region whose country is missing. */
static struct text region_code(const struct regions *regions, const struct address *address)
{
    struct text alpha2 = address->texts[ADDRESS_COUNTRY_ISO2];

    if (regions_country(regions, alpha2) == NULL)
        return (struct text){NULL, 0};
    return text_of(regions_code(regions, alpha2, address->texts[ADDRESS_STATE]));
}

/* Writes one of the contact's addresses, or nothing when it is empty. */
static void write_contact_address(struct buffer *out, const struct regions *regions,
                                  const struct address *address, int is_billing)
{
    size_t start = out->length, head;

    if (is_billing)
        json_write_literal(out, "{\"field\":\"BILLING\"");
    else
        json_write_literal(out, "{\"field\":\"SHIPPING\"");
    head = out->length;
    if (is_billing)
        WRITE_MEMBERS(out, billing_members, address);
    else
        WRITE_MEMBERS(out, shipping_members, address);
    write_country(out, regions, address);
    write_member(out, TEXT_VALUE(",\"region_code\":"), region_code(regions, address), SIZE_MAX);
    if (out->length == head)
        out->length = start;
    else
        json_write_literal(out, "},");
}

static void write_addresses(const struct map *map, const struct regions *regions,
                            const struct order *order, struct buffer *out)
{
    size_t start = out->length, head;

    json_write_literal(out, ",\"addresses\":[");
    head = out->length;
    write_contact_address(out, regions, &order->billing, 1);
    if (map->has_shipping)
        write_contact_address(out, regions, &map->shipping, 0);
    if (out->length == head)
        out->length = start;
    else
        out->data[out->length - 1] = ']'; /* overwrites the last comma */
}

static int may_opt_in(const struct map_settings *settings, const struct order *order)
{
    return settings->store->opt_in == OPT_IN_ALWAYS ||
           (settings->store->opt_in == OPT_IN_OPTED_IN &&
            yyjson_is_true(order->fields[ORDER_OPT_IN]));
}

void map_write_contact(const struct map *map, const struct map_settings *settings,
                       const struct order *order, struct buffer *out)
{
    const struct text *texts = order->billing.texts;

    json_write_literal(out, "{\"email_addresses\":[{\"email\":");
    json_write_text(out, texts[ADDRESS_EMAIL], SIZE_MAX);
    json_write_literal(out, ",\"field\":\"EMAIL1\"");
    if (may_opt_in(settings, order))
        write_member(out, TEXT_VALUE(",\"opt_in_reason\":"),
                     text_of(settings->account->opt_in_reason), SIZE_MAX);
    json_write_literal(out, "}]");
    write_member(out, TEXT_VALUE(",\"given_name\":"), texts[ADDRESS_FIRST_NAME], NAME_CHARS_MAX);
    write_member(out, TEXT_VALUE(",\"family_name\":"), texts[ADDRESS_LAST_NAME], NAME_CHARS_MAX);
    if (texts[ADDRESS_PHONE].length > 0) {
        json_write_literal(out, ",\"phone_numbers\":[{\"number\":");
        json_write_text(out, texts[ADDRESS_PHONE], PHONE_CHARS_MAX);
        json_write_literal(out, ",\"field\":\"PHONE1\"}]");
    }
    write_addresses(map, settings->regions, order, out);
    json_write_literal(out, "}");
}

void map_write_shipping_address(const struct map *map, const struct map_settings *settings,
                                struct buffer *out)
{
    size_t start = out->length, head;

    if (!map->has_shipping)
        return;
    json_write_literal(out, ",\"shipping_address\":");
    head = out->length;
    WRITE_MEMBERS(out, order_members, &map->shipping);
    if (settings->account->shipping_region == SHIPPING_REGION_NAME)
        write_member(out, TEXT_VALUE(",\"region\":"), map->shipping.texts[ADDRESS_STATE], SIZE_MAX);
    else if (settings->account->shipping_region == SHIPPING_REGION_CODE)
        write_member(out, TEXT_VALUE(",\"region\":"),
                     region_code(settings->regions, &map->shipping), SIZE_MAX);
    write_country(out, settings->regions, &map->shipping);
    if (out->length == head) {
        out->length = start;
        return;
    }
    out->data[head] = '{'; /* overwrites the first comma */
    json_write_literal(out, "}");
}
