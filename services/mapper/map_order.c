#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "map.h"
#include "text.h"

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
    *map = (struct map){0};
}

/* Notes a line that is no product; one of amount 0 is left out. */
static void add_extra(struct map *map, const char *type, struct text name, int64_t cents)
{
    if (cents == 0)
        return;
    map->extras =
        map_grow(map->extras, map->extra_count, &map->extra_capacity, sizeof(*map->extras));
    map->extras[map->extra_count++] =
        (struct map_extra){.type = type, .name = name, .cents = cents};
}

static int add_cost(struct map *map, const struct order *order, enum order_field field,
                    const char *what, const char *type, const char *name, struct error *err)
{
    money amount;

    if (map_read_money(order->fields[field], what, &amount, err) != 0)
        return -1;
    add_extra(map, type, text_of(name), money_to_cents(amount));
    return 0;
}

/* The store spells a fee's amount without tax in two ways. */
static int add_fee(struct map *map, yyjson_val *fee, struct error *err)
{
    yyjson_val *cost = yyjson_obj_get(fee, "cost_ex_tax");
    struct text name;
    money amount;

    if (json_is_absent(cost))
        cost = yyjson_obj_get(fee, "cost_exc_tax");
    if (!yyjson_is_obj(fee) || json_is_absent(cost))
        return error_set(err, ERROR_PERMANENT, "a fee has no cost_ex_tax");
    if (map_read_money(cost, "cost_ex_tax of a fee", &amount, err) != 0 ||
        order_read_text(yyjson_obj_get(fee, "display_name_customer"), "name of a fee", &name,
                        err) != 0)
        return -1;
    add_extra(map, "FEE", name.length > 0 ? name : text_of("Fee"), money_to_cents(amount));
    return 0;
}

/* `fees` may be a link to them, where the store was not asked for them; the check of the total
 * finds those. */
static int add_fees(struct map *map, yyjson_val *fees, struct error *err)
{
    yyjson_arr_iter iter;
    yyjson_val *fee;

    if (json_is_absent(fees) || yyjson_is_obj(fees))
        return 0;
    if (!yyjson_arr_iter_init(fees, &iter))
        return error_set(err, ERROR_PERMANENT, "fees is not a list");
    if (yyjson_arr_size(fees) > MAP_ITEMS_MAX)
        return error_set(err, ERROR_PERMANENT, "more than %d fees", MAP_ITEMS_MAX);
    while ((fee = yyjson_arr_iter_next(&iter)) != NULL)
        if (add_fee(map, fee, err) != 0)
            return -1;
    return 0;
}

static int add_discounts(struct map *map, const struct order *order, struct error *err)
{
    money manual, coupons;

    if (map_read_money(order->fields[ORDER_DISCOUNT], "discount_amount", &manual, err) != 0 ||
        map_read_money(order->fields[ORDER_COUPON_DISCOUNT], "coupon_discount", &coupons, err) != 0)
        return -1;
    add_extra(map, "DISCOUNT", text_of("Discount"), -money_to_cents(manual + coupons));
    return 0;
}

static int read_extras(struct map *map, const struct order *order, struct error *err)
{
    map->extra_count = 0;
    if (add_cost(map, order, ORDER_SHIPPING, "shipping_cost_ex_tax", "SHIPPING", "Shipping", err) !=
            0 ||
        add_cost(map, order, ORDER_TOTAL_TAX, "total_tax", "TAX", "Tax", err) != 0 ||
        add_cost(map, order, ORDER_HANDLING, "handling_cost_ex_tax", "FEE", "Handling", err) != 0 ||
        add_cost(map, order, ORDER_WRAPPING, "wrapping_cost_ex_tax", "FEE", "Gift wrapping", err) !=
            0 ||
        add_fees(map, order->fields[ORDER_FEES], err) != 0)
        return -1;
    return add_discounts(map, order, err);
}

/* Whether the price of one is whole cents; where it is not, the line is sent as one piece. */
static int has_whole_price(const struct map_line *line)
{
    return line->total % line->quantity == 0 && line->total / line->quantity % 100 == 0;
}

