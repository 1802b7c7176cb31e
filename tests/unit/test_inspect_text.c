/* test_inspect_text.c - texts that others wrote: what `bigfusion` prints of them, and what it hides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "history/outside_text.h"
#include "history/personal.h"

static void test_outside_text(void **state)
{
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80",
         "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"a\x1b[31mb\nc\x7f", "a\\x1B[31mb\\x0Ac\\x7F"},
        {"\xc2\x9b", "\\xC2\\x9B"}, /* a control character of Unicode */
        {"\xc0\xaf", "\\xC0\\xAF"}, /* longer than it needs to be */
        {"\xe0\x80\xaf", "\\xE0\\x80\\xAF"},
        {"\xed\xa0\x80", "\\xED\\xA0\\x80"}, /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
        {"\xe2\x82", "\\xE2\\x82"},
        {"\xff", "\\xFF"},
        {"gnp.\xe2\x80\xae"
         "exe",
         "gnp.\\xE2\\x80\\xAE"
         "exe"}, /* it turns what follows */
        {"\xe2\x80\xaa", "\\xE2\\x80\\xAA"},
        {"\xe2\x81\xa6\xe2\x81\xa9", "\\xE2\\x81\\xA6\\xE2\\x81\\xA9"},
        {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\xE2\\x80\\x8E\\xE2\\x80\\x8F\\xD8\\x9C"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\xE2\\x80\\xA8\\xE2\\x80\\xA9"}, /* they end a line */
        {"\xe2\x80\xa6\xe2\x81\xa5\xd8\x9b", "\xe2\x80\xa6\xe2\x81\xa5\xd8\x9b"}, /* beside them */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buffer target = {0};
        json_t *json = outside_text_json(text_of(cases[i].text));

        outside_text_print(&target, text_of(cases[i].text));
        assert_string_equal(target.data != NULL ? target.data : "", cases[i].printed);
        assert_string_equal(json_string_value(json), cases[i].printed);
        json_decref(json);
        buffer_clear(&target);
    }
    assert_true(json_is_null(outside_text_json((struct text){NULL, 0})));
    assert_true(json_is_null(outside_time_json(-1)));
}

static void test_outside_text_begin(void **state)
{
    static const struct {
        const char *text;
        size_t most, length;
    } cases[] = {
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"", 0, 0},
        {"a\xc3\xbc", 2, 1},
        {"\xf0\x9f\x98\x80", 3, 0},
        {"\xe2\x82\xac!", 3, 3},
        {"\x80\x80\x80\x80\x80\x80", 5, 2}, /* no UTF-8 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(outside_text_begin(text_of(cases[i].text), cases[i].most).length,
                         cases[i].length);
}

static void test_outside_json(void **state)
{
    json_t *hostile = json_loads(
        "{\"\\u001b[2J\":[\"a\\u001b]0;x\\u0007\\u009b31m\\nb\",{\"ok\":\"M\\u00fcller\"},7,"
        "null,true]}",
        0, NULL);
    json_t *safe = outside_json(hostile);
    json_t *wanted = json_loads("{\"\\\\x1B[2J\":[\"a\\\\x1B]0;x\\\\x07\\\\xC2\\\\x9B31m\\\\x0Ab\","
                                "{\"ok\":\"M\\u00fcller\"},7,null,true]}",
                                0, NULL);

    (void)state;
    assert_true(json_equal(safe, wanted));
    json_decref(wanted);
    json_decref(safe);
    json_decref(hostile);
}

static void test_personal(void **state)
{
    static const char payload[] =
        "{\"contact\":{\"given_name\":\"J\\u00f6rg\",\"family_name\":\"Al\",\"email_addresses\":"
        "[{\"email\":\"joerg@example.org\",\"field\":\"EMAIL1\"}],\"phone_numbers\":[{\"number\":"
        "\"+49 40 12\"}],\"addresses\":[{\"line1\":\"5 East Street\",\"country_code\":\"DEU\"}]},"
        "\"order\":{\"order_title\":\"BC #1\",\"shipping_address\":{\"last_name\":\"Ng\"}}}";
    static const struct {
        const char *answer;
        const char *shown;
    } cases[] = {
        {"", ""},
        {"Al is no name", "** is no name"},
        {"\"AL\",also Ngo,ng", "\"**\",also Ngo,**"},
        {"J\xc3\xb6rg! J\\u00F6rg", "*****! *********"},
        {"call +49 40 12.", "call *********."},
        {"{\"line1\":\"5 east street\"}", "{\"line1\":\"*************\"}"},
        {"joerg@example.org and other@example.net", "***************** and *****************"},
        {"EMAIL1 of DEU in BC #1 is bad", "EMAIL1 of DEU in BC #1 is bad"},
    };
    struct personal personal = {0};

    (void)state;
    personal_learn(&personal, (struct text){0});
    personal_learn(&personal, text_of("no payload"));
    personal_learn(&personal, text_of("{\"contact\":\"x\",\"order\":[\"Jane\"]}"));
    assert_int_equal(personal.count, 0);
    personal_learn(&personal, text_of(payload));
    personal_learn(&personal, text_of(payload));
    assert_int_equal(personal.count, 7);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = mem_strdup(cases[i].answer);

        print_message("%s\n", cases[i].answer);
        personal_hide(&personal, text);
        assert_string_equal(text, cases[i].shown);
        free(text);
    }
    personal_clear(&personal);
}

static void test_personal_of_a_hostile_payload(void **state)
{
    enum { MANY = 100000 };
    struct personal personal = {0};
    struct buffer payload = {0};

    (void)state;
    buffer_printf(&payload, "{\"contact\":[");
    for (int i = 0; i < MANY; i++)
        buffer_printf(&payload, "%s\"text %d\"", i > 0 ? "," : "", i);
    buffer_printf(&payload, "]}");
    personal_learn(&personal, (struct text){payload.data, payload.length});
    assert_int_equal(personal.count, 1000);
    personal_clear(&personal);
    buffer_clear(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outside_text),
        cmocka_unit_test(test_outside_json),
        cmocka_unit_test(test_outside_text_begin),
        cmocka_unit_test(test_personal),
        cmocka_unit_test(test_personal_of_a_hostile_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
