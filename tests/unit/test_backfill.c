/* test_backfill.c - a backfill's position, its progress line, and the header leave_out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapping/map.h"

#include "../../services/inspector/backfill_position.h"
#include "../../services/inspector/backfill_progress.h"

static void key_names_the_window(void **state)
{
    char key[BACKFILL_KEY_BYTES];

    (void)state;
    backfill_position_key(key, "abc123", 1672531200000, 1704067200000);
    assert_string_equal(key, "abc123/backfill/2023-01-01T00:00:00Z/2024-01-01T00:00:00Z");
}

static void position_is_read_as_it_was_printed(void **state)
{
    struct backfill_position position, found;
    struct buffer value = {0};

    (void)state;
    backfill_position_init(&position, "goals,tags");
    assert_int_equal(position.last_id, -1);
    position.first_id = 100;
    position.last_id = 199;
    position.orders = 98;
    backfill_position_print(&position, 1700000000000, &value);
    assert_int_equal(backfill_position_parse((struct text){value.data, value.length}, &found), 0);
    assert_int_equal(found.first_id, 100);
    assert_int_equal(found.last_id, 199);
    assert_int_equal(found.orders, 98);
    assert_string_equal(found.leave_out, "goals,tags");
    buffer_clear(&value);
}

static void other_values_are_no_position(void **state)
{
    static const char *const cases[] = {
        "",
        "[]",
        "7",
        "garbage",
        "{\"first_id\":1,\"last_id\":2,\"orders\":3}",
        "{\"first_id\":1,\"last_id\":2,\"leave_out\":\"\"}",
        "{\"first_id\":1,\"last_id\":\"2\",\"orders\":3,\"leave_out\":\"\"}",
        "{\"first_id\":1,\"last_id\":-2,\"orders\":3,\"leave_out\":\"\"}",
        "{\"first_id\":1,\"last_id\":2,\"orders\":3,\"leave_out\":\"goals,tags,and more\"}"};
    struct backfill_position position;

    (void)state;
    backfill_position_init(&position, "tags");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (backfill_position_parse(text_of(cases[i]), &position) != -1)
            fail_msg("%s: was read", cases[i]);
    assert_int_equal(backfill_position_parse((struct text){0}, &position), -1);
    assert_string_equal(position.leave_out, "tags"); /* unchanged */
}

static void way_says_what_is_known(void **state)
{
    static const struct {
        struct backfill_way way;
        const char *line;
    } cases[] = {
        {{.first_id = -1, .end_id = -1, .begun_id = -1, .at_id = -1}, "0 orders"},
        {{.first_id = 1,
          .end_id = 101,
          .begun_id = -1,
          .at_id = 51,
          .orders = 40,
          .run_orders = 40,
          .run_ms = 10000},
         "[##########..........] 50 %, 40 orders, 4 a second, 10 s left"},
        {{.first_id = 1,
          .end_id = 101,
          .begun_id = 26,
          .at_id = 76,
          .orders = 60,
          .run_orders = 40,
          .run_ms = 10000},
         "[###############.....] 75 %, 60 orders, 4 a second, 5 s left"},
        {{.first_id = 1,
          .end_id = -1,
          .begun_id = -1,
          .at_id = 51,
          .orders = 40,
          .run_orders = 40,
          .run_ms = 20000},
         "40 orders, 2 a second"},
        {{.first_id = 7, .end_id = 7, .begun_id = -1, .at_id = 7, .orders = 1, .run_orders = 1},
         "[####################] 100 %, 1 orders"},
        {{.first_id = 1, .end_id = 101, .begun_id = -1, .at_id = 500, .orders = 40},
         "[####################] 100 %, 40 orders"},
        {{.first_id = -1,
          .end_id = -1,
          .begun_id = -1,
          .at_id = -1,
          .orders = 40,
          .in_front = 4100},
         "40 orders; waits, 4100 of them are not delivered yet"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buffer line = {0};

        backfill_way_print(&cases[i].way, &line);
        buffer_append(&line, "", 1);
        assert_string_equal(line.data, cases[i].line);
        buffer_clear(&line);
    }
}

static void leave_out_is_read_word_by_word(void **state)
{
    static const struct {
        const char *header;
        unsigned bits;
    } cases[] = {{"", 0},
                 {"goals", MAP_LEAVE_GOALS},
                 {"tags", MAP_LEAVE_TAGS},
                 {"goals,tags", MAP_LEAVE_GOALS | MAP_LEAVE_TAGS},
                 {"tags,,goals,", MAP_LEAVE_GOALS | MAP_LEAVE_TAGS},
                 {"goal", 0},
                 {"order,goals", MAP_LEAVE_GOALS}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (map_leave_out(text_of(cases[i].header)) != cases[i].bits)
            fail_msg("%s", cases[i].header);
    assert_int_equal(map_leave_out((struct text){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_names_the_window),
        cmocka_unit_test(position_is_read_as_it_was_printed),
        cmocka_unit_test(other_values_are_no_position),
        cmocka_unit_test(way_says_what_is_known),
        cmocka_unit_test(leave_out_is_read_word_by_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
