/* test_cursor.c - what the cursor asks for next, and where its position goes, answer by answer. The
 * tests in test_cursor_store.c run it against a whole store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bigcommerce/cursor.h"

static void asks_for_a_closed_window(void **state)
{
    struct cursor cursor;
    struct cursor_query query;

    (void)state;
    cursor_init(&cursor, 1000000, 50);
    cursor_begin(&cursor, 2000999, 180000, 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.min_ms, 820000);
    assert_int_equal(query.max_ms, 2000000);
    assert_int_equal(query.limit, 50);
    assert_int_equal(query.page, 1);
    assert_int_equal(query.by_id, 1);
    assert_int_equal(query.min_id, -1);
    /* An empty window is not asked for: the store's clock stands before the start. */
    cursor_begin(&cursor, 820000, 180000, 0);
    assert_int_equal(cursor_next(&cursor, &query), 0);
    /* Nothing from before start_from, but for the second that an exclusive limit would leave out.
     */
    cursor_begin(&cursor, 2000000, 180000, 950000);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.min_ms, 949000);
    /* The beginning of time has no lower limit. */
    cursor_init(&cursor, -1, 50);
    cursor_begin(&cursor, 2000000, 180000, 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.min_ms, -1);
}

/* The rows, then the empty page that ends the round. */
static void read_window(struct cursor *cursor, const struct cursor_row *rows, int count)
{
    assert_int_equal(cursor_page(cursor, rows, count), 0);
    assert_int_equal(cursor_page(cursor, NULL, 0), 0);
}

static void position_follows_the_data(void **state)
{
    struct cursor cursor;
    struct cursor_query query;
    struct cursor_row row = {7, 1900000};

    (void)state;
    cursor_init(&cursor, 1850000, 50);
    cursor_begin(&cursor, 2000000, 180000, 0);
    assert_int_equal(cursor_page(&cursor, NULL, 0), 0);
    assert_int_equal(cursor.position_ms, 1850000); /* nothing seen: stays */
    assert_int_equal(cursor_next(&cursor, &query), 0);
    cursor_begin(&cursor, 2000000, 180000, 0);
    read_window(&cursor, &row, 1);
    assert_int_equal(cursor.position_ms, 1900000);
    /* Seen again through the overlap: never back. */
    row.modified_ms = 1860000;
    cursor_begin(&cursor, 2000000, 180000, 0);
    read_window(&cursor, &row, 1);
    assert_int_equal(cursor.position_ms, 1900000);
    /* A date beyond the window (the store's clock, or an order, is wrong) does not carry it away.
     */
    row.modified_ms = 9000000;
    cursor_begin(&cursor, 2000000, 180000, 0);
    read_window(&cursor, &row, 1);
    assert_int_equal(cursor.position_ms, 2000000);
    /* Where nothing happens it follows the store's clock, one overlap behind. */
    cursor_begin(&cursor, 5000000, 180000, 0);
    assert_int_equal(cursor_page(&cursor, NULL, 0), 0);
    assert_int_equal(cursor.position_ms, 4820000);
}

static void holds_for_an_order(void **state)
{
    struct cursor cursor;
    struct cursor_row rows[] = {{1, 1100000}, {2, 1200000}, {3, 1300000}};

    (void)state;
    cursor_init(&cursor, 1000000, 50);
    cursor_begin(&cursor, 1400000, 180000, 0);
    cursor_hold(&cursor, 1200000);
    read_window(&cursor, rows, 3);
    assert_int_equal(cursor.position_ms, 1199000);
    cursor_begin(&cursor, 9000000, 180000, 0);
    cursor_hold(&cursor, 1200000);
    read_window(&cursor, rows, 3);
    assert_int_equal(cursor.position_ms, 1199000);
    cursor_begin(&cursor, 1400000, 180000, 0);
    read_window(&cursor, rows, 3);
    assert_int_equal(cursor.position_ms, 1300000);
}

/* A backlog is read by date, with a position that moves on; what comes last is confirmed by id. */
static void reads_a_backlog_by_date(void **state)
{
    struct cursor cursor;
    struct cursor_query query;
    struct cursor_row first[] = {{5, 1300000}, {6, 1100000}},
                      second[] = {{6, 1100000}, {7, 1200000}};

    (void)state;
    cursor_init(&cursor, 1000000, 2);
    cursor_begin(&cursor, 2000000, 100000, 0);
    assert_int_equal(cursor_page(&cursor, first, 2), 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.by_id, 0);
    assert_int_equal(query.min_ms, 900000);
    assert_int_equal(cursor_page(&cursor, second, 2), 0);
    assert_int_equal(cursor.position_ms, 1200000);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.by_id, 0);
    assert_int_equal(query.min_ms, 1199000);
    assert_int_equal(cursor_page(&cursor, first, 1), 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.by_id, 1);
    assert_int_equal(query.max_ms, 2000000);
    read_window(&cursor, first, 1);
    assert_int_equal(cursor.position_ms, 1900000);
}

