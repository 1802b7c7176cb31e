/* test_page.c - answers of the store cut into orders, and what is missing in each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bigcommerce/page.h"

#define DATE "\"date_modified\":\"Mon, 11 Mar 2019 15:17:25 +0000\""
#define ORDER(id) "{\"id\":" id "," DATE "}"

static void slices(void **state)
{
    static const struct {
        const char *name, *body;
        int count;         /* -1: refused */
        const char *first; /* the first order's bytes, or NULL */
    } cases[] = {
        {"blank", " \n", 0, NULL},
        {"empty array", "[]", 0, NULL},
        {"empty array with blanks", " [ \t] \r\n", 0, NULL},
        {"one", "[" ORDER("1") "]", 1, ORDER("1")},
        {"blanks around", "  [ " ORDER("1") " ,\n " ORDER("2") "\t] ", 2, ORDER("1")},
        {"blanks inside stay", "[{ \"id\" : 1 , " DATE " }]", 1, "{ \"id\" : 1 , " DATE " }"},
        {"brackets in strings", "[{\"id\":1," DATE ",\"n\":\"]},[{\\\"\"}]", 1, NULL},
        {"not an object is a row", "[null,7," ORDER("1") "]", 3, "null"},
        {"error object", "{\"status\":500}", -1, NULL},
        {"HTML", "<html><body>Bad Gateway</body></html>", -1, NULL},
        {"cut in an order", "[" ORDER("1") ",{\"id\":2", -1, NULL},
        {"cut after an order", "[" ORDER("1"), -1, NULL},
        {"cut after a comma", "[" ORDER("1") ",", -1, NULL},
        {"trailing comma", "[" ORDER("1") ",]", -1, NULL},
        {"no comma", "[" ORDER("1") ORDER("2") "]", -1, NULL},
        {"something after", "[" ORDER("1") "]x", -1, NULL},
        {"only a bracket", "[", -1, NULL},
        {"NaN", "[{\"id\":1," DATE ",\"t\":NaN}]", -1, NULL},
        {"invalid UTF-8", "[{\"id\":1," DATE ",\"n\":\"\xff\"}]", -1, NULL},
        {"control character", "[{\"id\":1," DATE ",\"n\":\"\x01\"}]", -1, NULL},
    };
    struct page *page = malloc(sizeof(*page));

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error err = {0};
        /* A copy of exactly its size: reading beyond it is seen by the address sanitizer. */
        size_t length = strlen(cases[i].body);
        char *body = malloc(length);
        int answer;

        memcpy(body, cases[i].body, length);
        answer = page_slice(page, (struct text){body, length}, &err);
        if ((answer == 0 ? page->count : -1) != cases[i].count)
            fail_msg("%s: %d rows, wanted %d (%s)", cases[i].name, answer == 0 ? page->count : -1,
                     cases[i].count, err.text);
        if (cases[i].first != NULL &&
            (page->rows[0].bytes.length != strlen(cases[i].first) ||
             memcmp(page->rows[0].bytes.data, cases[i].first, strlen(cases[i].first)) != 0))
            fail_msg("%s: bytes differ", cases[i].name);
        free(body);
    }
    free(page);
}

static void refuses_endless_and_deep(void **state)
{
    struct page *page = malloc(sizeof(*page));
    struct buffer body = {0};
    struct error err = {0};

    (void)state;
    buffer_append(&body, "[", 1);
    for (int i = 0; i < PAGE_ROWS_MAX + 1; i++)
        buffer_printf(&body, "%s{}", i > 0 ? "," : "");
    buffer_append(&body, "]", 1);
    assert_int_equal(page_slice(page, (struct text){body.data, body.length}, &err), -1);
    buffer_reset(&body);
    for (int i = 0; i < 100000; i++)
        buffer_append(&body, "[", 1);
    error_clear(&err);
    assert_int_equal(page_slice(page, (struct text){body.data, body.length}, &err), -1);
    for (int i = 0; i < 100000; i++)
        buffer_append(&body, "]", 1);
    error_clear(&err);
    assert_int_equal(page_slice(page, (struct text){body.data, body.length}, &err), 0);
    assert_non_null(page->rows[0].fault);
    buffer_clear(&body);
    free(page);
}

