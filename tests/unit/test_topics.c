/* test_topics.c - which differences of a topic keep what its settings promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../services/inspector/topics.h"

static void test_promise_kept(void **state)
{
    static const struct {
        enum topic_promise promise;
        const char *is;
        const char *expected;
        int kept;
    } cases[] = {
        {TOPIC_EXACTLY, "delete", "delete", 1},
        {TOPIC_EXACTLY, "compact", "delete", 0},
        {TOPIC_EXACTLY, NULL, "delete", 0},
        {TOPIC_AT_LEAST, "1048576", "1048576", 1},
        {TOPIC_AT_LEAST, "2000000", "1048576", 1},
        {TOPIC_AT_LEAST, "500000", "1048576", 0},
        {TOPIC_AT_LEAST, "-1", "2592000000", 1},
        {TOPIC_AT_LEAST, "2592000000", "-1", 0},
        {TOPIC_AT_LEAST, "-1", "-1", 1},
        {TOPIC_AT_LEAST, NULL, "1", 0},
        {TOPIC_AT_LEAST, "", "1", 0},
        {TOPIC_AT_LEAST, "many", "1", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(topic_promise_kept(cases[i].promise, cases[i].is, cases[i].expected),
                         cases[i].kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_promise_kept)};

    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
