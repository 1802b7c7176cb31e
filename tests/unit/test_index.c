/* test_index.c - the console's index: what is written is found again, in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"

#include "index_rows.h"

static const char *fact(const struct index_order *order, int step, const char *name)
{
    const char *text = json_string_value(json_object_get(order->history.steps[step].facts, name));

    return text != NULL ? text : "";
}

static void test_an_order_is_found_in_every_way(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_order order = {0};
    struct index_keys keys;
    struct error err = {0};
    char digest[DIGEST_BYTES];

    (void)unused;
    write_rows(index, one_order, 4);
    assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 1);
    assert_int_equal(order_state_list(&order.state), ORDER_LIST_RETRYING);
    assert_int_equal(order.state.progress.next_try_ms, -1);
    assert_string_equal(order.state.progress.detail, "order: HTTP 500");
    index_order_clear(&order);
    write_rows(index, one_order + 4, 1);
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 1);
        assert_int_equal(order_state_list(&order.state), ORDER_LIST_DELIVERED);
        assert_string_equal(order.state.delivered.order_id, "977");
        assert_string_equal(order.key, "abc123/order/118");
        assert_int_equal(order.history.count, 5);
        assert_string_equal(fact(&order, 0, "stage"), "raw");
        assert_string_equal(fact(&order, 0, "source"), "poll");
        assert_string_equal(fact(&order, 3, "detail"), "order: HTTP 500");
        assert_string_equal(fact(&order, 4, "topic"), "big.delivered");
        assert_string_equal(fact(&order, 4, "version"), "1970-01-01T00:00:01.000Z");
        assert_int_equal(json_array_size(json_object_get(order.history.steps[4].facts, "goals")),
                         2);
        index_order_clear(&order);
        digest_hex_nocase(digest, text_of("JANE.doe@example.com"));
        assert_int_equal(index_find_email(reader, digest, &keys, &err), 0);
        assert_int_equal(keys.count, 1);
        assert_int_equal(index_find_infusionsoft(reader, "main", "977", &keys, &err), 0);
        assert_int_equal(keys.count, 1);
        assert_int_equal(index_find_infusionsoft(reader, NULL, "977", &keys, &err), 0);
        assert_int_equal(keys.count, 1);
        assert_int_equal(index_find_infusionsoft(reader, "other", "977", &keys, &err), 0);
        assert_int_equal(keys.count, 0);
        assert_int_equal(index_find_number(reader, 118, &keys, &err), 0);
        assert_int_equal(keys.count, 1);
        assert_string_equal(keys.keys[0], "abc123/order/118");
        assert_int_equal(index_find(reader, "abc123/order/119", &order, &err), 0);
        assert_int_equal(index_find(reader, "abc123/order/0118", &order, &err), 0);
        assert_int_equal(index_find(reader, "nobody/order/118", &order, &err), 0);
        assert_int_equal(index_finish(index, &err), 0);
    }
    index_reader_close(reader);
    index_close(index);
}

static void test_reading_twice_changes_nothing(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_order order = {0};
    struct index_counts counts;
    struct index_filter filter = {0};
    struct error err = {0};

    (void)unused;
    for (int turn = 0; turn < 3; turn++)
        write_rows(index, one_order, 5);
    index_reader_close(reader);
    index_close(index);
    index = opened();
    reader = reader_of(index);
    assert_int_equal(index_position(index, "big.orders.raw", 0), 6);
    assert_int_equal(index_position(index, "big.delivered", 0), 2);
    assert_int_equal(index_position(index, "big.delivered", 1), -1);
    write_rows(index, one_order, 5);
    assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 1);
    assert_int_equal(order.history.count, 5);
    index_order_clear(&order);
    assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
    assert_int_equal(counts.total, 1);
    assert_int_equal(counts.lists[ORDER_LIST_DELIVERED], 1);
    filter.store_hash = "abc123";
    assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
    assert_int_equal(counts.total, 1);
    filter.store_hash = "abc124";
    assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
    assert_int_equal(counts.total, 0);
    index_reader_close(reader);
    index_close(index);
}

static void test_lists_and_pages(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_filter filter = {.lists = 1 << ORDER_LIST_QUEUED | 1 << ORDER_LIST_WAITING};
    struct index_counts counts;
    struct error err = {0};
    char keys[300][32];

    (void)unused;
    for (int i = 0; i < 300; i++) {
        struct row row = one_order[i % 3 == 0 ? 0 : i % 3 == 1 ? 4 : 2];

        snprintf(keys[i], sizeof(keys[i]), "abc12%d/order/%d", i % 2, i);
        row.key = keys[i];
        row.offset = i;
        row.time_ms = 10000 - i / 2;
        if (i % 3 == 2)
            row.topic = "big.waiting.main";
        write_rows(index, &row, 1);
    }
    for (int turn = 0; turn < 2; turn++) {
        struct index_place after = {0};
        struct index_page page = {0};
        int64_t last_ms = 0;
        int seen = 0;

        do {
            assert_int_equal(index_list(reader, &filter, &after, 7, &page, &err), 0);
            for (int i = 0; i < page.count; i++, seen++) {
                assert_true(page.orders[i].state.since_ms >= last_ms);
                last_ms = page.orders[i].state.since_ms;
            }
            after = page.next;
            index_page_clear(&page);
        } while (after.is_set);
        assert_int_equal(seen, 200);
        assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
        assert_int_equal(counts.total, 200);
        assert_int_equal(counts.reasons[REASON_ACCOUNT_CLOSED], 100);
        filter.store_hash = "abc121";
        filter.reason = REASON_QUEUED;
        filter.before_ms = 10000 - 99;
        assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
        assert_int_equal(counts.total, counts.reasons[REASON_QUEUED]);
        assert_int_equal(index_list(reader, &filter, NULL, 1000, &page, &err), 0);
        assert_int_equal(page.count, counts.total);
        assert_true(page.count > 0 && page.count < 50);
        assert_int_equal(page.next.is_set, 0);
        index_page_clear(&page);
        filter = (struct index_filter){.lists = 1 << ORDER_LIST_QUEUED | 1 << ORDER_LIST_WAITING};
        assert_int_equal(index_finish(index, &err), 0);
    }
    index_reader_close(reader);
    index_close(index);
}

static void test_series(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_time_step steps[3];
    struct row row = one_order[4];
    struct error err = {0};

    (void)unused;
    row.time_ms = 1500;
    write_rows(index, &row, 1);
    row.key = "abc123/order/1";
    row.time_ms = 3100;
    write_rows(index, &row, 1);
    assert_int_equal(index_series(reader, 1000, 1000, 3, steps, &err), 0);
    assert_int_equal(steps[0].delivered, 1);
    assert_int_equal(steps[0].p50_ms, 2000);
    assert_int_equal(steps[1].delivered, 0);
    assert_int_equal(steps[1].max_ms, -1);
    assert_int_equal(steps[2].delivered, 1);
    index_reader_close(reader);
    index_close(index);
}

static void test_store_positions(void **unused)
{
    static const struct row rows[] = {
        {.topic = "big.cursors",
         .key = "abc123",
         .value = "{\"fence\":3,\"cursor\":1000,\"saved_at\":1100,\"start_from\":0}",
         .offset = 1},
    };
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct store_position position;
    struct error err = {0};

    (void)unused;
    write_rows(index, rows, 1);
    index_reader_close(reader);
    index_close(index);
    index = opened();
    reader = reader_of(index);
    assert_int_equal(index_store_position(reader, "abc123", &position, &err), 0);
    assert_int_equal(position.fence, 3);
    assert_int_equal(position.cursor_ms, 1000);
    assert_int_equal(index_store_position(reader, "abc124", &position, &err), 0);
    assert_int_equal(position.fence, -1);
    index_reader_close(reader);
    index_close(index);
}

static void test_old_orders_are_removed(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_filter filter = {0};
    struct index_counts counts;
    struct error err = {0};
    int64_t removed = 0, sum = 0;
    char key[32];
    int done;

    (void)unused;
    for (int i = 0; i < 5000; i += 10) {
        struct row rows[10];

        for (int j = 0; j < 10; j++) {
            static char keys[10][32];

            rows[j] = one_order[j == 9 ? 0 : 4];
            snprintf(keys[j], sizeof(keys[j]), "abc123/order/%d", i + j);
            rows[j].key = keys[j];
            rows[j].offset = i + j;
            rows[j].time_ms = i + j;
        }
        write_rows(index, rows, 10);
    }
    do {
        done = index_prune(index, 2500, &removed, &err);
        assert_true(done >= 0);
        sum += removed;
    } while (done == 0);
    assert_int_equal(sum, 2250); /* those that are queued stay */
    assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
    assert_int_equal(counts.total, 2750);
    for (int i = 0; i < 5000; i += 7) {
        struct index_order order = {0};

        snprintf(key, sizeof(key), "abc123/order/%d", i);
        assert_int_equal(index_find(reader, key, &order, &err), i >= 2500 || i % 10 == 9);
        index_order_clear(&order);
    }
    index_reader_close(reader);
    index_close(index);
}

