#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "base/text.h"

static void test_trim(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a", "a"},
        {" a b ", "a b"},
        {"\t\r\n", ""},
        {"\x01\x7f x\x1f", "x"},
        {"\xc2\xa0x\xc2\xa0", "x"},                 /* no-break space */
        {"\xc2\x85x\xc2\x9f", "x"},                 /* C1 controls */
        {"\xe3\x80\x80x\xe2\x80\x8b", "x"},         /* ideographic space, zero width space */
        {"\xef\xbb\xbfx", "x"},                     /* byte order mark */
        {"\xc2\xa1x\xc3\xa0", "\xc2\xa1x\xc3\xa0"}, /* letters and signs stay */
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80 ", "\xf0\x9f\x98\x80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (!text_is(text_trim(text_of(cases[i][0])), cases[i][1]))
            fail_msg("text_trim case %zu", i);
}

static void test_compare(void **state)
{
    (void)state;
    assert_true(text_equal_nocase(text_of("Mug-1"), text_of("mUG-1")));
    assert_false(text_equal_nocase(text_of("Mug-1"), text_of("Mug-12")));
    assert_false(text_equal_nocase(text_of("\xc3\x89"), text_of("\xc3\xa9"))); /* ASCII only */
    assert_int_equal(text_hash_nocase(text_of("Mug-1")), text_hash_nocase(text_of("mUG-1")));
    assert_int_equal(text_count_chars(text_of("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
    assert_true(text_has_blank(text_of("a b")));
    assert_true(text_has_blank(text_of("a\xc2\xa0")));
    assert_false(text_has_blank(text_of("a\xc3\xa9")));
}

static void test_to_int(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"-1", 0, -1},
        {"007", 0, 7},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"9223372036854775808", -1, 0},
        {"-9223372036854775809", -1, 0},
        {"99999999999999999999999", -1, 0},
        {"", -1, 0},
        {"-", -1, 0},
        {"+1", -1, 0},
        {"1.0", -1, 0},
        {"1e2", -1, 0},
        {" 1", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 0;

        if (text_to_int(text_of(cases[i].text), &value) != cases[i].result ||
            value != cases[i].value)
            fail_msg("text_to_int(\"%s\") = %lld", cases[i].text, (long long)value);
    }
}

static void test_dates(void **state)
{
    static const struct {
        const char *text;
        const char *iso; /* NULL: not a date */
    } cases[] = {
        {"Tue, 05 Mar 2019 21:40:11 +0000", "2019-03-05T21:40:11Z"},
        {"5 mar 2019 21:40 GMT", "2019-03-05T21:40:00Z"},
        {"Thu, 01 Jan 1970 00:00:00 Z", "1970-01-01T00:00:00Z"},
        {"Wed, 31 Dec 1969 23:59:59 UT", "1969-12-31T23:59:59Z"},
        {"Thu, 29 Feb 2024 23:30:00 -0130", "2024-03-01T01:00:00Z"},
        {"Fri, 01 Mar 2024 00:30:00 +0100", "2024-02-29T23:30:00Z"},
        {"Tue, 29 Feb 2000 12:00:00 +0000", "2000-02-29T12:00:00Z"},
        {"Mon, 31 Dec 2029 23:59:59 +0000", "2029-12-31T23:59:59Z"},
        {"Thu, 29 Feb 1900 12:00:00 +0000", NULL},
        {"Fri, 31 Apr 2026 12:00:00 +0000", NULL},
        {"Fri, 00 Apr 2026 12:00:00 +0000", NULL},
        {"Fri, 10 Foo 2026 12:00:00 +0000", NULL},
        {"Fri, 10 Apr 2026 24:00:00 +0000", NULL},
        {"Fri, 10 Apr 2026 12:60:00 +0000", NULL},
        {"Fri, 10 Apr 2026 12:00:00", NULL},
        {"Fri, 10 Apr 2026 12:00:00 +00", NULL},
        {"Fri, 10 Apr 2026 12:00:00 +0000 x", NULL},
        {"Fri, 10 Apr 26 12:00:00 +0000", NULL},
        {"2026-04-10T12:00:00Z", NULL},
        {"Fri,", NULL},
        {"", NULL},
    };
    char text[DATE_ISO_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t at_ms = 0;
        int result = date_parse_rfc2822(text_of(cases[i].text), &at_ms);

        if (cases[i].iso == NULL ? result != -1
                                 : result != 0 || strcmp(date_print_iso(text, at_ms), cases[i].iso))
            fail_msg("date_parse_rfc2822(\"%s\")", cases[i].text);
    }
    assert_int_equal(date_parse_rfc2822(text_of("Tue, 05 Mar 2019 21:40:11 +0000"), &(int64_t){0}),
                     0);
    assert_string_equal(date_print_iso(text, 1551822011999), "2019-03-05T21:40:11Z");
}

static void test_json_text(void **state)
{
    static const struct {
        const char *text;
        size_t max_chars;
        const char *json;
    } cases[] = {
        {"plain", 100, "\"plain\""},
        {"", 100, "\"\""},
        {"a\"b\\c/", 100, "\"a\\\"b\\\\c/\""},
        {"a\nb\x7f"
         "c",
         100, "\"a b c\""},
        {"a\xc2\x85"
         "b\xc2\xa9",
         100, "\"a b\xc2\xa9\""},
        {"\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\"\xc3\xa9\xc3\xa9\""},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 1, "\"\xf0\x9f\x98\x80\""},
        {"ab cd", 3, "\"ab\""},        /* no blank at the end of what was cut */
        {"\"\"\"", 2, "\"\\\"\\\"\""}, /* escapes do not count */
        {"abc", 3, "\"abc\""},
        {"abc", 0, "\"\""},
    };
    struct buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buffer_reset(&out);
        json_write_text(&out, text_of(cases[i].text), cases[i].max_chars);
        assert_string_equal(out.data, cases[i].json);
    }
    buffer_reset(&out);
    json_write_int(&out, INT64_MIN);
    json_write_int(&out, 0);
    assert_string_equal(out.data, "-92233720368547758080");
    buffer_clear(&out);
}

