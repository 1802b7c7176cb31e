/* The clients of an HTTP server: who is too late, and who has to go when there is little room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/deadlines.h"
#include "net/metric.h"

enum { MAX = 8, ROOM = MAX / 4 * 3, REQUEST_MS = 2000, ANSWER_MS = 3000 };

static const struct deadlines_settings settings = {MAX, REQUEST_MS, ANSWER_MS};

static int dropped(const char *why)
{
    return (int)metric_value(metric_counter("bigfusion_slow_clients_total", "", why));
}

static int set_up(void **state)
{
    *state = deadlines_new(&settings);
    return 0;
}

static int tear_down(void **state)
{
    deadlines_free(*state);
    metric_clear_all();
    return 0;
}

static void a_request_has_its_time_however_often_the_client_says_something(void **state)
{
    deadlines_open(*state, 10, 0);
    deadlines_open(*state, 11, 500);
    assert_int_equal(deadlines_due(*state, REQUEST_MS), -1);
    assert_int_equal(deadlines_due(*state, REQUEST_MS + 1), 10);
    assert_int_equal(deadlines_due(*state, REQUEST_MS + 1), -1);
    assert_int_equal(deadlines_due(*state, REQUEST_MS + 501), 11);
    assert_int_equal(dropped("why=\"request\""), 2);
}

static void we_have_all_the_time_for_an_answer_and_the_client_has_less(void **state)
{
    struct deadlines_client *client = deadlines_open(*state, 10, 0);

    deadlines_move(*state, client, DEADLINES_WORK, 900);
    assert_int_equal(deadlines_due(*state, 1000000), -1);
    deadlines_move(*state, client, DEADLINES_ANSWER, 1000000);
    assert_int_equal(deadlines_due(*state, 1000000 + ANSWER_MS), -1);
    assert_int_equal(deadlines_due(*state, 1000001 + ANSWER_MS), 10);
    assert_int_equal(dropped("why=\"answer\""), 1);
}

static void the_next_request_of_a_connection_has_a_time_of_its_own(void **state)
{
    struct deadlines_client *client = deadlines_open(*state, 10, 0);

    deadlines_move(*state, client, DEADLINES_ANSWER, 900);
    deadlines_move(*state, client, DEADLINES_REQUEST, 950);
    assert_int_equal(deadlines_due(*state, 950 + REQUEST_MS), -1);
    assert_int_equal(deadlines_due(*state, 951 + REQUEST_MS), 10);
}

static void who_is_gone_is_named_once_and_counts_no_more(void **state)
{
    struct deadlines_client *client = deadlines_open(*state, 10, 0);

    assert_int_equal(deadlines_due(*state, REQUEST_MS + 1), 10);
    deadlines_move(*state, client, DEADLINES_REQUEST, 5000); /* its last request is completed */
    assert_int_equal(deadlines_due(*state, 1000000), -1);
    for (int i = 0; i < ROOM; i++)
        deadlines_open(*state, 20 + i, 1000000);
    assert_int_equal(deadlines_due(*state, 1000000), -1);
    deadlines_close(*state, client);
    assert_int_equal(deadlines_due(*state, 1000000), -1);
    deadlines_open(*state, 30, 1000000);
    assert_int_equal(deadlines_due(*state, 1000000), 20);
}

static void with_little_room_the_one_that_asks_the_longest_has_to_go(void **state)
{
    struct deadlines_client *busy = deadlines_open(*state, 10, 0);

    deadlines_move(*state, busy, DEADLINES_WORK, 0);
    for (int i = 1; i < ROOM; i++)
        deadlines_open(*state, 10 + i, i);
    assert_int_equal(deadlines_due(*state, 10), -1);
    deadlines_open(*state, 50, 10);
    assert_int_equal(deadlines_due(*state, 10), 11);
    assert_int_equal(deadlines_due(*state, 10), -1);
    assert_int_equal(dropped("why=\"room\""), 1);
}

static void among_slow_readers_the_one_that_has_just_come_stays(void **state)
{
    for (int i = 0; i < ROOM; i++)
        deadlines_move(*state, deadlines_open(*state, 10 + i, i), DEADLINES_ANSWER, i);
    deadlines_open(*state, 50, 10);
    assert_int_equal(deadlines_due(*state, 10), 10);
    assert_int_equal(deadlines_due(*state, 10), -1);
}

static void among_slow_readers_a_new_client_has_a_second_for_its_request(void **state)
{
    for (int i = 0; i < ROOM - 1; i++)
        deadlines_move(*state, deadlines_open(*state, 10 + i, i), DEADLINES_ANSWER, i);
    deadlines_open(*state, 50, 10);
    assert_int_equal(deadlines_due(*state, 10), -1);
    deadlines_open(*state, 51, 500);
    assert_int_equal(deadlines_due(*state, 500), 10);
    deadlines_open(*state, 52, 1010);
    assert_int_equal(deadlines_due(*state, 1010), 11);
    deadlines_open(*state, 53, 1011);
    assert_int_equal(deadlines_due(*state, 1011), 50);
}

static void where_all_others_are_worked_at_the_new_one_has_to_go(void **state)
{
    for (int i = 0; i < ROOM; i++)
        deadlines_move(*state, deadlines_open(*state, 10 + i, i), DEADLINES_WORK, i);
    assert_int_equal(deadlines_due(*state, 10), -1);
    deadlines_open(*state, 50, 10);
    assert_int_equal(deadlines_due(*state, 10), 50);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_request_has_its_time_however_often_the_client_says_something),
        CASE(we_have_all_the_time_for_an_answer_and_the_client_has_less),
        CASE(the_next_request_of_a_connection_has_a_time_of_its_own),
        CASE(who_is_gone_is_named_once_and_counts_no_more),
        CASE(with_little_room_the_one_that_asks_the_longest_has_to_go),
        CASE(among_slow_readers_the_one_that_has_just_come_stays),
        CASE(among_slow_readers_a_new_client_has_a_second_for_its_request),
        CASE(where_all_others_are_worked_at_the_new_one_has_to_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