/* Puts the cents that rounding lost or won on the tax line, else on a line of their own. */
static void add_rounding(struct map *map, int64_t cents)
{
    for (int i = 0; i < map->extra_count; i++) {
        struct map_extra *extra = &map->extras[i];

        if (strcmp(extra->type, "TAX") != 0 || extra->cents + cents < 0)
            continue;
        extra->cents += cents;
        if (extra->cents == 0)
            memmove(extra, extra + 1, (size_t)(--map->extra_count - i) * sizeof(*extra));
        return;
    }
    add_extra(map, cents > 0 ? "FEE" : "DISCOUNT", text_of("Rounding"), cents);
}

/* The lines, in whole cents, make up the store's total to the cent, or the order is not sent (D6).
 */
static enum reason check_total(struct map *map, money total, struct error *err)
{
    int64_t sum = 0;
    int64_t wanted = money_to_cents(total);
    int64_t allowed = map->line_count + map->extra_count;
    char sum_text[24], wanted_text[24];

    for (int i = 0; i < map->line_count; i++)
        sum += money_to_cents(map->lines[i].total);
    for (int i = 0; i < map->extra_count; i++)
        sum += map->extras[i].cents;
    if (wanted - sum > allowed || sum - wanted > allowed) {
        error_set(err, ERROR_PERMANENT, "the lines add up to %s, the store's total is %s",
                  money_print_cents(sum_text, sum), money_print_cents(wanted_text, wanted));
        return REASON_TOTAL_MISMATCH;
    }
    add_rounding(map, wanted - sum);
    return REASON_NONE;
}

static void write_price(struct buffer *out, int64_t cents)
{
    char text[24];

    money_print_cents(text, cents);
    json_write_raw(out, text, strlen(text));
    json_write_literal(out, "}");
}

static void write_product_line(const struct map *map, int index,
                               const struct map_settings *settings, struct buffer *out)
{
    const struct map_line *line = &map->lines[index];
    int whole = has_whole_price(line);

    json_write_literal(out, "{\"item_type\":\"PRODUCT\",\"product\":");
    json_write_int(out, line->product);
    json_write_literal(out, ",\"name\":");
    map_write_line_name(settings, line, whole ? 1 : line->quantity, out);
    json_write_literal(out, ",\"quantity\":");
    json_write_int(out, whole ? line->quantity : 1);
    json_write_literal(out, ",\"price_per_unit\":");
    write_price(out, money_to_cents(whole ? line->total / line->quantity : line->total));
}

static void write_items(const struct map *map, const struct map_settings *settings,
                        struct buffer *out)
{
    int positive = settings->account->discount_sign == DISCOUNT_POSITIVE;

    json_write_literal(out, ",\"order_items\":[");
    for (int i = 0; i < map->line_count; i++) {
        if (i > 0)
            json_write_literal(out, ",");
        write_product_line(map, i, settings, out);
    }
    for (int i = 0; i < map->extra_count; i++) {
        const struct map_extra *extra = &map->extras[i];

        if (i > 0 || map->line_count > 0)
            json_write_literal(out, ",");
        json_write_literal(out, "{\"item_type\":\"");
        json_write_raw(out, extra->type, strlen(extra->type));
        json_write_literal(out, "\",\"name\":");
        json_write_text(out, extra->name, MAP_NAME_CHARS_MAX);
        json_write_literal(out, ",\"quantity\":1,\"price_per_unit\":");
        write_price(out, positive && extra->type[0] == 'D' ? -extra->cents : extra->cents);
    }
    json_write_literal(out, "]");
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
    json_write_literal(out, "}");
}

static void write_goal(struct buffer *out, const char *integration, struct text call_name)
{
    json_write_literal(out, ",{\"integration\":\"");
    json_write_raw(out, integration, strlen(integration));
    json_write_literal(out, "\",\"call_name\":");
    json_write_text(out, call_name, SIZE_MAX);
    json_write_literal(out, "}");
}

static void write_goals(const struct map *map, const struct map_settings *settings,
                        struct buffer *out)
{
    size_t start = out->length;