/* Every name is found whatever stands beside it, and nothing else is. */
static void test_json_pick(void **state)
{
    static const char *const names[] = {"id", "status_id", "total", "total_tax", "a", "b"};
    static const char object[] =
        "{\"\":0,\"b\":1,\"id\":2,\"total_tax\":3,\"totals\":4,\"total\":5,\"id\":6,\"c\":7,"
        "\"a name that is much longer than any that is looked for\":8,\"i\\u0000\":9}";
    struct json_memory memory = {0};
    struct json_names index;
    yyjson_val *fields[6];
    const char *why;
    size_t where;
    yyjson_doc *doc = json_read(&memory, text_of(object), &why, &where);

    (void)state;
    assert_non_null(doc);
    json_names_init(&index, names, 6);
    json_pick(&index, yyjson_doc_get_root(doc), fields);
    assert_true(text_is(json_text(fields[0]), "6")); /* the last of two */
    assert_null(fields[1]);
    assert_true(text_is(json_text(fields[2]), "5"));
    assert_true(text_is(json_text(fields[3]), "3"));
    assert_null(fields[4]);
    assert_true(text_is(json_text(fields[5]), "1"));
    yyjson_doc_free(doc);
    assert_null(json_read(&memory, text_of("{\"a\":\"\xff\"}"), &why, &where));
    assert_int_equal(where, 6);
    json_memory_clear(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trim),      cmocka_unit_test(test_compare),
        cmocka_unit_test(test_to_int),    cmocka_unit_test(test_dates),
        cmocka_unit_test(test_json_text), cmocka_unit_test(test_json_pick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
