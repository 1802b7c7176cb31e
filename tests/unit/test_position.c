/* test_position.c - the records of the topic `cursors`, and how long a store's quota makes us wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bigcommerce/bigcommerce.h"

#include "../../services/poller/position.h"

static void parses(void **state)
{
    static const struct {
        const char *value;
        int answer;
        int64_t cursor_ms, start_from_ms, fence;
    } cases[] = {
        {"{\"cursor\":1700000000000,\"start_from\":0,\"fence\":7,\"saved_at\":1}", 0, 1700000000000,
         0, 7},
        {"{\"cursor\":null,\"start_from\":5000,\"fence\":7}", 0, -1, 5000, 7},
        {"{\"start_from\":5000,\"fence\":7,\"more\":[]}", 0, -1, 5000, 7},
        {"{\"cursor\":1,\"start_from\":0}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":0}", -1, 0, 0, 0},
        {"{\"cursor\":-5,\"start_from\":0,\"fence\":1}", -1, 0, 0, 0},
        {"{\"cursor\":1.5,\"start_from\":0,\"fence\":1}", -1, 0, 0, 0},
        {"{\"cursor\":{},\"start_from\":0,\"fence\":1}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":99999999999999999999,\"fence\":1}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"history\":[5000,null]}", 0, 1, 0, 1},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"history\":[5000,77]}", 0, 1, 0, 1},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"history\":[]}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"history\":5}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"history\":[1,-2]}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":[]}", 0, 1, 0, 1},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":null}", 0, 1, 0, 1},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":[[7,1000,2,3000,4]]}", 0, 1, 0, 1},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":{}}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":[7]}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":[[7,1000,2]]}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":[[0,1000,2,3]]}", -1, 0, 0, 0},
        {"{\"cursor\":1,\"start_from\":0,\"fence\":1,\"held\":[[7,1000,-2,3]]}", -1, 0, 0, 0},
        {"", -1, 0, 0, 0},
        {"[]", -1, 0, 0, 0},
        {"garbage", -1, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct position position;

        if (position_parse(text_of(cases[i].value), &position) != cases[i].answer)
            fail_msg("%s: answer is not %d", cases[i].value, cases[i].answer);
        if (cases[i].answer == 0 &&
            (position.cursor_ms != cases[i].cursor_ms ||
             position.start_from_ms != cases[i].start_from_ms || position.fence != cases[i].fence))
            fail_msg("%s: read wrong", cases[i].value);
    }
}

static void prints_what_it_reads(void **state)
{
    struct position *written = calloc(1, sizeof(*written)), *read = calloc(1, sizeof(*read));
    static const int counts[] = {0, 1, HELD_MAX};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct buffer value = {0};

        *written = (struct position){.cursor_ms = i == 0 ? -1 : 1700000000000 + i,
                                     .start_from_ms = i == 0 ? 0 : 1690000000000,
                                     .history_ms = i == 0 ? -1 : 1695000000000,
                                     .history_id = i == 1   ? -1
                                                   : i == 0 ? -1
                                                            : 77,
                                     .fence = 1 + i};
        for (int j = 0; j < counts[i]; j++)
            written->held.orders[j] = (struct held_order){
                .id = INT64_MAX - j, .modified_ms = 1700000000000, .due_ms = j, .failures = 1000};
        written->held.count = counts[i];
        position_print(&value, written, 1700000000123);
        assert_int_equal(position_parse((struct text){value.data, value.length}, read), 0);
        assert_memory_equal(read, written, sizeof(*read));
        assert_true(value.length < 1024 + (size_t)HELD_BYTES * (size_t)counts[i]);
        buffer_clear(&value);
    }
    free(written);
    free(read);
}

static void the_greater_fence_counts(void **state)
{
    struct position position = {.cursor_ms = -1};

    (void)state;
    position_merge(&position, text_of("{\"cursor\":3000,\"start_from\":1000,\"fence\":10}"));
    position_merge(&position, text_of("{\"cursor\":9000,\"start_from\":1000,\"fence\":20}"));
    /* A poller that was frozen, and lost its lease meanwhile, writes once more. */
    position_merge(&position, text_of("{\"cursor\":4000,\"start_from\":1000,\"fence\":10}"));
    assert_int_equal(position.cursor_ms, 9000);
    position_merge(&position, text_of("{\"cursor\":9500,\"start_from\":1000,\"fence\":20}"));
    assert_int_equal(position.cursor_ms, 9500);
    position_merge(&position, text_of("garbage"));
    assert_int_equal(position.cursor_ms, 9500);
    /* A tombstone: somebody wants the store's first start again. */
    position_merge(&position, (struct text){NULL, 0});
    assert_int_equal(position.fence, 0);
    position_merge(&position, text_of("{\"cursor\":100,\"start_from\":0,\"fence\":5}"));
    assert_int_equal(position.cursor_ms, 100);
}

static void obeys_the_quota(void **state)
{
    static const struct {
        const char *name;
        struct bigcommerce_quota quota;
        int throttled;
        double chance;
        int64_t pause_ms;
    } cases[] = {
        {"nothing said", {200, -1, -1, -1, -1}, 0, 0.5, 0},
        {"plenty left", {200, 100, 150, 9000, -1}, 0, 0.5, 0},
        {"a tenth left", {200, 15, 150, 9000, -1}, 0, 0.5, 0},
        {"few left", {200, 10, 150, 9000, -1}, 0, 0.5, 900},
        {"none left", {200, 0, 150, 9000, -1}, 0, 0.5, 9000},
        {"429 with reset", {429, 0, 150, 9000, -1}, 1, 0.5, 9500},
        {"429 with Retry-After", {429, -1, -1, -1, 7000}, 1, 0, 7000},
        {"429 with neither", {429, -1, -1, -1, -1}, 1, 0, 15000},
        {"429 with neither, at most", {429, -1, -1, -1, -1}, 1, 0.9999, 29998},
        {"429 with neither, third", {429, -1, -1, -1, -1}, 3, 0, 60000},
        {"never longer than ten minutes", {429, -1, -1, 2000000000, -1}, 1, 0, 600000},
        {"never longer than ten minutes by itself", {429, -1, -1, -1, -1}, 50, 0.9, 570000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t pause_ms =
            bigcommerce_quota_pause_ms(&cases[i].quota, cases[i].throttled, cases[i].chance);

        if (pause_ms != cases[i].pause_ms)
            fail_msg("%s: %lld ms, wanted %lld", cases[i].name, (long long)pause_ms,
                     (long long)cases[i].pause_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(prints_what_it_reads),
        cmocka_unit_test(the_greater_fence_counts),
        cmocka_unit_test(obeys_the_quota),
    };

    return cmocka_run_group_tests_name("position", tests, NULL, NULL);
}
