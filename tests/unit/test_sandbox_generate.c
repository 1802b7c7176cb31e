/* The generator: equal input gives equal bytes, and the amounts add up as contract and vendor say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "generate/generate.h"
#include "order_text.h"
#include "bigcommerce/shop.h"

#define COUNT 500

static struct generated make_in(int64_t index, const char *hash, const char *currency)
{
    struct generate_input input = {7, hash, currency, 1001 + index, index, 1790000000};
    struct generated made;

    generate_order(&input, &made);
    return made;
}

static struct generated make(int64_t index, const char *hash)
{
    return make_in(index, hash, "USD");
}

static char *text_of_order(const struct generated *made)
{
    struct buffer text = {0};

    order_text_write(&text, made->order, made->style);
    return text.data;
}

/* Ten-thousandths of a JSON string or number. */
static int64_t amount(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    double number =
        json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);

    return (int64_t)(number * 10000 + (number < 0 ? -0.5 : 0.5));
}

/* The order's parts without tax, and its tax; or its parts with tax. Less the discounts. */
static int64_t sum_of_parts(const json_t *order, int with_tax)
{
    static const char *const names[2][5] = {
        {"shipping_cost_ex_tax", "handling_cost_ex_tax", "wrapping_cost_ex_tax", "total_ex_tax",
         "cost_ex_tax"},
        {"shipping_cost_inc_tax", "handling_cost_inc_tax", "wrapping_cost_inc_tax", "total_inc_tax",
         "cost_inc_tax"},
    };
    const char *const *name = names[with_tax];
    json_t *lines = shop_lines(order);
    const json_t *fees = json_object_get(order, "fees");
    int64_t sum = amount(order, name[0]) + amount(order, name[1]) + amount(order, name[2]) -
                  amount(order, "discount_amount") - amount(order, "coupon_discount");

    for (size_t i = 0; i < json_array_size(lines); i++)
        sum += amount(json_array_get(lines, i), name[3]);
    for (size_t i = 0; i < json_array_size(fees); i++) {
        const json_t *fee = json_array_get(fees, i);
        sum += amount(fee, json_object_get(fee, name[4]) != NULL ? name[4] : "cost_exc_tax");
    }
    json_decref(lines);
    return sum + (with_tax ? 0 : amount(order, "total_tax"));
}

static void equal_input_gives_equal_bytes(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 100; i++) {
        struct generated a = make(i, "abc123"), b = make(i, "abc123"), c = make(i, "abc124");
        char *one = text_of_order(&a), *two = text_of_order(&b), *other = text_of_order(&c);
        assert_string_equal(one, two);
        assert_string_not_equal(one, other);
        free(one);
        free(two);
        free(other);
        generated_clear(&a);
        generated_clear(&b);
        generated_clear(&c);
    }
}

/* How an order of the run adds up. */
struct shapes {
    int wrong, discounted_with_tax, shipping_coupons_with_tax, fees_with_tax;
    int credits_net, credits_gross, both_credits, paid_in_full;
};

/* Counts one order. @returns whether its amounts are whole smallest units of that many
 * ten-thousandths */
static int count_shape(const json_t *order, const json_t *coupons, int64_t unit,
                       struct shapes *shapes)
{
    int with_tax = json_is_true(json_object_get(order, "is_tax_inclusive_pricing"));
    int64_t total = amount(order, "total_inc_tax"), sum = sum_of_parts(order, with_tax);
    int64_t store = amount(order, "store_credit_amount");
    int64_t certificate = amount(order, "gift_certificate_amount");
    int credited = store + certificate > 0;

    shapes->wrong += total != sum && total != sum - store - certificate;
    shapes->credits_gross += credited && total == sum;
    shapes->credits_net += credited && total == sum - store - certificate;
    shapes->paid_in_full += credited && total == 0;
    shapes->both_credits += store > 0 && certificate > 0;
    shapes->discounted_with_tax += with_tax && amount(order, "discount_amount") > 0;
    shapes->shipping_coupons_with_tax += with_tax && coupons != NULL;
    shapes->fees_with_tax += with_tax && json_array_size(json_object_get(order, "fees")) > 0;
    assert_true(total >= 0);
    return total % unit == 0 && amount(order, "total_tax") % unit == 0 &&
           amount(order, "discount_amount") % unit == 0 && store % unit == 0;
}