#define LINES(lines) "\"consignments\":{\"shipping\":[{\"line_items\":[" lines "]}]}"
#define LINE(quantity, discounts)                                                                  \
    "{\"quantity\":" quantity ",\"applied_discounts\":[" discounts "]}"
static const struct fact_case {
    const char *name, *order;
    int64_t id;
    int fault, lines_missing, coupons_missing;
} facts[] = {
    {"plain", "{\"id\":7," DATE "}", 7, 0, 0, 0},
    {"id as text", "{\"id\":\"7\"," DATE "}", 7, 0, 0, 0},
    {"id beyond 64 bits", "{\"id\":99999999999999999999," DATE "}", -1, 1, 0, 0},
    {"id with a fraction", "{\"id\":7.5," DATE "}", -1, 1, 0, 0},
    {"id 0", "{\"id\":0," DATE "}", -1, 1, 0, 0},
    {"no id", "{" DATE "}", -1, 1, 0, 0},
    {"id with a path", "{\"id\":\"7/../../customers\"," DATE "}", -1, 1, 0, 0},
    {"id with a query", "{\"id\":\"7?limit=1\"," DATE "}", -1, 1, 0, 0},
    {"id with a line end", "{\"id\":\"7\\r\\nX: y\"," DATE "}", -1, 1, 0, 0},
    {"id with a zero byte", "{\"id\":\"7\\u0000\"," DATE "}", -1, 1, 0, 0},
    {"negative id", "{\"id\":\"-7\"," DATE "}", -1, 1, 0, 0},
    {"no date", "{\"id\":7}", 7, 1, 0, 0},
    {"date of another kind", "{\"id\":7,\"date_modified\":12}", 7, 1, 0, 0},
    {"impossible date", "{\"id\":7,\"date_modified\":\"Mon, 31 Feb 2019 15:17:25 +0000\"}", 7, 1, 0,
     0},
    {"all lines",
     "{\"id\":7," DATE ",\"items_total\":3," LINES(LINE("2", "") "," LINE("1", "")) "}", 7, 0, 0,
     0},
    {"fewer lines", "{\"id\":7," DATE ",\"items_total\":4," LINES(LINE("2", "")) "}", 7, 0, 1, 0},
    {"no lines", "{\"id\":7," DATE ",\"items_total\":1," LINES("") "}", 7, 0, 1, 0},
    {"lines left out", "{\"id\":7," DATE ",\"items_total\":\"1\"}", 7, 0, 1, 0},
    {"links only", "{\"id\":7," DATE ",\"items_total\":1,\"consignments\":{\"url\":\"u\"}}", 7, 0,
     1, 0},
    {"nothing sold", "{\"id\":7," DATE ",\"items_total\":0}", 7, 0, 0, 0},
    {"warned",
     "{\"id\":7," DATE ",\"items_total\":1,\"consignments\":{\"shipping\":[{\"line_items\":["
     "{\"quantity\":1}],\"__warning__\":{\"message\":\"only 50\"}}]}}",
     7, 0, 1, 0},
    {"four kinds",
     "{\"id\":7," DATE ",\"items_total\":4,\"consignments\":{\"shipping\":[{\"line_items\":["
     "{\"quantity\":1}]}],\"pickups\":[{\"line_items\":[{\"quantity\":1}]}],\"downloads\":[{"
     "\"line_items\":[{\"quantity\":1}]}],\"email\":{\"gift_certificates\":[{\"line_items\":["
     "{\"quantity\":1}]}]}}}",
     7, 0, 0, 0},
    {"a gift certificate's consignment has two lines and a coupon",
     "{\"id\":7," DATE ",\"items_total\":2,\"coupon_discount\":\"5\",\"consignments\":{\"email\":{"
     "\"gift_certificates\":[{\"line_items\":[" LINE(
         "1", "{\"code\":\"A\",\"amount\":\"5\"}") "," LINE("1", "") "]}]}}}",
     7, 0, 0, 0},
    {"a gift certificate's lines left out",
     "{\"id\":7," DATE ",\"items_total\":1,\"consignments\":{\"email\":{"
     "\"gift_certificates\":[{\"recipient_email\":\"r@example.com\",\"line_items\":[]}]}}}",
     7, 0, 1, 0},
    {"a gift certificate's lines warned of",
     "{\"id\":7," DATE ",\"items_total\":1,\"consignments\":{\"email\":{"
     "\"gift_certificates\":[{\"line_items\":[" LINE("1", "") "],\"__warning__\":{}}]}}}",
     7, 0, 1, 0},
    {"coupon adds up",
     "{\"id\":7," DATE ",\"items_total\":1,\"coupon_discount\":\"5.0000\"," LINES(
         LINE("1", "{\"code\":\"A\",\"amount\":\"5\"}")) "}",
     7, 0, 0, 0},
    {"coupon as numbers",
     "{\"id\":7," DATE ",\"items_total\":1,\"coupon_discount\":5," LINES(
         LINE("1", "{\"code\":\"A\",\"amount\":5.0}")) "}",
     7, 0, 0, 0},
    {"coupon on no line",
     "{\"id\":7," DATE
     ",\"items_total\":1,\"coupon_discount\":\"5.0000\"," LINES(LINE("1", "")) "}",
     7, 0, 0, 1},
    {"discount without a code does not count",
     "{\"id\":7," DATE ",\"items_total\":1,\"coupon_discount\":\"5.0000\"," LINES(
         LINE("1", "{\"code\":null,\"amount\":\"5\"}")) "}",
     7, 0, 0, 1},
    {"no coupon",
     "{\"id\":7," DATE
     ",\"items_total\":1,\"coupon_discount\":\"0.0000\"," LINES(LINE("1", "")) "}",
     7, 0, 0, 0},
    {"coupon waits for the lines",
     "{\"id\":7," DATE
     ",\"items_total\":2,\"coupon_discount\":\"5.0000\"," LINES(LINE("1", "")) "}",
     7, 0, 1, 0},
    {"wrong types everywhere",
     "{\"id\":7," DATE ",\"items_total\":[],\"coupon_discount\":{},\"consignments\":[[],\"x\",1]}",
     7, 0, 0, 0},
};

