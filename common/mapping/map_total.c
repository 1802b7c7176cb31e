/* map_total.c - finds the lines besides the products that make up the order's total.
 *
 * Stores differ in what their amounts mean. Discounts may be taken off the amounts with tax or
 * without tax, and the total may or may not be what remains after store credit and gift
 * certificates. An order does not say which is meant, so all four readings are tried, and the one
 * whose sum is nearest to the order's total is used. docs/mapping.md explains it under "The
 * total". */
#include <stdlib.h>
#include <string.h>

#include "mapping/map.h"

enum {
    RESIDUE_MAX = 10, /* an order's amounts may be wrong by this many smallest units in all */
    /* A greater sum is refused. A single amount is at most 10^16, so a sum cannot overflow between
     * two checks. */
    SUM_BITS_MAX = 61,
};

/* The amounts of the order, in ten-thousandths. */
struct amounts {
    money sums[2]; /* sums of goods, shipping, handling, wrapping and fees: [0] without tax, [1]
                      with tax */
    money tax;
    money discounts;
    money store_credit, gift_certificate;
    money total;
};

/* One way to understand the amounts (see the top of this file). */
struct reading {
    int with_tax; /* the total is made of the amounts with tax, less the discounts */
    int net;      /* the total is what remains after store credit and gift certificates */
};

static int add_sums(struct amounts *amounts, money without_tax, money with_tax, struct error *err)
{
    const money most = (money)1 << SUM_BITS_MAX;

    amounts->sums[0] += without_tax;
    amounts->sums[1] += with_tax;
    if (amounts->sums[0] > most || amounts->sums[0] < -most || amounts->sums[1] > most ||
        amounts->sums[1] < -most)
        return error_set(err, ERROR_PERMANENT, "the order's amounts are too large");
    return 0;
}

static struct map_extra *add_extra(struct map *map, const char *type, struct text name,
                                   int64_t minor)
{
    struct map_extra *extra;

    map->extras =
        map_grow(map->extras, map->extra_count, &map->extra_capacity, sizeof(*map->extras));
    extra = &map->extras[map->extra_count++];
    *extra = (struct map_extra){.type = type, .name = name, .minor = minor};
    return extra;
}

/* Adds a line from a pair of amounts, without and with tax. Where the second is absent, the first
 * is taken for both. */
static int add_cost(struct map *map, struct amounts *amounts, yyjson_val *const pair[2],
                    const char *what, const char *type, struct text name, struct error *err)
{
    money without_tax, with_tax;

    if (map_read_money(pair[0], what, &without_tax, err) != 0 ||
        map_read_money(pair[1], what, &with_tax, err) != 0)
        return -1;
    if (json_is_absent(pair[1]))
        with_tax = without_tax;
    if (without_tax != 0)
        add_extra(map, type, name, money_to_minor(without_tax, map->digits));
    return add_sums(amounts, without_tax, with_tax, err);
}

/* Adds one fee. There are two spellings of its amount without tax: cost_ex_tax and cost_exc_tax. */
static int add_fee(struct map *map, struct amounts *amounts, yyjson_val *fee, struct error *err)
{
    yyjson_val *pair[2] = {yyjson_obj_get(fee, "cost_ex_tax"), yyjson_obj_get(fee, "cost_inc_tax")};
    struct text name;

    if (json_is_absent(pair[0]))
        pair[0] = yyjson_obj_get(fee, "cost_exc_tax");
    if (!yyjson_is_obj(fee) || json_is_absent(pair[0]))
        return error_set(err, ERROR_PERMANENT, "a fee has no cost_ex_tax");
    if (order_read_text(yyjson_obj_get(fee, "display_name_customer"), "name of a fee", &name,
                        err) != 0)
        return -1;
    return add_cost(map, amounts, pair, "cost of a fee", "FEE",
                    name.length > 0 ? name : text_of("Fee"), err);
}

/* Adds the fees. Where the store was not asked for the fees, `fees` is a link to them, an object.
 * It is skipped here; missing fees then show as a wrong total. */
static int add_fees(struct map *map, struct amounts *amounts, yyjson_val *fees, struct error *err)
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
        if (add_fee(map, amounts, fee, err) != 0)
            return -1;
    return 0;
}

static int read_order_amounts(const struct order *order, struct amounts *amounts, struct error *err)
{
    yyjson_val *const *fields = order->fields;
    money coupons;

    if (json_is_absent(fields[ORDER_TOTAL_INC_TAX]))
        return error_set(err, ERROR_PERMANENT, "the order has no total_inc_tax");
    if (map_read_money(fields[ORDER_TOTAL_INC_TAX], "total_inc_tax", &amounts->total, err) != 0 ||
        map_read_money(fields[ORDER_TOTAL_TAX], "total_tax", &amounts->tax, err) != 0 ||
        map_read_money(fields[ORDER_DISCOUNT], "discount_amount", &amounts->discounts, err) != 0 ||
        map_read_money(fields[ORDER_COUPON_DISCOUNT], "coupon_discount", &coupons, err) != 0 ||
        map_read_money(fields[ORDER_STORE_CREDIT], "store_credit_amount", &amounts->store_credit,
                       err) != 0 ||
        map_read_money(fields[ORDER_GIFT_CERTIFICATE], "gift_certificate_amount",
                       &amounts->gift_certificate, err) != 0)
        return -1;
    amounts->discounts += coupons;
    return 0;
}

/* Reads all amounts and adds the lines that are the same in every reading. The TAX line is
 * extras[*tax]; it is there even where it is 0. */