/* The oldest of each list, by when its version was first seen. Before index_finish() it is not known,
 * because the question would read all orders. */
static void test_the_oldest_order(void **unused)
{
    const struct row rows[] = {
        {.topic = "big.orders.raw",
         .key = "abc/order/1",
         .value = RAW,
         .offset = 1,
         .time_ms = 900,
         .version = "1"},
        {.topic = "big.orders.raw",
         .key = "abc/order/2",
         .value = RAW,
         .offset = 2,
         .time_ms = 700,
         .version = "1"},
        {.topic = "big.orders.raw",
         .key = "abc/order/3",
         .value = RAW,
         .offset = 3,
         .time_ms = 500,
         .version = "1"},
        {.topic = "big.retry-1m",
         .key = "abc/order/3",
         .value = RAW,
         .offset = 1,
         .time_ms = 800,
         .version = "1"},
        {.topic = "big.orders.raw",
         .key = "abc/order/4",
         .value = RAW,
         .offset = 4,
         .time_ms = 300,
         .version = "1"},
        {.topic = "big.dead",
         .key = "abc/order/4",
         .value = "{}",
         .offset = 1,
         .time_ms = 950,
         .version = "1",
         .reason = "refused"},
    };
    struct index *index = opened();
    struct error err = {0};

    (void)unused;
    write_rows(index, rows, 5);
    assert_int_equal(index_oldest_ms(index, ORDER_LIST_QUEUED, &err), 0);
    assert_int_equal(index_finish(index, &err), 0);
    assert_int_equal(index_oldest_ms(index, ORDER_LIST_QUEUED, &err), 300);
    write_rows(index, rows + 5, 1);
    assert_int_equal(index_oldest_ms(index, ORDER_LIST_QUEUED, &err), 700);
    assert_int_equal(index_oldest_ms(index, ORDER_LIST_RETRYING, &err), 500);
    assert_int_equal(index_oldest_ms(index, ORDER_LIST_WAITING, &err), 0);
    index_close(index);
}