/* Where a page that is not full is followed by another one, the store gives no more at once: such a
 * page counts as full from then on. */
static void learns_how_much_the_store_gives(void **state)
{
    struct cursor cursor;
    struct cursor_query query;
    struct cursor_row rows[] = {{5, 1100000}, {6, 1200000}, {7, 1300000}, {8, 1400000}};

    (void)state;
    cursor_init(&cursor, 1000000, 50);
    cursor_begin(&cursor, 2000000, 0, 0);
    assert_int_equal(cursor_page(&cursor, rows, 2), 0);
    assert_int_equal(cursor.cap, 0);
    assert_int_equal(cursor_page(&cursor, rows + 2, 2), 0);
    assert_int_equal(cursor.cap, 2);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.by_id, 0);
    /* A longer page shows that it was chance: a late commit, for example. */
    cursor_begin(&cursor, 2000000, 0, 0);
    assert_int_equal(cursor_page(&cursor, rows, 3), 0);
    assert_int_equal(cursor.cap, 0);
}

static void both_readings_of_min_id_are_right(void **state)
{
    struct cursor cursor;
    struct cursor_query query;
    struct cursor_row rows[] = {{5, 1100000}, {6, 1200000}};

    (void)state;
    cursor_init(&cursor, 1000000, 50);
    cursor_begin(&cursor, 2000000, 0, 0);
    assert_int_equal(cursor_page(&cursor, rows, 1), 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.min_id, 5);
    /* The answer has none of 5: nothing is known yet. */
    assert_int_equal(cursor_page(&cursor, rows + 1, 1), 0);
    cursor_begin(&cursor, 2000000, 0, 0);
    cursor.cap = 0;
    assert_int_equal(cursor_page(&cursor, rows, 1), 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.min_id, 5);
    /* 5 again: it is inclusive, and this was no end. */
    assert_int_equal(cursor_page(&cursor, rows, 1), 0);
    assert_int_equal(cursor_next(&cursor, &query), 1);
    assert_int_equal(query.min_id, 6);
    assert_int_equal(cursor_page(&cursor, NULL, 0), 0);
    assert_int_equal(cursor_next(&cursor, &query), 0);
}

static void shrinks_and_grows(void **state)
{
    struct cursor cursor;
    struct cursor_row rows[] = {{1, 1100000}};

    (void)state;
    cursor_init(&cursor, -1, 50);
    cursor_begin(&cursor, 2000000, 0, 0);
    assert_int_equal(cursor_shrink(&cursor), 0);
    assert_int_equal(cursor.limit, 12);
    assert_int_equal(cursor_shrink(&cursor), 0);
    assert_int_equal(cursor_shrink(&cursor), 0);
    assert_int_equal(cursor.limit, 1);
    assert_int_equal(cursor_shrink(&cursor), -1);
    /* Kept for the next round, grown by success. */
    cursor_begin(&cursor, 2000000, 0, 0);
    assert_int_equal(cursor.limit, 1);
    assert_int_equal(cursor_page(&cursor, rows, 1), 0);
    assert_int_equal(cursor.limit, 4);
}

static void notices_a_store_that_ignores_ids(void **state)
{
    struct cursor cursor;
    struct cursor_row rows[] = {{5, 1100000}, {6, 1100000}};

    (void)state;
    cursor_init(&cursor, 1100000, 3);
    cursor_begin(&cursor, 2000000, 0, 1100000);
    assert_int_equal(cursor_page(&cursor, rows, 2), 0);
    assert_int_equal(cursor_page(&cursor, rows, 2), 0); /* min_id may be inclusive */
    assert_int_equal(cursor_page(&cursor, rows, 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_a_closed_window),
        cmocka_unit_test(position_follows_the_data),
        cmocka_unit_test(holds_for_an_order),
        cmocka_unit_test(reads_a_backlog_by_date),
        cmocka_unit_test(learns_how_much_the_store_gives),
        cmocka_unit_test(both_readings_of_min_id_are_right),
        cmocka_unit_test(shrinks_and_grows),
        cmocka_unit_test(notices_a_store_that_ignores_ids),
    };

    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
