/* test_paused.c - the records that say what operators paused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/paused.h"
#include "base/mem.h"

static void add(struct paused *paused, const char *key, const char *value)
{
    struct event event = {.key = text_of(key), .value = text_of(value)};

    paused_add(paused, &event);
}

static void test_last_record_counts(void **state)
{
    struct paused paused = {0};
    const struct paused_one *one;

    (void)state;
    add(&paused, "store/abc123",
        "{\"since\":1700000000000,\"who\":\"ann@host\",\"why\":\"stock\",\"audit\":7}");
    add(&paused, "account/main", "{\"since\":1,\"who\":\"bob\",\"why\":null,\"audit\":8}");
    assert_int_equal(paused.count, 2);
    one = paused_find(&paused, PAUSED_STORE, "abc123");
    assert_non_null(one);
    assert_int_equal(one->since_ms, 1700000000000);
    assert_int_equal(one->audit, 7);
    assert_string_equal(one->who, "ann@host");
    assert_string_equal(one->why, "stock");
    assert_string_equal(paused_find(&paused, PAUSED_ACCOUNT, "main")->why, "");
    assert_null(paused_find(&paused, PAUSED_ACCOUNT, "abc123"));
    assert_null(paused_find(&paused, PAUSED_STORE, "abc12"));
    add(&paused, "store/abc123", "{\"since\":5,\"who\":\"eve\",\"why\":\"again\",\"audit\":9}");
    assert_int_equal(paused.count, 2);
    assert_string_equal(paused_find(&paused, PAUSED_STORE, "abc123")->who, "eve");
    add(&paused, "store/abc123", NULL);
    assert_null(paused_find(&paused, PAUSED_STORE, "abc123"));
    add(&paused, "store/abc123", NULL);
    assert_int_equal(paused.count, 1);
    paused_clear(&paused);
}

/* Only a tombstone ends a pause, so what cannot be read pauses too. */
static void test_hostile_values_pause(void **state)
{
    static const char *const values[] = {
        "", "{", "[]", "null", "{\"since\":\"x\",\"who\":1,\"why\":{},\"audit\":1.5}", "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct paused paused = {0};

        add(&paused, "account/main", values[i]);
        assert_non_null(paused_find(&paused, PAUSED_ACCOUNT, "main"));
        assert_int_equal(paused.list[0].since_ms, -1);
        assert_string_equal(paused.list[0].who, "");
        paused_clear(&paused);
    }
}

static void test_hostile_keys_are_passed_over(void **state)
{
    char longest[PAUSED_KEY_BYTES + 1] = {0};
    struct paused paused = {0};

    (void)state;
    for (int i = 0; i < PAUSED_KEY_BYTES; i++)
        longest[i] = 'x';
    add(&paused, longest, "{}");
    add(&paused, "", "{}");
    add(&paused, NULL, "{}");
    assert_int_equal(paused.count, 0);
    paused_clear(&paused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_record_counts),
        cmocka_unit_test(test_hostile_values_pause),
        cmocka_unit_test(test_hostile_keys_are_passed_over),
    };

    return cmocka_run_group_tests_name("paused", tests, NULL, NULL);
}
