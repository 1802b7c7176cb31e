#include <stdlib.h>
#include <string.h>

#include "base/currency.h"
#include "base/date.h"
#include "base/text.h"
#include "mapping/map.h"

void map_init(struct map *map)
{
    *map = (struct map){0};
    map_names_init(map);
}

void map_clear(struct map *map)
{
    free(map->lines);
    free(map->products);
    free(map->coupons);
    free(map->extras);
    tag_list_clear(&map->tags);
    tag_list_clear(&map->call_names);
    *map = (struct map){0};
}

/* Whether the price of one piece is whole cents. Where it is not, the line is sent with quantity
 * 1. */
static int has_whole_price(const struct map_line *line, money unit)
{
    return line->total % line->quantity == 0 && line->total / line->quantity % unit == 0;
}

static void write_price(const struct map *map, int64_t minor, struct buffer *out)
{
    char text[24];

    money_print_minor(text, minor, map->digits);
    json_write_raw(out, text, strlen(text));
    json_write_literal(out, "}");
}

static void write_product_line(const struct map *map, int index,
                               const struct map_settings *settings, struct buffer *out)
{
    const struct map_line *line = &map->lines[index];
    int whole = has_whole_price(line, money_minor_unit(map->digits));

    json_write_literal(out, "{\"item_type\":\"PRODUCT\",\"product\":");
    json_write_int(out, line->product);
    json_write_literal(out, ",\"name\":");
    map_write_line_name(settings, line, whole ? 1 : line->quantity, out);
    json_write_literal(out, ",\"quantity\":");
    json_write_int(out, whole ? line->quantity : 1);
    json_write_literal(out, ",\"price_per_unit\":");
    write_price(
        map, money_to_minor(whole ? line->total / line->quantity : line->total, map->digits), out);
}

static void write_items(const struct map *map, const struct map_settings *settings,
                        struct buffer *out)
{
    int positive = settings->account->discount_sign == DISCOUNT_POSITIVE;
    int written = map->line_count;

    json_write_literal(out, ",\"order_items\":[");
    for (int i = 0; i < map->line_count; i++) {
        if (i > 0)
            json_write_literal(out, ",");
        write_product_line(map, i, settings, out);
    }
    for (int i = 0; i < map->extra_count; i++) {
        const struct map_extra *extra = &map->extras[i];

        if (extra->minor == 0)
            continue;
        if (written++ > 0)
            json_write_literal(out, ",");
        json_write_literal(out, "{\"item_type\":\"");
        json_write_raw(out, extra->type, strlen(extra->type));
        json_write_literal(out, "\",\"name\":");
        json_write_text(out, extra->name, MAP_NAME_CHARS_MAX);
        json_write_literal(out, ",\"quantity\":1,\"price_per_unit\":");
        write_price(map, positive && extra->type[0] == 'D' ? -extra->minor : extra->minor, out);
    }
    json_write_literal(out, "]");
}

/* The store's customer wrote it, for the merchant. */
static void write_notes(const struct map_settings *settings, const struct order *order,
                        struct buffer *out)
{
    struct text message = text_trim(json_text(order->fields[ORDER_CUSTOMER_MESSAGE]));

    if (settings->store->order_notes == ORDER_NOTES_OFF || message.length == 0)
        return;
    json_write_literal(out, ",\"notes\":");
    json_write_text(out, message, MAP_NOTES_CHARS_MAX);
}

static void write_affiliate(const struct map_settings *settings, struct buffer *out)
{
    const char *id = settings->store->lead_affiliate_id;

    if (id[0] == '\0')
        return;
    json_write_literal(out, ",\"lead_affiliate_id\":\"");
    json_write_raw(out, id, strlen(id));
    json_write_literal(out, "\"");
}

