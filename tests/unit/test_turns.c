/* test_turns.c - who calls next of those that wait for the governor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "infusionsoft/turns.h"

static void of_one_store_the_work_that_began_first_goes_first(void **state)
{
    struct turn turns_of[] = {
        {.since_ms = 30}, {.since_ms = 10}, {.since_ms = 20}, {.since_ms = 10}};
    static const int wanted[] = {1, 3, 2, 0};
    struct turns turns = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        turns_add(&turns, &turns_of[i]);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(turns_take(&turns), &turns_of[wanted[i]]);
    assert_null(turns_take(&turns));
}

static void a_crowd_of_one_store_costs_another_one_turn(void **state)
{
    struct turn crowd[20], quiet = {.since_ms = 1000, .flow = 2};
    struct turns turns = {0};
    int before = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        crowd[i] = (struct turn){.since_ms = i, .flow = 1};
        turns_add(&turns, &crowd[i]);
    }
    for (int i = 0; i < 5; i++) /* the crowd had turns while nobody else waited */
        assert_int_equal(turns_take(&turns)->flow, 1);
    turns_add(&turns, &quiet);
    while (turns_take(&turns)->flow == 1)
        before++;
    assert_in_range(before, 0, 1);
}

static void stores_that_wait_get_equally_many_turns(void **state)
{
    struct turn waiting[30];
    struct turns turns = {0};
    int had[3] = {0};

    (void)state;
    for (int i = 0; i < 30; i++) {
        waiting[i] = (struct turn){.since_ms = i, .flow = (uint32_t)i / 10};
        turns_add(&turns, &waiting[i]);
    }
    for (int i = 0; i < 15; i++)
        had[turns_take(&turns)->flow]++;
    for (int i = 0; i < 3; i++)
        assert_int_equal(had[i], 5);
}

static void a_store_that_did_not_wait_saves_no_turns_up(void **state)
{
    struct turn busy[40], back[10];
    struct turns turns = {0};
    int first = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        busy[i] = (struct turn){.since_ms = i, .flow = 1};
        turns_add(&turns, &busy[i]);
    }
    for (int i = 0; i < 30; i++)
        turns_take(&turns);
    for (int i = 0; i < 10; i++) {
        back[i] = (struct turn){.since_ms = 100, .flow = 2};
        turns_add(&turns, &back[i]);
    }
    for (int i = 0; i < 10; i++)
        first += turns_take(&turns)->flow == 2;
    assert_in_range(first, 5, 6);
}

static void a_lane_before_goes_first(void **state)
{
    struct turn turns_of[] = {{.since_ms = 1, .lane = TOPIC_LANE_HISTORY, .flow = 1},
                              {.since_ms = 2, .lane = TOPIC_LANE_CONTACTS, .flow = 2},
                              {.since_ms = 3, .lane = TOPIC_LANE_ORDERS, .flow = 1},
                              {.since_ms = 4, .lane = TOPIC_LANE_ORDERS, .flow = 1}};
    static const int wanted[] = {2, 3, 1, 0};
    struct turns turns = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        turns_add(&turns, &turns_of[i]);
    assert_true(turns_has_before(&turns, TOPIC_LANE_HISTORY));
    assert_false(turns_has_before(&turns, TOPIC_LANE_ORDERS));
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(turns_take(&turns), &turns_of[wanted[i]]);
    assert_false(turns_has_before(&turns, TOPIC_LANE_HISTORY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_one_store_the_work_that_began_first_goes_first),
        cmocka_unit_test(a_lane_before_goes_first),
        cmocka_unit_test(a_crowd_of_one_store_costs_another_one_turn),
        cmocka_unit_test(stores_that_wait_get_equally_many_turns),
        cmocka_unit_test(a_store_that_did_not_wait_saves_no_turns_up),
    };

    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