/* A batch is limited in records and in bytes. What was written is what was in it. */
static void test_a_batch_is_full(void **unused)
{
    struct index *index = opened();
    struct error err = {0};
    struct row small = {.topic = "big.orders.eligible", .key = "abc/order/1"};
    struct row large = {.topic = "big.dead", .key = "abc/order/2", .reason = "refused"};
    char detail[200], answer[200];
    int count = 0;

    (void)unused;
    memset(detail, 'd', sizeof(detail) - 1);
    memset(answer, 'a', sizeof(answer) - 1);
    detail[sizeof(detail) - 1] = answer[sizeof(answer) - 1] = '\0';
    large.detail = detail;
    large.answer = answer;
    assert_int_equal(index_begin(index, &err), 0);
    for (; !index_batch_is_full(index); small.offset = ++count) {
        struct event event = event_of(&small);

        assert_int_equal(index_apply(index, &event, &err), 0);
    }
    assert_int_equal(count, 32768);
    index_drop(index);
    assert_false(index_batch_is_full(index));
    for (count = 0; !index_batch_is_full(index); large.offset = ++count) {
        struct event event = event_of(&large);

        assert_int_equal(index_apply(index, &event, &err), 0);
    }
    assert_in_range(count, 10000, 32000);
    index_close(index);
}

static void test_other_keys(void **unused)
{
    static const char *const keys[] = {
        "abc123/unreadable/0123456789abcdef0123456789abcdef",
        "big.orders.raw/3/17",
        "abc123/order/0118",
        "abc123/order/99999999999999999",
        "\xff\xfe",
        "jane.doe@example.com",
        "big./jane@example.com/1",
    };
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct error err = {0};

    (void)unused;
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 7; i++) {
            struct row row = {.topic = "big.dead",
                              .key = keys[i],
                              .value = "x",
                              .offset = 10 * turn + i,
                              .time_ms = 5,
                              .reason = "malformed"};
            struct index_order order = {0};

            write_rows(index, &row, 1);
            if (i >= 4) { /* nobody of ours writes such a key */
                assert_int_equal(index_find(reader, keys[i], &order, &err), 0);
                continue;
            }
            assert_int_equal(index_find(reader, keys[i], &order, &err), 1);
            assert_string_equal(order.key, keys[i]);
            assert_int_equal(order_state_list(&order.state), ORDER_LIST_DEAD);
            assert_int_equal(order.history.count, turn + 1);
            index_order_clear(&order);
        }
    index_reader_close(reader);
    index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_order_is_found_in_every_way),
        TEST(test_reading_twice_changes_nothing),
        TEST(test_lists_and_pages),
        TEST(test_series),
        TEST(test_store_positions),
        TEST(test_old_orders_are_removed),
        TEST(test_the_oldest_order),
        TEST(test_a_batch_is_full),
        TEST(test_other_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