static void write_order(const struct map *map, const struct map_settings *settings,
                        const struct order *order, struct buffer *out)
{
    char placed[DATE_ISO_BYTES];

    json_write_literal(out, "{\"order_title\":\"");
    json_write_part(out, text_of(settings->store->code), SIZE_MAX);
    json_write_literal(out, " #");
    json_write_raw(out, order->id.data, order->id.length);
    json_write_literal(out, "\",\"order_time\":\"");
    date_print_iso(placed, order->placed_at_ms);
    json_write_raw(out, placed, strlen(placed));
    json_write_literal(out, "\",\"order_type\":\"ONLINE\"");
    write_items(map, settings, out);
    map_write_shipping_address(map, settings, out);
    write_notes(settings, order, out);
    write_affiliate(settings, out);
    json_write_literal(out, "}");
}

unsigned map_leave_out(struct text header)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"goals", MAP_LEAVE_GOALS}, {"tags", MAP_LEAVE_TAGS}};
    unsigned bits = 0;

    while (header.length > 0) {
        const char *comma = memchr(header.data, ',', header.length);
        struct text word = {header.data,
                            comma != NULL ? (size_t)(comma - header.data) : header.length};
        size_t step = word.length + (comma != NULL);

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
            if (text_is(word, words[i].word))
                bits |= words[i].bit;
        header = (struct text){header.data + step, header.length - step};
    }
    return bits;
}

/* The product and SKU tags, in the order of the lines, then the coupon tags. */
static void collect_tags(struct map *map, const struct map_settings *settings)
{
    const struct config_store *store = settings->store;
    struct text code = text_of(store->code);

    tag_list_reset(&map->tags);
    for (int i = 0; i < map->product_count; i++) {
        const struct map_line *line = &map->lines[map->products[i].line];
        struct tag_value values[] = {{"sku", line->sku},
                                     {"name", line->name.length > 0 ? line->name : line->sku},
                                     {"code", code}};

        tag_list_add(&map->tags, store->sku_tag, values, sizeof(values) / sizeof(*values));
    }
    for (int i = 0; i < map->coupon_count; i++) {
        struct tag_value values[] = {{"coupon", map->coupons[i].code}, {"code", code}};

        tag_list_add(&map->tags, store->coupon_tag, values, sizeof(values) / sizeof(*values));
    }
}

/* Writes what the order leaves on its contact beside the order itself. */
static void write_marks(struct map *map, const struct map_settings *settings, struct buffer *out)
{
    json_write_literal(out, ",\"tags\":");
    if (settings->leave_out & MAP_LEAVE_TAGS) {
        json_write_literal(out, "[]");
    } else {
        collect_tags(map, settings);
        tag_list_write(&map->tags, out);
    }
    json_write_literal(out, ",\"goals\":");
    map_write_goals(map, settings, out);
}

/* Writes the members that both kinds of payload begin with: which order it is, and its status. */
static void write_head(const struct map_settings *settings, const struct order *order,
                       const char *kind, int64_t modified_at_ms, struct buffer *out)
{
    struct text hash = text_of(settings->store->hash);

    json_write_literal(out, "{\"format\":1,\"kind\":\"");
    json_write_raw(out, kind, strlen(kind));
    json_write_literal(out, "\",\"account\":");
    json_write_text(out, text_of(settings->account->name), SIZE_MAX);
    json_write_literal(out, ",\"store\":");
    json_write_text(out, hash, SIZE_MAX);
    json_write_literal(out, ",\"external_key\":\"bc-");
    json_write_part(out, hash, SIZE_MAX);
    json_write_literal(out, "-");
    json_write_raw(out, order->id.data, order->id.length);
    json_write_literal(out, "\",\"status\":{\"id\":");
    json_write_int(out, order->status_id);
    json_write_literal(out, ",\"name\":");
    json_write_text(out, order_status_name(order), MAP_NAME_CHARS_MAX);
    json_write_literal(out, "},\"placed_at\":");
    json_write_int(out, order->placed_at_ms);
    json_write_literal(out, ",\"modified_at\":");
    json_write_int(out, modified_at_ms);
}

