/* What the poller reads of a catalogue besides products: marks, the store's currency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/poller/catalog_marks.h"
#include "../../services/poller/sweep_page.h"

#define DIGEST "0123456789abcdef0123456789abcdef"

static void test_marks(void **state)
{
    static const struct {
        const char *value;
        const char *digest;
        int64_t version;
    } cases[] = {
        {DIGEST ":1790000000000", DIGEST, 1790000000000},
        {DIGEST ":0", DIGEST, 0},
        {DIGEST ":", "", 0},
        {DIGEST, "", 0},
        {"", "", 0},
        {DIGEST ":x", "", 0},
        {DIGEST ":-5", "", 0},
        {DIGEST "5:5", "", 0},
        {"x", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct catalog_mark mark = {.id = 7, .digest = "x", .version = 9};

        catalog_mark_parse(&mark, text_of(cases[i].value));
        if (strcmp(mark.digest, cases[i].digest) != 0 || mark.version != cases[i].version)
            fail_msg("%s: \"%s\" %lld", cases[i].value, mark.digest, (long long)mark.version);
    }
}

static void test_currency(void **state)
{
    static const char *const wrong[] = {
        "", "{}", "[]", "{\"currency\":5}", "{\"currency\":\"usd\"}", "{\"currency\":\"EURO\"}",
        "{"};
    char currency[4] = "";
    struct error err = {0};

    (void)state;
    assert_int_equal(
        sweep_read_currency(text_of("{\"id\":\"x\",\"currency\":\"JPY\"}"), currency, &err), 0);
    assert_string_equal(currency, "JPY");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error why = {0};

        assert_int_equal(sweep_read_currency(text_of(wrong[i]), currency, &why), -1);
        assert_int_equal(why.kind, ERROR_TEMPORARY);
    }
}

static void test_id(void **state)
{
    (void)state;
    assert_int_equal(sweep_read_id(text_of("{\"data\":[{\"id\":77,\"name\":\"x\"}]}")), 77);
    assert_int_equal(sweep_read_id(text_of("{\"data\":[]}")), -1);
    assert_int_equal(sweep_read_id(text_of("{\"data\":[{\"id\":\"77\"}]}")), 77);
    assert_int_equal(sweep_read_id(text_of("{\"data\":[{\"id\":-1}]}")), -1);
    assert_int_equal(sweep_read_id(text_of("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_currency),
        cmocka_unit_test(test_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
