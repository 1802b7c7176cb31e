/* The pure parts of payments and of the list of known products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/pusher/known_products.h"
#include "../../services/pusher/payment.h"
#include "infusionsoft/payment_type.h"

/* Of several products with one SKU the lowest id counts; what shows no SKU is no entry. */
static void an_account_list_knows_a_sku_by_its_lowest_id(void **state)
{
    static const char text[] =
        "[{\"id\":\"12\",\"sku\":\"MUG-1\"},{\"id\":\"9\",\"sku\":\" mug-1 \"},"
        "{\"id\":\"10\",\"sku\":\"Mug-1\"},{\"id\":\"3\",\"sku\":\"\"},{\"id\":\"4\"},"
        "{\"id\":\"5\",\"sku\":7},{\"sku\":\"NO-ID\"},{\"id\":8,\"sku\":\"a;b*\"},7,null]";
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    struct known_list list = {0};
    char digest[DIGEST_BYTES];

    (void)state;
    known_list_sort(&list); /* an empty one */
    digest_hex_nocase(digest, text_of("MUG-1"));
    assert_null(known_list_find(&list, digest));
    assert_int_equal(known_list_add(&list, yyjson_doc_get_root(doc)), -1); /* 7 may be any SKU */
    assert_int_equal(known_list_add(&list, NULL), 0);
    known_list_sort(&list);
    assert_int_equal(list.count, 2);
    assert_string_equal(known_list_find(&list, digest)->id, "9");
    digest_hex_nocase(digest, text_of("A;B*"));
    assert_string_equal(known_list_find(&list, digest)->id, "8");
    digest_hex_nocase(digest, text_of("OTHER"));
    assert_null(known_list_find(&list, digest));
    known_list_clear(&list);
    yyjson_doc_free(doc);
}

/* A forged payload may hold any member; `payment_method_id` would charge a card. */
static void a_payment_has_no_member_that_charges_a_card(void **state)
{
    static const char text[] =
        "{\"payment_amount\":72.23,\"payment_method_type\":\"Cash\",\"payment_time\":"
        "\"2026-03-02T10:15:30Z\",\"payment_method_id\":\"7\",\"notes\":\"other\"}";
    yyjson_doc *doc = yyjson_read(text, strlen(text), YYJSON_READ_NUMBER_AS_RAW);
    struct delivery d = {.order_total = -1};
    struct text body;

    (void)state;
    d.payload.payment = yyjson_doc_get_root(doc);
    d.payload.external_key = text_of("bc-abc123-149");
    d.payload.currency = text_of("USD");
    d.payload.total = 7223;
    body = payment_body(&d);
    assert_string_equal(body.data, "{\"payment_amount\":72.23,\"apply_to_commissions\":false,"
                                   "\"payment_method_type\":\"Cash\",\"payment_time\":"
                                   "\"2026-03-02T10:15:30Z\",\"notes\":\"bc-abc123-149\"}");
    free((void *)(uintptr_t)body.data);
    d.order_total = 7224; /* the account calculated another total, and all of it was paid */
    body = payment_body(&d);
    assert_non_null(strstr(body.data, "\"payment_amount\":72.24,"));
    free((void *)(uintptr_t)body.data);
    d.payload.total = 9000; /* a part was paid */
    body = payment_body(&d);
    assert_non_null(strstr(body.data, "\"payment_amount\":72.23,"));
    free((void *)(uintptr_t)body.data);
    yyjson_doc_free(doc);
}

static void payment_types_are_found_in_the_accounts_list(void **state)
{
    static const struct {
        const char *types, *type;
        int listed;
    } cases[] = {
        {"Credit Card (Manual),Check,Cash", "Cash", 1},
        {"Credit Card (Manual),Check,Cash", "Check", 1},
        {"Credit Card (Manual), Check\nCash", "Check", 1},
        {"Credit Card (Manual),Check,Cash", "Credit Card", 0},
        {"Credit Card (Manual),Check,Cash", "Card (Manual)", 0},
        {"Credit Card (Manual),Check,Cash", "cash", 0},
        {"Bank, or wire,Cash", "Bank, or wire", 1},
        {"", "Cash", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(payment_type_is_listed(text_of(cases[i].types), cases[i].type),
                         cases[i].listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_list_knows_a_sku_by_its_lowest_id),
        cmocka_unit_test(a_payment_has_no_member_that_charges_a_card),
        cmocka_unit_test(payment_types_are_found_in_the_accounts_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