static void reads_facts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
        struct page_row row;

        page_read_order(&row, text_of(facts[i].order));
        if (row.id != facts[i].id || (row.fault != NULL) != facts[i].fault ||
            row.lines_missing != facts[i].lines_missing ||
            row.coupons_missing != facts[i].coupons_missing)
            fail_msg("%s: id=%lld fault=%s lines=%d coupons=%d", facts[i].name, (long long)row.id,
                     row.fault != NULL ? row.fault : "-", row.lines_missing, row.coupons_missing);
        if (row.fault == NULL)
            assert_int_equal(row.modified_ms, 1552317445000);
    }
}

static void splices(void **state)
{
    struct buffer products = {0}, coupons = {0}, target = {0};
    struct error err = {0};
    int count;

    (void)state;
    assert_int_equal(
        page_join_array(&products, text_of(" [ {\"id\":1}, {\"id\":2} ] "), NULL, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_int_equal(page_join_array(&products, text_of("[{\"id\":\"]\"}]"), NULL, &count, &err),
                     0);
    assert_int_equal(page_join_array(&coupons, text_of("[]"), NULL, &count, &err), 0);
    assert_int_equal(count, 0);
    page_splice(&target, text_of("{\"id\":1, \"n\":\"}\"\n}"), &products, &coupons);
    assert_string_equal(target.data,
                        "{\"id\":1, \"n\":\"}\"\n,\"bigfusion\":{\"products\":[ {\"id\":1}, "
                        "{\"id\":2} ,{\"id\":\"]\"}],\"coupons\":[]}}");
    buffer_reset(&target);
    page_splice(&target, text_of("{\"id\":1}"), NULL, &coupons);
    assert_string_equal(target.data, "{\"id\":1,\"bigfusion\":{\"coupons\":[]}}");
    assert_int_equal(page_join_array(&coupons, text_of("{\"a\":[]}"), NULL, &count, &err), -1);
    error_clear(&err);
    assert_int_equal(page_join_array(&coupons, text_of("[{]"), NULL, &count, &err), -1);
    error_clear(&err);
    assert_int_equal(page_join_array(&coupons, text_of("[{\"id\":1},{}]"), NULL, &count, &err), -1);
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    error_clear(&err);
    assert_int_equal(page_join_array(&coupons, text_of("[null]"), NULL, &count, &err), -1);
    buffer_clear(&products);
    buffer_clear(&coupons);
    buffer_clear(&target);
}

/* The order's lines come on several pages: what they tell is added up. */
static void finds_coupons_after_lines(void **state)
{
    static const struct {
        const char *name, *discount;
        const char *pages[2];
        int missing;
    } cases[] = {
        {"no lines", "\"5.0000\"", {NULL, NULL}, 1},
        {"lines without a discount", "\"5.0000\"", {"[{\"id\":1,\"quantity\":1}]", NULL}, 1},
        {"adds up over two pages",
         "\"5.0000\"",
         {"[{\"id\":1,\"applied_discounts\":[{\"code\":\"A\",\"amount\":\"2.5\"}]}]",
          "[{\"id\":2,\"applied_discounts\":[{\"code\":\"A\",\"amount\":\"2.5000\"}]}]"},
         0},
        {"an odd amount",
         "5",
         {"[{\"id\":1,\"applied_discounts\":[{\"code\":\"A\",\"amount\":5}]}]",
          "[{\"id\":2,\"applied_discounts\":[{\"code\":\"A\",\"amount\":\"five\"}]}]"},
         1},
        {"no coupon", "0", {"[{\"id\":1}]", NULL}, 0},
        {"no amount", "\"none\"", {"[{\"id\":1}]", NULL}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buffer order = {0}, joined = {0};
        struct page_lines lines = {0};
        struct page_row row;
        struct error err = {0};
        int count;

        buffer_printf(&order, "{\"id\":1," DATE ",\"items_total\":1,\"coupon_discount\":%s}",
                      cases[i].discount);
        page_read_order(&row, (struct text){order.data, order.length});
        for (int j = 0; j < 2 && cases[i].pages[j] != NULL; j++)
            assert_int_equal(
                page_join_array(&joined, text_of(cases[i].pages[j]), &lines, &count, &err), 0);
        if (!row.lines_missing || row.coupons_missing ||
            page_coupons_missing(&row, &lines) != cases[i].missing)
            fail_msg("%s", cases[i].name);
        buffer_clear(&order);
        buffer_clear(&joined);
    }
}

/* Each order is parsed in place in a copy of the page: neither the orders behind it nor the page
 * that the rows point into may change. */
static void slicing_leaves_the_page_as_it_came(void **state)
{
    static const char body[] =
        "[1,\"a\\nb\" ,{\"id\":7," DATE ",\"n\":\"\\u00e9\\\"]\",\"t\":12},2.5]";
    static const char *const wanted[] = {
        "1", "\"a\\nb\"", "{\"id\":7," DATE ",\"n\":\"\\u00e9\\\"]\",\"t\":12}", "2.5"};
    struct page *page = malloc(sizeof(*page));
    char came[sizeof(body)];
    struct error err = {0};

    (void)state;
    memcpy(came, body, sizeof(body));
    assert_int_equal(page_slice(page, text_of(came), &err), 0);
    assert_memory_equal(came, body, sizeof(body));
    assert_int_equal(page->count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(page->rows[i].bytes.length, strlen(wanted[i]));
        assert_memory_equal(page->rows[i].bytes.data, wanted[i], strlen(wanted[i]));
    }
    assert_int_equal(page->rows[2].id, 7);
    free(page);
}

static void strips_brackets(void **state)
{
    (void)state;
    assert_memory_equal(page_strip_brackets(text_of(" [{\"id\":}] ")).data, "{\"id\":}", 7);
    assert_int_equal(page_strip_brackets(text_of(" [{\"id\":}] ")).length, 7);
    assert_int_equal(page_strip_brackets(text_of("<html>")).length, 6);
    assert_int_equal(page_strip_brackets(text_of("[")).length, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(refuses_endless_and_deep),
        cmocka_unit_test(reads_facts),
        cmocka_unit_test(splices),
        cmocka_unit_test(finds_coupons_after_lines),
        cmocka_unit_test(slicing_leaves_the_page_as_it_came),
        cmocka_unit_test(strips_brackets),
    };

    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