    write_goal(out, "BCORDER", text_of(settings->store->code));
    for (int i = 0; i < map->product_count; i++)
        if (map->lines[map->products[i].line].sku.length > 0)
            write_goal(out, "BCSKU", map->lines[map->products[i].line].sku);
    for (int i = 0; i < map->coupon_count; i++)
        write_goal(out, "BCCOUPON", map->coupons[i].code);
    out->data[start] = '['; /* in place of the first comma */
    json_write_literal(out, "]");
}

/* What both kinds of payload begin with: which order, in which state. */
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
    json_write_text(out, order->status, MAP_NAME_CHARS_MAX);
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

/* Where the account's currency is not set, the pusher asks the account and makes this check. */
static enum reason check_currency(const struct map_settings *settings, struct text currency,
                                  struct error *err)
{
    const char *wanted = settings->account->currency;

    if (wanted == NULL || wanted[0] == '\0' || text_equal_nocase(currency, text_of(wanted)))
        return REASON_NONE;
    error_set(err, ERROR_PERMANENT, "the order's currency is not the account's %s", wanted);
    return REASON_CURRENCY_MISMATCH;
}

/* Everything that can make an order one that is not sent. */
static enum reason read_order(struct map *map, const struct map_settings *settings,
                              const struct order_reader *reader, const struct order *order,
                              struct text *currency, money *total, struct error *err)
{
    enum reason reason = check_email(order, err);

    if (reason != REASON_NONE)
        return reason;
    if (map_read_lines(map, reader, order, err) != 0 || read_extras(map, order, err) != 0)
        return REASON_MALFORMED;
    if (json_is_absent(order->fields[ORDER_TOTAL_INC_TAX])) {
        error_set(err, ERROR_PERMANENT, "the order has no total_inc_tax");
        return REASON_MALFORMED;
    }
    if (map_read_money(order->fields[ORDER_TOTAL_INC_TAX], "total_inc_tax", total, err) != 0)
        return REASON_MALFORMED;
    if (order_read_text(order->fields[ORDER_CURRENCY], "default_currency_code", currency, err) != 0)
        return REASON_MALFORMED;
    if (currency->length != 3) {
        error_set(err, ERROR_PERMANENT, "default_currency_code is not a currency");
        return REASON_MALFORMED;
    }
    reason = check_total(map, *total, err);
    return reason != REASON_NONE ? reason : check_currency(settings, *currency, err);
}

enum reason map_order(struct map *map, const struct map_settings *settings,
                      const struct order_reader *reader, const struct order *order,
                      int64_t modified_at_ms, struct buffer *out, struct error *err)
{
    struct text currency;
    money total;
    enum reason reason = read_order(map, settings, reader, order, &currency, &total, err);

    if (reason != REASON_NONE)
        return reason;
    write_head(settings, order, "order", modified_at_ms, out);
    json_write_literal(out, ",\"currency\":");
    json_write_text(out, currency, SIZE_MAX);
    json_write_literal(out, ",\"total\":");
    json_write_int(out, money_to_cents(total));
    json_write_literal(out, ",\"contact\":");
    map_write_contact(map, settings, order, out);
    json_write_literal(out, ",\"products\":");
    map_write_products(map, settings, out);
    json_write_literal(out, ",\"order\":");
    write_order(map, settings, order, out);
    json_write_literal(out, ",\"payment\":null,\"tags\":[],\"goals\":");
    write_goals(map, settings, out);
    json_write_literal(out, "}");
    return REASON_NONE;
}

enum reason map_withdrawn(const struct map_settings *settings, const struct order *order,
                          int64_t modified_at_ms, struct buffer *out, struct error *err)
{
    enum reason reason = check_email(order, err);

    if (reason != REASON_NONE)
        return reason;
    write_head(settings, order, "withdrawn", modified_at_ms, out);
    json_write_literal(out, ",\"contact\":{\"email_addresses\":[{\"email\":");
    json_write_text(out, order->billing.texts[ADDRESS_EMAIL], SIZE_MAX);
    json_write_literal(out, ",\"field\":\"EMAIL1\"}]}}");
    return REASON_NONE;
}
