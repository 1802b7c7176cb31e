/* test_held.c - orders that wait for calls of their own: which is next, when it is due again, how
 * long it may take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/poller/held.h"

static const int64_t delays_s[3] = {60, 600, 3600};

enum { LONGEST_MS = 3600000 };

static void fits_into_its_record(void **state)
{
    (void)state;
    assert_int_equal(held_room(1048576), HELD_MAX);
    assert_true(held_room(16384) * HELD_BYTES < 2 * 16384);
    assert_true(held_room(16384) > 400);
}

static void holds_each_order_once(void **state)
{
    struct held *held = calloc(1, sizeof(*held));

    (void)state;
    assert_int_equal(held_add(held, 2, 7, 1000, "d1", 5), 0);
    assert_true(held->changed);
    held->changed = 0;
    /* Shown again by the overlap: nothing to save. */
    assert_int_equal(held_add(held, 2, 7, 1000, "d1", 9), 0);
    assert_false(held->changed);
    assert_int_equal(held->count, 1);
    assert_int_equal(held_find(held, 7)->due_ms, 5);
    /* Changed meanwhile: its schedule goes on. */
    assert_int_equal(held_fail(held, held_find(held, 7), delays_s, 26, 100), 0);
    assert_int_equal(held_add(held, 2, 7, 2000, "d2", 200), 0);
    assert_int_equal(held_find(held, 7)->failures, 1);
    assert_int_equal(held_find(held, 7)->due_ms, 60100);
    assert_string_equal(held_find(held, 7)->digest, "d2");
    assert_int_equal(held_add(held, 2, 8, 1000, "", 5), 0);
    assert_int_equal(held_add(held, 2, 9, 1000, "", 5), -1);
    held_remove(held, 7);
    assert_null(held_find(held, 7));
    assert_non_null(held_find(held, 8));
    assert_int_equal(held_add(held, 2, 9, 1000, "", 5), 0);
    free(held);
}

static void asks_those_first_that_did_not_fail(void **state)
{
    struct held *held = calloc(1, sizeof(*held));

    (void)state;
    assert_null(held_next(held, 0, LONGEST_MS));
    held_add(held, 10, 1, 9000, "", 0);
    held_add(held, 10, 2, 8000, "", 0);
    held_add(held, 10, 3, 1000, "", 50);
    held_fail(held, held_find(held, 1), delays_s, 26, 0);
    assert_int_equal(held_next(held, 60000, LONGEST_MS)->id, 2);
    held_remove(held, 2);
    assert_int_equal(held_next(held, 60000, LONGEST_MS)->id, 3);
    held_fail(held, held_find(held, 3), delays_s, 26, 60000);
    assert_int_equal(held_next(held, 60000, LONGEST_MS)->id, 1);
    held_fail(held, held_find(held, 1), delays_s, 26, 60000);
    assert_null(held_next(held, 60000, LONGEST_MS));
    /* A due time beyond every delay was written by another clock. */
    assert_non_null(held_next(held, -10 * (int64_t)LONGEST_MS, LONGEST_MS));
    free(held);
}

static void gives_up_by_schedule(void **state)
{
    static const int64_t wanted_s[] = {60, 60, 60, 600, 600, 600, 3600, 3600};
    struct held *held = calloc(1, sizeof(*held));
    struct held_order *order;
    int64_t now_ms = 1000;

    (void)state;
    held_add(held, 10, 7, 0, "", now_ms);
    order = held_find(held, 7);
    for (size_t i = 0; i < sizeof(wanted_s) / sizeof(*wanted_s); i++) {
        assert_false(held_fail(held, order, delays_s, 9, now_ms));
        assert_null(held_next(held, now_ms + wanted_s[i] * 1000 - 1, LONGEST_MS));
        now_ms += wanted_s[i] * 1000;
        assert_non_null(held_next(held, now_ms, LONGEST_MS));
    }
    assert_true(held_fail(held, order, delays_s, 9, now_ms));
    free(held);
}

static void allows_a_tenth_of_the_wait(void **state)
{
    static const struct {
        int failures;
        int64_t interval_ms, limit_ms, allowance_ms;
    } cases[] = {
        {0, 30000, 18000, 5000},   {1, 30000, 18000, 6000},  {3, 30000, 18000, 6000},
        {4, 30000, 18000, 18000},  {7, 30000, 18000, 18000}, {0, 1000, 6000, 1000},
        {0, 600000, 18000, 18000}, {0, 1000, 600, 600},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct held_order order = {.failures = cases[i].failures};

        assert_int_equal(
            held_allowance_ms(&order, delays_s, cases[i].interval_ms, cases[i].limit_ms),
            cases[i].allowance_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_into_its_record),
        cmocka_unit_test(holds_each_order_once),
        cmocka_unit_test(asks_those_first_that_did_not_fail),
        cmocka_unit_test(gives_up_by_schedule),
        cmocka_unit_test(allows_a_tenth_of_the_wait),
    };

    return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