static enum reason check_email(const struct order *order, struct error *err)
{
    if (order_check_email(order->billing.texts[ADDRESS_EMAIL]) == EMAIL_USABLE)
        return REASON_NONE;
    error_set(err, ERROR_PERMANENT, "the order has no usable e-mail address");
    return REASON_MALFORMED;
}

enum reason map_check_currency(const struct map_settings *settings, struct text currency,
                               const char *what, struct error *err)
{
    const char *wanted = settings->account->currency;

    if (settings->account->orders == ORDERS_OFF || wanted == NULL || wanted[0] == '\0' ||
        text_equal_nocase(currency, text_of(wanted)))
        return REASON_NONE;
    error_set(err, ERROR_PERMANENT, "the %s's currency is not the account's %s", what, wanted);
    return REASON_CURRENCY_MISMATCH;
}

/* Reads the order. Every reason for which an order cannot be sent is found here. */
static enum reason read_order(struct map *map, const struct map_settings *settings,
                              const struct order_reader *reader, const struct order *order,
                              struct text *currency, int64_t *total, struct error *err)
{
    enum reason reason = check_email(order, err);

    if (reason != REASON_NONE)
        return reason;
    if (map_read_lines(map, reader, order, err) != 0)
        return REASON_MALFORMED;
    if (order_read_text(order->fields[ORDER_CURRENCY], "default_currency_code", currency, err) != 0)
        return REASON_MALFORMED;
    if (currency->length != 3) {
        error_set(err, ERROR_PERMANENT, "default_currency_code is not a currency");
        return REASON_MALFORMED;
    }
    map->digits = currency_digits(*currency);
    reason = map_read_extras(map, order, total, err);
    return reason != REASON_NONE ? reason : map_check_currency(settings, *currency, "order", err);
}

enum reason map_order(struct map *map, const struct map_settings *settings,
                      const struct order_reader *reader, const struct order *order,
                      int64_t modified_at_ms, struct buffer *out, struct error *err)
{
    struct text currency;
    int64_t total;
    enum reason reason = read_order(map, settings, reader, order, &currency, &total, err);

    if (reason != REASON_NONE)
        return reason;
    write_head(settings, order, "order", modified_at_ms, out);
    json_write_literal(out, ",\"currency\":");
    json_write_text(out, currency, SIZE_MAX);
    json_write_literal(out, ",\"total\":");
    json_write_int(out, total);
    json_write_literal(out, ",\"contact\":");
    map_write_contact(map, settings, order, out);
    json_write_literal(out, ",\"products\":");
    map_write_products(map, settings, out);
    json_write_literal(out, ",\"order\":");
    write_order(map, settings, order, out);
    map_write_fields(settings, order, out);
    json_write_literal(out, ",\"payment\":");
    map_write_payment(map, settings, order, total, out);
    write_marks(map, settings, out);
    map_write_after(map, settings, order, modified_at_ms, out);
    map_write_left_out(map, settings, order, out);
    json_write_literal(out, "}");
    return REASON_NONE;
}

enum reason map_withdrawn(struct map *map, const struct map_settings *settings,
                          const struct order *order, int64_t modified_at_ms, struct buffer *out,
                          struct error *err)
{
    enum reason reason = check_email(order, err);

    if (reason != REASON_NONE)
        return reason;
    write_head(settings, order, "withdrawn", modified_at_ms, out);
    json_write_literal(out, ",\"contact\":{\"email_addresses\":[{\"email\":");
    json_write_text(out, order->billing.texts[ADDRESS_EMAIL], SIZE_MAX);
    json_write_literal(out, ",\"field\":\"EMAIL1\"}]}");
    map_write_after(map, settings, order, modified_at_ms, out);
    json_write_literal(out, "}");
    return REASON_NONE;
}
