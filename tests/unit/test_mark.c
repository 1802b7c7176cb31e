/* The hand-out mark: its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/mark.h"

static void test_a_mark_is_read_as_it_was_written(void **state)
{
    static const int64_t marks[] = {0, 1, 123, INT64_C(9007199254740993), INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        char word[MARK_TEXT_BYTES];
        char *text;

        mark_print(marks[i], word);
        text = mem_printf("v1 %s", word);
        assert_true(mark_read(text_of(text), marks[i]) == marks[i]);
        free(text);
    }
}

static void test_no_mark_is_written_as_nothing(void **state)
{
    char word[MARK_TEXT_BYTES];

    (void)state;
    mark_print(MARK_NONE, word);
    assert_string_equal(word, "");
}

static void test_what_the_metadata_of_an_offset_says(void **state)
{
    static const struct {
        const char *text;
        int64_t committed, mark;
    } cases[] = {
        {NULL, 0, MARK_NONE},
        {"", 0, MARK_NONE},
        {"NO_METADATA", 0, MARK_NONE},
        {"mark=5", 0, MARK_NONE},
        {"v2 mark=5", 0, MARK_NONE},
        {"v1", 0, MARK_NONE},
        {"v1 mark=5", 0, 5},
        {"v1 mark=5", 5, 5},
        {"v1 mark=5", 6, MARK_NONE}, /* the offset of somebody who wrote no mark of his own */
        {"v1 mark=5", -1, 5},
        {"v1  mark=5 ", 0, 5},
        {"v1 offset=7 key=00 deaths=1 state=open mark=123", 7, 123},
        {"v1 mark=123 offset=7 later=x", 7, 123},
        {"v1 offset=7 key=00 deaths=1 state=open", 7, MARK_NONE},
        {"v1 handmark=5", 0, MARK_NONE},
        {"v1 mark=", 0, MARK_NONE},
        {"v1 mark=-1", -1, MARK_NONE},
        {"v1 mark=-5", -9, MARK_NONE},
        {"v1 mark=5x", 0, MARK_NONE},
        {"v1 mark=x", 0, MARK_NONE},
        {"v1 mark= 5", 0, MARK_NONE},
        {"v1 mark=5.0", 0, MARK_NONE},
        {"v1 mark=1000000000", 0, 1000000000},
        {"v1 mark=1000000001", 0, MARK_NONE}, /* nobody can have handed out so many */
        {"v1 mark=9223372036854775807", 0, MARK_NONE},
        {"v1 mark=9223372036854775807", -1, MARK_NONE},
        {"v1 mark=9223372036854775807", INT64_MAX - 5, INT64_MAX},
        {"v1 mark=9223372036854775808", 0, MARK_NONE},
        {"v1 mark=5 mark=7", 0, MARK_NONE},
        {"v1 mark=5 mark=x", 0, MARK_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t mark = mark_read(text_of(cases[i].text), cases[i].committed);

        if (mark != cases[i].mark)
            fail_msg("\"%s\" beside %lld: mark %lld", cases[i].text != NULL ? cases[i].text : "",
                     (long long)cases[i].committed, (long long)mark);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mark_is_read_as_it_was_written),
        cmocka_unit_test(test_no_mark_is_written_as_nothing),
        cmocka_unit_test(test_what_the_metadata_of_an_offset_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
