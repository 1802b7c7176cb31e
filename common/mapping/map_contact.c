#include <stdio.h>

#include "base/text.h"
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

/* The list of what is left out, while it is written. */
struct left_out {
    struct buffer *out;
    const char *where; /* "billing", "shipping" */
};

/* Adds `,"billing line1: cut to 75 characters"`. max_chars: 0: the text is left out as a whole. */
static void note(const struct left_out *list, const char *member, const char *why, size_t max_chars)
{
    buffer_printf(list->out, ",\"%s %s: %s", list->where, member, why);
    if (max_chars > 0)
        buffer_printf(list->out, "%zu characters", max_chars);
    json_write_literal(list->out, "\"");
}

/* Adds what became of one text of an address: it is no text, or it is longer than the member takes. */
static void note_text(const struct left_out *list, const struct address *address,
                      enum address_field field, const char *member, size_t max_chars)
{
    if ((address->unreadable >> field & 1) != 0)
        note(list, member, "neither text nor number", 0);
    else if (address->texts[field].length > max_chars &&
             text_count_chars(address->texts[field]) > max_chars)
        note(list, member, "cut to ", max_chars);
}

/* The name of a member without the signs that it is written with: `,"line1":`. */
static void note_member(const struct left_out *list, const struct address *address,
                        const struct member *member)
{
    char name[32];

    snprintf(name, sizeof(name), "%.*s", (int)member->prefix.length - 4, member->prefix.data + 2);
    note_text(list, address, member->field, name, member->max_chars);
}

/* Adds what a contact's address does not carry of the store's address. */
static void note_address(const struct left_out *list, const struct regions *regions,
                         const struct address *address, const struct member *members, size_t count)
{
    const struct text *texts = address->texts;

    for (size_t i = 0; i < count; i++)
        note_member(list, address, &members[i]);
    note_text(list, address, ADDRESS_COUNTRY_ISO2, "country_code", SIZE_MAX);
    note_text(list, address, ADDRESS_STATE, "region_code", SIZE_MAX);
    if (texts[ADDRESS_COUNTRY_ISO2].length > 0 &&
        regions_country(regions, texts[ADDRESS_COUNTRY_ISO2]) == NULL)
        note(list, "country_code", "not known", 0);
    if (texts[ADDRESS_STATE].length > 0 && region_code(regions, address).length == 0)
        note(list, "region_code", "not known", 0);
}

/* Adds what the order's notes do not carry. */
static void note_notes(const struct map_settings *settings, const struct order *order,
                       struct buffer *out)
{
    struct left_out list = {out, "order"};
    yyjson_val *message = order->fields[ORDER_CUSTOMER_MESSAGE];

    if (settings->store->order_notes == ORDER_NOTES_OFF || message == NULL ||
        yyjson_is_null(message))
        return;
    if (!yyjson_is_str(message) && !yyjson_is_raw(message))
        note(&list, "notes", "neither text nor number", 0);
    else if (text_count_chars(text_trim(json_text(message))) > MAP_NOTES_CHARS_MAX)
        note(&list, "notes", "cut to ", MAP_NOTES_CHARS_MAX);
}

/* Adds what became of one setting field.LABEL. The note names the path, with blanks for the dots. */
static void note_field(const struct order *order, const struct config_field *field,
                       struct buffer *out)
{
    struct left_out list = {out, "field"};
    struct text content;
    enum map_field_state state = map_read_field(order, field, &content);
    char member[80];

    snprintf(member, sizeof(member), "%s", field->path);
    for (char *dot = strchr(member, '.'); dot != NULL; dot = strchr(dot, '.'))
        *dot = ' ';
    if (state == MAP_FIELD_ABSENT)
        note(&list, member, "not in the order", 0);
    else if (state == MAP_FIELD_NO_TEXT)
        note(&list, member, "neither text nor number", 0);
    else if (content.length > MAP_FIELD_CHARS_MAX &&
             text_count_chars(content) > MAP_FIELD_CHARS_MAX)
        note(&list, member, "cut to ", MAP_FIELD_CHARS_MAX);
}

/* Adds the kinds of goals that have no call name. */
static void note_goals(const struct map *map, struct buffer *out)
{
    struct left_out list = {out, "goal"};

    for (enum map_goal kind = 0; kind < MAP_GOAL_COUNT; kind++)
        if (map->nameless_goals >> kind & 1)
            note(&list, kind == MAP_GOAL_SKU ? "sku" : "coupon", "neither letter nor digit", 0);
}

/* Adds what only an order has. */
static void note_order(const struct map *map, const struct map_settings *settings,
                       const struct order *order, struct buffer *out)
{
    note_notes(settings, order, out);
    for (int i = 0; i < settings->store->fields.count; i++)
        note_field(order, &settings->store->fields.list[i], out);
    note_goals(map, out);
}

void map_write_left_out(const struct map *map, const struct map_settings *settings,
                        const struct order *order, struct buffer *out)
{
    static const enum address_field others[] = {ADDRESS_FIRST_NAME, ADDRESS_LAST_NAME,
                                                ADDRESS_COMPANY, ADDRESS_PHONE};
    static const char *const names[] = {"first_name", "last_name", "company", "phone"};
    struct left_out billing = {out, "billing"}, shipping = {out, "shipping"};
    size_t start = out->length, head;

    json_write_literal(out, ",\"left_out\":");
    head = out->length;
    note_text(&billing, &order->billing, ADDRESS_FIRST_NAME, "given_name", NAME_CHARS_MAX);
    note_text(&billing, &order->billing, ADDRESS_LAST_NAME, "family_name", NAME_CHARS_MAX);
    note_text(&billing, &order->billing, ADDRESS_PHONE, "phone", PHONE_CHARS_MAX);
    note_address(&billing, settings->regions, &order->billing, billing_members,
                 sizeof(billing_members) / sizeof(billing_members[0]));
    if (map->has_shipping) {
        for (int i = 0; i < 4; i++)
            note_text(&shipping, &map->shipping, others[i], names[i], SIZE_MAX);
        note_address(&shipping, settings->regions, &map->shipping, shipping_members,
                     sizeof(shipping_members) / sizeof(shipping_members[0]));
    }
    if (order->doc != NULL) /* the person of a customer comes without one: it is no order */
        note_order(map, settings, order, out);
    if (out->length == head) {
        out->length = start;
        return;
    }
    out->data[head] = '['; /* overwrites the first comma */
    json_write_literal(out, "]");
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
