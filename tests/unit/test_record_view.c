/* test_record_view.c - records decoded for people: what is masked, and that nothing but text comes
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/inspector/record_view.h"
#include "../../services/inspector/shown_value.h"

static void test_shown_value(void **state)
{
    static const struct {
        const char *value, *masked, *whole; /* whole NULL: the value as it is */
    } cases[] = {
        {"{\"id\":118,\"status\":\"Shipped\",\"staff_notes\":\"call "
         "Jane\",\"total_inc_tax\":\"72.23\"}",
         "{\"id\":118,\"status\":\"Shipped\",\"staff_notes\":\"***\",\"total_inc_tax\":\"72.23\"}",
         NULL},
        {"{\"billing_address\":{\"first_name\":\"Jane\",\"zip\":78108,\"country_iso2\":\"US\","
         "\"status\":\"x\",\"id\":5,\"company\":\"\",\"phone\":null}}",
         "{\"billing_address\":{\"first_name\":\"***\",\"zip\":\"***\",\"country_iso2\":\"US\","
         "\"status\":\"***\",\"id\":\"***\",\"company\":\"\",\"phone\":null}}",
         NULL},
        {"{\"consignments\":{\"shipping\":[{\"first_name\":\"Jane\",\"zip\":7,\"line_items\":[{"
         "\"sku\":"
         "\"S-1\",\"name\":\"For Jane\",\"quantity\":2}]}]}}",
         "{\"consignments\":{\"shipping\":[{\"first_name\":\"***\",\"zip\":\"***\",\"line_items\":["
         "{"
         "\"sku\":\"S-1\",\"name\":\"***\",\"quantity\":2}]}]}}",
         NULL},
        {"{\"contact\":{\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"5 "
         "East\"}],\"phone_numbers\":[{"
         "\"number\":\"1\",\"field\":\"PHONE1\"}]},\"order\":{\"order_title\":\"BC #1\"}}",
         "{\"contact\":{\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"***\"}],\"phone_"
         "numbers\":[{"
         "\"number\":\"***\",\"field\":\"PHONE1\"}]},\"order\":{\"order_title\":\"BC #1\"}}",
         NULL},
        {"{\"jane@example.org\":1,\"email\":\"jane@example.org\",\"customer_email\":7}",
         "{\"***\":1,\"email\":\"***\",\"customer_email\":\"***\"}", NULL},
        {"[\"Jane\",true,{\"steps\":[\"contact\"]}]", "[\"***\",true,{\"steps\":[\"contact\"]}]",
         NULL},
        {"{\"sku\":\"a\\u001b[2J\\u0000\\u009b\"}",
         "{\"sku\":\"a\\\\x1B[2J\\\\x00\\\\xC2\\\\x9B\"}",
         "{\"sku\":\"a\\\\x1B[2J\\\\x00\\\\xC2\\\\x9B\"}"},
        {"\"Jane\"", "\"6 bytes that are no JSON\"", "\"\\\"Jane\\\"\""},
        {"Jane\x1b", "\"5 bytes that are no JSON\"", "\"Jane\\\\x1B\""},
        {"", "\"0 bytes that are no JSON\"", "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *masked = shown_value(text_of(cases[i].value), 0);
        json_t *whole = shown_value(text_of(cases[i].value), 1);
        const char *wanted = cases[i].whole != NULL ? cases[i].whole : cases[i].value;
        json_t *masked_wanted = json_loads(cases[i].masked, JSON_DECODE_ANY, NULL);
        json_t *whole_wanted = json_loads(wanted, JSON_DECODE_ANY, NULL);

        print_message("%s\n", cases[i].masked);
        assert_true(json_equal(masked, masked_wanted));
        assert_true(json_equal(whole, whole_wanted));
        json_decref(masked);
        json_decref(masked_wanted);
        json_decref(whole);
        json_decref(whole_wanted);
    }
    assert_true(json_is_null(shown_value((struct text){NULL, 0}, 0)));
}

static void test_view(void **state)
{
    static const char payload[] = "{\"contact\":{\"given_name\":\"Jane\"},\"kind\":\"order\"}";
    struct config config = {.kafka.topic_prefix = "bf"};
    struct topics topics = {0};
    struct event event = {.key = text_of("abc123/order/5\n"),
                          .value = text_of(payload),
                          .partition = 2,
                          .offset = 7,
                          .timestamp_ms = INT64_C(1790000000000)};
    struct personal personal = {0}, nothing = {0};
    struct buffer text = {0};
    json_t *view;

    (void)state;
    topics_init(&topics, &config);
    event.topic = topics.dead;
    event.headers[HEADER_REASON] = text_of("refused");
    event.headers[HEADER_MODIFIED_AT] = text_of("1790000000001");
    event.headers[HEADER_START_FROM] = text_of("0");
    event.headers[HEADER_ANSWER] = text_of("JANE is \x1b no name");
    personal_learn(&personal, event.value);
    view = record_view(&topics, &event, 0);
    record_view_hide(view, &personal);
    record_view_print(view, &text);
    assert_string_equal(text.data,
                        "dead  bf.dead/2/7  2026-09-21T14:13:20.000Z  abc123/order/5\\x0A\n"
                        "  modified_at: 2026-09-21T14:13:20.001Z\n  start_from: 0\n"
                        "  reason: refused\n  answer: **** is \\x1B no name\n"
                        "{\n  \"contact\": {\n    \"given_name\": \"***\"\n  },\n"
                        "  \"kind\": \"order\"\n}\n\n");
    buffer_reset(&text);
    record_view_hide(view, &nothing);
    record_view_print_line(view, 0, &text);
    assert_string_equal(
        text.data,
        "2026-09-21T14:13:20.000Z  dead              bf.dead/2/7                           "
        "abc123/order/5\\x0A        modified_at=2026-09-21T14:13:20.001Z start_from=0 "
        "reason=refused answer=\"not shown: it may name the customer\"  "
        "{\"contact\":{\"given_name\":\"***\"},\"kind\":\"order\"}\n");
    json_decref(view);
    buffer_reset(&text);
    event.value = (struct text){NULL, 0};
    event.key = (struct text){NULL, 0};
    memset(event.headers, 0, sizeof(event.headers));
    view = record_view(&topics, &event, 0);
    record_view_print_line(view, 0, &text);
    assert_non_null(strstr(text.data, "  -  "));
    assert_non_null(strstr(text.data, "  no value (a tombstone)\n"));
    json_decref(view);
    personal_clear(&personal);
    buffer_clear(&text);
    topics_clear(&topics);
}

/* A line stays short, and no character is cut in two. */
static void test_long_value(void **state)
{
    struct config config = {.kafka.topic_prefix = "bf"};
    struct topics topics = {0};
    struct event event = {.partition = 0};
    struct buffer value = {0}, text = {0};
    json_t *view;

    (void)state;
    topics_init(&topics, &config);
    event.topic = topics.lanes[TOPIC_LANE_ORDERS].raw;
    buffer_printf(&value, "{\"sku\":\"");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&value, "\xc3\xbc");
    buffer_printf(&value, "\"}");
    event.value = (struct text){value.data, value.length};
    view = record_view(&topics, &event, 0);
    record_view_print_line(view, 0, &text);
    assert_true(text.length < 400 && strcmp(text.data + text.length - 6, "\xc3\xbc...\n") == 0);
    buffer_reset(&text);
    record_view_print_line(view, 1, &text);
    assert_true(text.length > 2000);
    json_decref(view);
    buffer_clear(&value);
    buffer_clear(&text);
    topics_clear(&topics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown_value),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_long_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
