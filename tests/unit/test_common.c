/* The small modules: keys and headers of records, reasons, backoff, log text, buffers, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/core.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "record/event.h"
#include "record/reason.h"

static void test_event_keys(void **state)
{
    static const struct {
        const char *key;
        int result;
        const char *store, *entity, *id;
    } cases[] = {
        {"abc123/order/118", 0, "abc123", "order", "118"},
        {"a/contact/1", 0, "a", "contact", "1"},
        {"a/product/0", 0, "a", "product", "0"},
        {"abc123/order/", -1, NULL, NULL, NULL},
        {"/order/1", -1, NULL, NULL, NULL},
        {"abc123/order", -1, NULL, NULL, NULL},
        {"abc123/thing/1", -1, NULL, NULL, NULL},
        {"ABC/order/1", -1, NULL, NULL, NULL},
        {"abc/order/1x", -1, NULL, NULL, NULL},
        {"abc/order/-1", -1, NULL, NULL, NULL},
        {"abc/order/1/2", -1, NULL, NULL, NULL},
        {"abc/order/123456789012345678901", -1, NULL, NULL, NULL},
        {"", -1, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct event_key parts;

        if (event_key_parse(text_of(cases[i].key), &parts) != cases[i].result)
            fail_msg("%s", cases[i].key);
        if (cases[i].result == 0 &&
            (!text_is(parts.store, cases[i].store) || !text_is(parts.entity, cases[i].entity) ||
             !text_is(parts.id, cases[i].id)))
            fail_msg("%s: wrong parts", cases[i].key);
    }
    assert_int_equal(event_key_parse((struct text){NULL, 0}, &(struct event_key){{0}, {0}, {0}}),
                     -1);
}

static void test_event_key_is_usable(void **state)
{
    static const struct {
        const char *key;
        int usable;
    } cases[] = {
        {"abc123/order/118", 1},
        {"abc123/unreadable/0123456789abcdef0123456789abcdef", 1},
        {"abc123/unreadable/0123456789abcdef0123456789abcde", 0},
        {"abc123/unreadable/0123456789abcdef0123456789abcdef0", 0},
        {"abc123/unreadable/0123456789ABCDEF0123456789abcdef", 0},
        {"/unreadable/0123456789abcdef0123456789abcdef", 0},
        {"abc123/order/0123456789abcdef0123456789abcdef", 0},
        {"bigfusion.orders.raw/0/7", 0},
        {"", 0},
    };
    struct event_key parts;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (event_key_is_usable(text_of(cases[i].key)) != cases[i].usable)
            fail_msg("%s", cases[i].key);
    assert_int_equal(event_key_is_usable((struct text){NULL, 0}), 0);
    assert_int_equal(event_key_parse(text_of(cases[1].key), &parts), -1); /* the ledger's keys */
}

static void test_event_headers(void **state)
{
    struct event event = {0};

    (void)state;
    for (int i = 0; i < HEADER_COUNT; i++)
        assert_int_equal(header_of(header_name((enum header)i)), i);
    assert_int_equal(header_of("nonsense"), HEADER_COUNT);
    assert_int_equal(event_header_int(&event, HEADER_ATTEMPT, -7), -7);
    event.headers[HEADER_ATTEMPT] = text_of("26");
    assert_int_equal(event_header_int(&event, HEADER_ATTEMPT, -7), 26);
    event.headers[HEADER_ATTEMPT] = text_of("26x");
    assert_int_equal(event_header_int(&event, HEADER_ATTEMPT, -7), -7);
    event.headers[HEADER_ATTEMPT] = text_of("253402300799999");
    assert_int_equal(event_header_int(&event, HEADER_ATTEMPT, -7), 253402300799999);
    event.headers[HEADER_ATTEMPT] = text_of("9999999999999999");
    assert_int_equal(event_header_int(&event, HEADER_ATTEMPT, -7), -7);
    event.headers[HEADER_ATTEMPT] = text_of("99999999999999999999");
    assert_int_equal(event_header_int(&event, HEADER_ATTEMPT, -7), -7);
}

static void test_output_bytes(void **state)
{
    struct output output = {.key = text_of("abc123/order/118"), .value = text_of("{}")};

    (void)state;
    assert_int_equal(output_bytes(&output), 18);
    output.headers[HEADER_LEDGER] = text_of("0123456789");
    assert_int_equal(output_bytes(&output), 18 + 10 + strlen("ledger"));
}

static void test_event_hash_contact(void **state)
{
    uint32_t hash = event_hash_contact(text_of("main"), text_of("jane@example.com"));

    (void)state;
    assert_int_equal(hash, event_hash_contact(text_of("main"), text_of("  Jane@Example.COM ")));
    assert_int_not_equal(hash, event_hash_contact(text_of("other"), text_of("jane@example.com")));
    assert_int_not_equal(hash, event_hash_contact(text_of("main"), text_of("joan@example.com")));
}