static int read_amounts(struct map *map, const struct order *order, struct amounts *amounts,
                        int *tax, struct error *err)
{
    yyjson_val *const *fields = order->fields;

    *amounts = (struct amounts){.tax = 0};
    map->extra_count = 0;
    if (read_order_amounts(order, amounts, err) != 0)
        return -1;
    for (int i = 0; i < map->line_count; i++)
        if (add_sums(amounts, map->lines[i].total, map->lines[i].total_inc_tax, err) != 0)
            return -1;
    if (add_cost(map, amounts, &fields[ORDER_SHIPPING], "shipping_cost", "SHIPPING",
                 text_of("Shipping"), err) != 0)
        return -1;
    *tax = map->extra_count;
    add_extra(map, "TAX", text_of("Tax"), money_to_minor(amounts->tax, map->digits));
    if (add_cost(map, amounts, &fields[ORDER_HANDLING], "handling_cost", "FEE", text_of("Handling"),
                 err) != 0 ||
        add_cost(map, amounts, &fields[ORDER_WRAPPING], "wrapping_cost", "FEE",
                 text_of("Gift wrapping"), err) != 0)
        return -1;
    return add_fees(map, amounts, fields[ORDER_FEES], err);
}

static money residue_of(const struct amounts *amounts, struct reading reading)
{
    money sum = amounts->sums[reading.with_tax] - amounts->discounts;

    if (!reading.with_tax)
        sum += amounts->tax;
    if (reading.net)
        sum -= amounts->store_credit + amounts->gift_certificate;
    return llabs(sum - amounts->total);
}

/* Chooses the reading with the smallest residue. Of equal ones the first in the list counts: prices
 * with or without tax as the order says, and a total that is net of the credits. */
static struct reading choose_reading(const struct amounts *amounts, int inclusive, money *residue)
{
    const struct reading readings[] = {
        {inclusive, 1}, {inclusive, 0}, {!inclusive, 1}, {!inclusive, 0}};
    struct reading chosen = readings[0];

    *residue = residue_of(amounts, chosen);
    for (int i = 1; i < 4; i++) {
        money its = residue_of(amounts, readings[i]);

        if (its < *residue) {
            *residue = its;
            chosen = readings[i];
        }
    }
    return chosen;
}

static enum reason mismatch(const struct map *map, const struct amounts *amounts, struct error *err)
{
    char without[24], with[24], wanted[24];

    error_set(err, ERROR_PERMANENT,
              "the order adds up to %s, or with the amounts that include tax to %s; its total is "
              "%s",
              money_print_minor(
                  without,
                  money_to_minor(amounts->sums[0] + amounts->tax - amounts->discounts, map->digits),
                  map->digits),
              money_print_minor(with,
                                money_to_minor(amounts->sums[1] - amounts->discounts, map->digits),
                                map->digits),
              money_print_minor(wanted, money_to_minor(amounts->total, map->digits), map->digits));
    return REASON_TOTAL_MISMATCH;
}

static int64_t sum_of_lines(const struct map *map)
{
    int64_t sum = 0;

    for (int i = 0; i < map->line_count; i++)
        sum += money_to_minor(map->lines[i].total, map->digits);
    for (int i = 0; i < map->extra_count; i++)
        sum += map->extras[i].minor;
    return sum;
}

/* Adds what rounding lost or won to the TAX line, or to a line of its own. */
static void add_rounding(struct map *map, struct map_extra *tax, int64_t missing)
{
    if (tax->minor != 0 && tax->minor + missing >= 0)
        tax->minor += missing;
    else if (missing != 0)
        add_extra(map, missing > 0 ? "FEE" : "DISCOUNT", text_of("Rounding"), missing);
}

/* The lines are sent without tax, but the discounts were taken off amounts with tax. So the
 * DISCOUNT line is set to what makes the total. Where no discount between 0 and the whole one does
 * that, the TAX line is changed instead. */
static void settle_with_tax(struct map *map, struct map_extra *tax, struct map_extra *discount,
                            int64_t missing)
{
    int64_t made = discount->minor + missing;

    if (made <= 0 && made >= discount->minor)
        discount->minor = made;
    else if (llabs(missing) <= map->line_count) /* not more than the rounding of one unit for
                                                   each price */
        add_rounding(map, tax, missing);
    else
        tax->minor += missing;
}

enum reason map_read_extras(struct map *map, const struct order *order, int64_t *total,
                            struct error *err)
{
    int64_t allowed = map->line_count < RESIDUE_MAX ? map->line_count : RESIDUE_MAX;
    struct amounts amounts;
    struct reading reading;
    struct map_extra *lines;
    int64_t missing;
    money residue;
    int tax, discount;

    if (read_amounts(map, order, &amounts, &tax, err) != 0)
        return REASON_MALFORMED;
    reading =
        choose_reading(&amounts, yyjson_is_true(order->fields[ORDER_TAX_INCLUSIVE]), &residue);
    if (residue > allowed * money_minor_unit(map->digits))
        return mismatch(map, &amounts, err);
    discount = map->extra_count;
    add_extra(map, "DISCOUNT", text_of("Discount"),
              -money_to_minor(amounts.discounts, map->digits));
    if (reading.net) {
        add_extra(map, "DISCOUNT", text_of("Store credit"),
                  -money_to_minor(amounts.store_credit, map->digits));
        add_extra(map, "DISCOUNT", text_of("Gift certificate"),
                  -money_to_minor(amounts.gift_certificate, map->digits));
    }
    *total = money_to_minor(amounts.total, map->digits);
    map->credits =
        reading.net ? 0
                    : money_to_minor(amounts.store_credit + amounts.gift_certificate, map->digits);
    missing = *total - sum_of_lines(map);
    lines = map->extras;
    if (!reading.with_tax)
        add_rounding(map, &lines[tax], missing);
    else
        settle_with_tax(map, &lines[tax], &lines[discount], missing);
    return map->extras[tax].minor < 0 ? mismatch(map, &amounts, err) : REASON_NONE;
}