static void amounts_add_up_in_every_shape_unless_they_are_meant_not_to(void **state)
{
    static const struct {
        const char *currency;
        int64_t unit; /* ten-thousandths */
    } cases[] = {{"USD", 100}, {"JPY", 10000}, {"KWD", 10}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct shapes shapes = {0};

        for (int64_t i = 0; i < COUNT; i++) {
            struct generated made = make_in(i, "abc123", cases[k].currency);
            assert_true(count_shape(made.order, made.coupons, cases[k].unit, &shapes));
            generated_clear(&made);
        }
        assert_int_equal(shapes.wrong, 2); /* rounds 1 and 6 of ten have one */
        assert_true(shapes.discounted_with_tax >= 4 && shapes.shipping_coupons_with_tax >= 2);
        assert_true(shapes.fees_with_tax >= 2 && shapes.paid_in_full >= 4);
        assert_true(shapes.credits_net >= 8 && shapes.credits_gross >= 8);
        assert_true(shapes.both_credits >= 4);
    }
}

static void every_status_and_every_bad_email_occurs(void **state)
{
    int statuses[100] = {0}, missing = 0, null = 0, eligible = 0, archived = 0, two = 0;

    (void)state;
    for (int64_t i = 0; i < COUNT; i++) {
        struct generated made = make(i, "abc123");
        int status = (int)json_integer_value(json_object_get(made.order, "status_id"));
        const json_t *billing = json_object_get(made.order, "billing_address");
        const json_t *email = json_object_get(billing, "email");
        statuses[status]++;
        missing += email == NULL;
        null += json_is_null(email);
        two += json_is_string(email) && strchr(json_string_value(email), ',') != NULL;
        archived += json_is_true(json_object_get(made.order, "is_deleted"));
        eligible += status == 2 || status == 3 || (status >= 8 && status <= 11) || status == 14;
        generated_clear(&made);
    }
    for (int status = 0; status < 15; status++)
        assert_true(statuses[status] > 0);
    assert_true(statuses[99] > 0);
    assert_true(missing > 0 && null > 0 && two > 0 && archived > 0);
    assert_true(eligible * 100 >= COUNT * 60);
}

static void a_string_is_written_as_json_in_every_style(void **state)
{
    static const struct {
        const char *text;
        int style;
        const char *expected;
    } cases[] = {
        {"a/b", 0, "\"a/b\""},
        {"a/b", STYLE_SLASH, "\"a\\/b\""},
        {"\xC3\xA9", 0, "\"\xC3\xA9\""},
        {"\xC3\xA9", STYLE_ASCII, "\"\\u00e9\""},
        {"\xF0\x9F\x98\x80", STYLE_ASCII, "\"\\ud83d\\ude00\""},
        {"\x01\n\"\\", 0, "\"\\u0001\\n\\\"\\\\\""},
        {"\xFF\xC3", 0, "\"\\ufffd\\ufffd\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer buffer = {0};
        order_text_string(&buffer, cases[i].text, strlen(cases[i].text), cases[i].style);
        assert_string_equal(buffer.data, cases[i].expected);
        buffer_clear(&buffer);
    }
}

static void fifty_lines_are_shown_and_all_are_kept(void **state)
{
    struct shop *shop = shop_new("abc123");
    struct shop_extra extra = {0};
    struct error err = {0};
    json_t *lines = json_array(), *order, *all;
    struct shop_order *placed;

    (void)state;
    for (int i = 0; i < SHOP_LINES_MAX + 1; i++)
        json_array_append_new(lines, json_pack("{s:i}", "id", i));
    order =
        json_pack("{s:i,s:{s:[{s:o}]}}", "id", 5, "consignments", "shipping", "line_items", lines);
    placed = shop_put(shop, order, &extra, &err);
    assert_non_null(placed);
    assert_non_null(strstr(placed->text, "__warning__"));
    all = shop_order_products(placed);
    assert_int_equal(json_array_size(all), SHOP_LINES_MAX + 1);
    json_decref(all);
    json_decref(order);
    shop_free(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_input_gives_equal_bytes),
        cmocka_unit_test(amounts_add_up_in_every_shape_unless_they_are_meant_not_to),
        cmocka_unit_test(every_status_and_every_bad_email_occurs),
        cmocka_unit_test(a_string_is_written_as_json_in_every_style),
        cmocka_unit_test(fifty_lines_are_shown_and_all_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