static void test_reasons(void **state)
{
    (void)state;
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const char *name = reason_name((enum reason)i);

        assert_true(strlen(name) > 0 && strlen(reason_sentence((enum reason)i)) > 10);
        assert_int_equal(reason_of(name, strlen(name)), i);
    }
    assert_int_equal(reason_of("no", 2), REASON_NONE);
}

static void test_when_a_retry_record_is_due(void **state)
{
    static const struct {
        const char *what;
        struct retry_due due; /* now, not_before, produced, delay */
        int64_t wait_ms;
    } cases[] = {
        {"all clocks agree", {100000, 160000, 100000, 60000}, 60001},
        {"half of it is over", {130000, 160000, 100000, 60000}, 30001},
        {"due", {160000, 160000, 100000, 60000}, 0},
        {"the writer's clock is an hour ahead", {100000, 3760000, 100000, 60000}, 60001},
        {"the writer's clock is an hour behind", {5000000, 1460000, 5000000, 60000}, 60001},
        {"ahead, and no time of the broker", {100000, 3760000, -1, 60000}, 60001},
        {"behind, and no time of the broker", {5000000, 1460000, -1, 60000}, 0},
        {"our own clock is an hour behind the broker's", {100000, 3760000, 3700000, 60000}, 60001},
        {"no retry topic", {100000, 104000, -1, -1}, 4001},
        {"no retry topic, a damaged header", {100000, INT64_MAX, -1, -1}, 7200001},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (retry_due_in_ms(&cases[i].due) != cases[i].wait_ms)
            fail_msg("%s: %lld", cases[i].what, (long long)retry_due_in_ms(&cases[i].due));
}

static void test_retry_delays(void **state)
{
    static const int indexes[] = {0, 0, 0, 1, 1, 1, 2, 2, 2};
    struct retry_policy policy = {.max_attempts = 5, .base_ms = 100, .cap_ms = 1000};

    (void)state;
    assert_int_equal(retry_delay_ms(&policy, 1, 0.5, -1), 50);
    assert_int_equal(retry_delay_ms(&policy, 2, 0.5, -1), 100);
    assert_int_equal(retry_delay_ms(&policy, 4, 0.5, -1), 400);
    assert_int_equal(retry_delay_ms(&policy, 5, 0.5, -1), -1);
    for (int failures = 1; failures <= 9; failures++)
        assert_int_equal(retry_delay_index(failures), indexes[failures - 1]);
    assert_int_equal(retry_delay_ms(&policy, 1, 0.0, 7000), 7000); /* never before what was asked */
    policy.max_attempts = 0;
    assert_int_equal(retry_delay_ms(&policy, 1000000, 0.5, -1), 500); /* the cap holds for ever */
    for (int i = 0; i < 100; i++) {
        double chance = retry_chance();

        assert_true(chance >= 0.0 && chance < 1.0);
    }
}

static void test_log_escape(void **state)
{
    char target[32];

    (void)state;
    assert_string_equal(log_escape(target, sizeof(target), "a\"b\\\n\xc3", 6),
                        "a\\x22b\\x5c\\x0a\\xc3");
    assert_string_equal(log_escape(target, 8, "abcdefgh", 8),
                        "abcd"); /* cut, never half an escape */
    assert_string_equal(log_escape(target, sizeof(target), "", 0), "");
}

static void test_buffer(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    buffer_append(&buffer, "ab", 2);
    buffer_printf(&buffer, "%d-%s", 7, "c");
    assert_string_equal(buffer.data, "ab7-c");
    assert_int_equal(buffer.length, 5);
    buffer_reset(&buffer);
    assert_string_equal(buffer.data, "");
    for (int i = 0; i < 10000; i++)
        buffer_append(&buffer, "x", 1);
    assert_int_equal(strlen(buffer.data), 10000);
    buffer_clear(&buffer);
    assert_null(buffer.data);
}

static void test_errors(void **state)
{
    struct error err = {0};
    char longer[400];

    (void)state;
    assert_int_equal(exit_status(&err), 0);
    assert_int_equal(error_set(&err, ERROR_TEMPORARY, "HTTP %d", 429), -1);
    error_set(&err, ERROR_PERMANENT, "a later cause");
    error_prefix(&err, "order %d: ", 118);
    assert_string_equal(err.text, "order 118: HTTP 429"); /* the first cause wins */
    assert_int_equal(exit_status(&err), 111);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    error_prefix(&err, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_clear(&err);
    assert_int_equal(err.kind, ERROR_NONE);
}

static void test_attack_12_no_core_file(void **state)
{
    struct rlimit limit;

    (void)state;
    core_forbid();
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
    assert_int_equal(limit.rlim_max, 0);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L), 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_keys),
        cmocka_unit_test(test_event_key_is_usable),
        cmocka_unit_test(test_event_headers),
        cmocka_unit_test(test_output_bytes),
        cmocka_unit_test(test_event_hash_contact),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_retry_delays),
        cmocka_unit_test(test_when_a_retry_record_is_due),
        cmocka_unit_test(test_log_escape),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_attack_12_no_core_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
