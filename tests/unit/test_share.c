/* test_share.c - how many of the pusher's workers a store gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../services/pusher/share.h"

/* How many workers the store gets when it wants all. */
static int take_all(struct share *share, int store)
{
    int count = 0;

    while (share->busy < share->workers && share_allows(share, store, TOPIC_LANE_ORDERS)) {
        share_take(share, store, TOPIC_LANE_ORDERS);
        count++;
    }
    return count;
}

static void the_only_store_gets_all_workers(void **state)
{
    struct share share;

    (void)state;
    share_init(&share, 32, 1);
    assert_int_equal(take_all(&share, 0), 32);
    share_clear(&share);
}

static void a_store_of_several_leaves_some(void **state)
{
    struct share share;

    (void)state;
    share_init(&share, 32, 50);
    assert_int_equal(take_all(&share, 1), 24);
    assert_int_equal(take_all(&share, 2), 6);
    assert_true(share_allows(&share, 3, TOPIC_LANE_ORDERS));
    share_clear(&share);
}

static void stores_that_want_all_come_to_equal_shares(void **state)
{
    struct share share;

    (void)state;
    share_init(&share, 32, 50);
    take_all(&share, 1);
    for (int i = 0; i < 300; i++) { /* in turn each gives one back, and asks for another one last */
        int store = 1 + i % 3;

        if (share.in_hand[store] > 0)
            share_give(&share, store, TOPIC_LANE_ORDERS);
        for (int next = 1; next <= 3; next++) {
            int asks = 1 + (store + next - 1) % 3;

            if (share.busy < share.workers && share_allows(&share, asks, TOPIC_LANE_ORDERS))
                share_take(&share, asks, TOPIC_LANE_ORDERS);
        }
    }
    for (int store = 1; store <= 3; store++)
        assert_in_range(share.in_hand[store], 8, 11);
    assert_true(share.busy < share.workers);
    share_clear(&share);
}

static void few_workers_are_all_used(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 4; workers++) {
        struct share share;

        share_init(&share, workers, 2);
        assert_int_equal(take_all(&share, 1) + take_all(&share, 2), workers);
        share_clear(&share);
    }
}

static void a_stores_records_that_wait_leave_room_for_others(void **state)
{
    struct share share;
    int count = 0;

    (void)state;
    share_init(&share, 2, 2);
    for (; share_has_room(&share, 1, TOPIC_LANE_ORDERS, count); count++)
        share_wait(&share, 1, TOPIC_LANE_ORDERS, 1);
    assert_int_equal(count, 24);
    assert_true(share_has_room(&share, 2, TOPIC_LANE_ORDERS, count));
    share_wait(&share, 1, TOPIC_LANE_ORDERS, -1);
    assert_true(share_has_room(&share, 1, TOPIC_LANE_ORDERS, count - 1));
    share_clear(&share);
    share_init(&share, 2, 1);
    assert_true(share_has_room(&share, 1, TOPIC_LANE_ORDERS, 3));
    assert_false(share_has_room(&share, 1, TOPIC_LANE_ORDERS, 4));
    share_clear(&share);
}

/* However much of the history waits, it gets a quarter of the workers, and its records take no room from
 * those of the orders. */
static void bulk_gets_a_quarter(void **state)
{
    (void)state;
    for (int stores = 1; stores <= 2; stores++) {
        struct share share;
        int count = 0;

        share_init(&share, 32, stores);
        while (share_allows(&share, 0, TOPIC_LANE_HISTORY)) {
            share_take(&share, 0, TOPIC_LANE_HISTORY);
            count++;
        }
        assert_int_equal(count, 8);
        assert_false(share_allows(&share, 0, TOPIC_LANE_CONTACTS));
        assert_true(share_allows(&share, 0, TOPIC_LANE_ORDERS));
        share_give(&share, 0, TOPIC_LANE_HISTORY);
        assert_true(share_allows(&share, 0, TOPIC_LANE_CONTACTS));
        share_clear(&share);
    }
}

static void one_worker_takes_bulk_too(void **state)
{
    struct share share;

    (void)state;
    share_init(&share, 1, 1);
    assert_true(share_allows(&share, 0, TOPIC_LANE_HISTORY));
    share_take(&share, 0, TOPIC_LANE_HISTORY);
    assert_false(share_allows(&share, 0, TOPIC_LANE_HISTORY));
    share_clear(&share);
}

static void waiting_bulk_takes_no_room_from_orders(void **state)
{
    struct share share;

    (void)state;
    share_init(&share, 8, 1);
    for (int i = 0; i < 30; i++)
        share_wait(&share, 0, TOPIC_LANE_HISTORY, 1);
    assert_true(share_has_room(&share, 0, TOPIC_LANE_ORDERS, 30));
    assert_true(share_has_room(&share, 0, TOPIC_LANE_ORDERS, 45));
    assert_false(share_has_room(&share, 0, TOPIC_LANE_ORDERS, 46));
    share_clear(&share);
}

static void a_full_lane_is_not_read(void **state)
{
    struct share share;

    (void)state;
    share_init(&share, 8, 1);
    for (int i = 0; i < 23; i++)
        share_hold(&share, TOPIC_LANE_HISTORY, 1);
    assert_true(share_reads(&share, TOPIC_LANE_HISTORY, 1));
    share_hold(&share, TOPIC_LANE_HISTORY, 1);
    assert_false(share_reads(&share, TOPIC_LANE_HISTORY, 1));
    assert_true(share_reads(&share, TOPIC_LANE_PRODUCTS, 1));
    assert_true(share_has_room(&share, 0, TOPIC_LANE_HISTORY, 0)); /* for what comes back */
    for (int i = 0; i < 11; i++)
        share_hold(&share, TOPIC_LANE_HISTORY, -1);
    assert_false(share_reads(&share, TOPIC_LANE_HISTORY, 0));
    share_hold(&share, TOPIC_LANE_HISTORY, -1);
    assert_true(share_reads(&share, TOPIC_LANE_HISTORY, 0));
    for (int i = 0; i < 36; i++)
        share_hold(&share, TOPIC_LANE_HISTORY, 1);
    assert_false(share_has_room(&share, 0, TOPIC_LANE_HISTORY, 0));
    assert_true(share_is_full(&share, TOPIC_LANE_HISTORY));
    share_hold(&share, TOPIC_LANE_HISTORY, -1);
    assert_false(share_is_full(&share, TOPIC_LANE_HISTORY));
    assert_false(share_is_full(&share, TOPIC_LANE_CONTACTS));
    share_hold(&share, TOPIC_LANE_ORDERS, 1000);
    assert_false(share_is_full(&share, TOPIC_LANE_ORDERS));
    assert_true(share_reads(&share, TOPIC_LANE_ORDERS, 1));
    share_clear(&share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_only_store_gets_all_workers),
        cmocka_unit_test(a_store_of_several_leaves_some),
        cmocka_unit_test(stores_that_want_all_come_to_equal_shares),
        cmocka_unit_test(few_workers_are_all_used),
        cmocka_unit_test(bulk_gets_a_quarter),
        cmocka_unit_test(one_worker_takes_bulk_too),
        cmocka_unit_test(waiting_bulk_takes_no_room_from_orders),
        cmocka_unit_test(a_full_lane_is_not_read),
        cmocka_unit_test(a_stores_records_that_wait_leave_room_for_others),
    };

    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
