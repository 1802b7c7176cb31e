/* What the poller reads of a catalogue and of customers besides them: marks, the store's currency, the
 * cursor; and how many of them are asked for at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/poller/catalog_marks.h"
#include "../../services/poller/contacts.h"
#include "../../services/poller/pace.h"
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

static void test_a_customer_alone(void **state)
{
    static const struct {
        const char *body;
        int rc;
        int is_page;
    } cases[] = {
        {"{\"data\":[{\"id\":7}],\"meta\":{\"cursor_pagination\":{\"end_cursor\":\"abc\"}}}", 0, 1},
        {"{\"data\":[{\"id\":7}],\"meta\":{\"cursor_pagination\":{}}}", -1, 1},
        {"{\"data\":[{\"id\":7}]}", -1, 1},
        {"{\"data\":[{\"id\":7},{\"id\":8}],\"meta\":{\"cursor_pagination\":{\"end_cursor\":"
         "\"abc\"}}}",
         -1, 1},
        {"{\"data\":[{\"id\":0}],\"meta\":{\"cursor_pagination\":{\"end_cursor\":\"abc\"}}}", -1,
         1},
        {"{\"data\":[{}],\"meta\":{\"cursor_pagination\":{\"end_cursor\":\"abc\"}}}", -1, 1},
        {"{\"data\":[],\"meta\":{\"cursor_pagination\":{\"end_cursor\":\"abc\"}}}", -1, 1},
        {"{\"data\":{}}", -1, 0},
        {"{\"data\":[{\"id\":7}", -1, 0},
        {"{", -1, 0},
        {"", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text body = text_of(cases[i].body);
        struct buffer after = {0};
        int64_t id = 0;

        if (contacts_read_one(body, &id, &after) != cases[i].rc ||
            contacts_is_page(body) != cases[i].is_page)
            fail_msg("%s", cases[i].body);
        if (cases[i].rc == 0) {
            assert_int_equal(id, 7);
            assert_memory_equal(after.data, "abc", 3);
        }
        assert_int_equal(after.length, cases[i].rc == 0 ? 3 : 0);
        buffer_clear(&after);
    }
}

static void test_pace(void **state)
{
    static const enum bigcommerce_answer others[] = {BIGCOMMERCE_CLOSED, BIGCOMMERCE_GONE,
                                                     BIGCOMMERCE_REFUSED, BIGCOMMERCE_UNAVAILABLE};
    struct pace pace;

    (void)state;
    pace_init(&pace, "products", 50);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(pace_narrow(&pace, others[i]), PACE_WAIT);
    assert_int_equal(pace.limit, 50); /* none of these is about one of them */
    assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TROUBLE), PACE_WAIT);
    assert_int_equal(pace.limit, 12);
    assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TOO_LARGE), PACE_AT_ONCE);
    assert_int_equal(pace.limit, 3);
    assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TROUBLE), PACE_WAIT);
    assert_int_equal(pace.limit, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TROUBLE), PACE_WAIT);
    assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TROUBLE), PACE_STEP_OVER);
    pace_succeed(&pace, "abc123");
    assert_int_equal(pace.limit, 4);
    pace_succeed(&pace, "abc123");
    assert_int_equal(pace.limit, 16);
    pace_succeed(&pace, "abc123");
    assert_int_equal(pace.limit, 50);
    pace.limit = 1;
    assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TROUBLE), PACE_WAIT);
    assert_int_equal(pace_narrow(&pace, BIGCOMMERCE_TOO_LARGE), PACE_STEP_OVER);
}

/* A refusal is told even where the store was in other trouble before. */
static void test_alarm(void **state)
{
    const struct error err = {ERROR_TEMPORARY, "HTTP 403"};
    struct pace pace;

    (void)state;
    pace_init(&pace, "products", 50);
    assert_false(pace_put_off(&pace, "abc123", 0, &err));
    assert_true(pace_put_off(&pace, "abc123", 1, &err));
    assert_false(pace_put_off(&pace, "abc123", 1, &err));
    assert_false(pace_put_off(&pace, "abc123", 0, &err));
    pace_succeed(&pace, "abc123");
    assert_true(pace_put_off(&pace, "abc123", 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks), cmocka_unit_test(test_currency),
        cmocka_unit_test(test_id),    cmocka_unit_test(test_a_customer_alone),
        cmocka_unit_test(test_pace),  cmocka_unit_test(test_alarm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
