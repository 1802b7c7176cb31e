/* Tests of record/trace.h and of what base/log.h writes about an order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "record/trace.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void test_reads(void **state)
{
    static const struct {
        const char *name, *text, *id;
    } cases[] = {
        {"sampled", "00-" ID "-" SPAN "-01", ID},
        {"not sampled", "00-" ID "-" SPAN "-00", ID},
        {"unknown flags", "00-" ID "-" SPAN "-ff", ID},
        {"later version", "01-" ID "-" SPAN "-01", ID},
        {"later version with more", "cc-" ID "-" SPAN "-01-what-the-future-brings", ID},
        {"version 00 with more", "00-" ID "-" SPAN "-01-more", NULL},
        {"later version with more, no dash", "cc-" ID "-" SPAN "-01.more", NULL},
        {"version ff", "ff-" ID "-" SPAN "-01", NULL},
        {"version no hex", "0x-" ID "-" SPAN "-01", NULL},
        {"empty", "", NULL},
        {"short", "00-" ID "-" SPAN "-0", NULL},
        {"id of zeros", "00-00000000000000000000000000000000-" SPAN "-01", NULL},
        {"span of zeros", "00-" ID "-0000000000000000-01", NULL},
        {"capitals", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL},
        {"blank in id", "00-4bf92f3577b34da6a3ce929d0e0e473 -" SPAN "-01", NULL},
        {"line feed in id", "00-4bf92f3577b34da6a3ce929d0e0e473\n-" SPAN "-01", NULL},
        {"dash moved", "00" ID "--" SPAN "-01", NULL},
        {"other dash", "00-" ID "_" SPAN "-01", NULL},
        {"last dash", "00-" ID "-" SPAN "_01", NULL},
        {"flags no hex", "00-" ID "-" SPAN "-0g", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct text id = trace_id(text_of(cases[i].text));

        if (cases[i].id == NULL ? id.data != NULL : !text_is(id, cases[i].id))
            fail_msg("%s: %.*s", cases[i].name, (int)id.length, id.data != NULL ? id.data : "");
    }
    assert_null(trace_id((struct text){0}).data);
}

static void test_continues(void **state)
{
    char one[TRACE_BYTES], two[TRACE_BYTES], again[TRACE_BYTES];
    const char *const parent = "cc-" ID "-" SPAN "-fd-more";

    (void)state;
    assert_int_equal(trace_continue(one, text_of(parent), text_of("filter")), 0);
    assert_memory_equal(one, "00-" ID "-", 36);
    assert_string_equal(one + 52, "-01"); /* flags that are not known are not passed on */
    assert_memory_not_equal(one + 36, SPAN, 16);
    assert_non_null(trace_id(text_of(one)).data);
    assert_int_equal(trace_continue(again, text_of(parent), text_of("filter")), 0);
    assert_string_equal(again, one);
    assert_int_equal(trace_continue(two, text_of(parent), text_of("mapper")), 0);
    assert_string_not_equal(two, one);
    assert_int_equal(trace_continue(again, text_of(again), text_of("filter")), 0); /* in place */
    assert_string_not_equal(again, one);
    assert_int_equal(trace_continue(two, text_of("00-x"), text_of("filter")), -1);
    assert_string_not_equal(two, one);
}

static void test_begins(void **state)
{
    const struct text parts[] = {text_of("abc123/order/118"), text_of("1700000000000")};
    const struct text others[] = {text_of("abc123/order/118"), text_of("1700000000001")};
    char one[TRACE_BYTES], two[TRACE_BYTES];

    (void)state;
    trace_begin(one, parts, 2);
    assert_int_equal(strlen(one), TRACE_LENGTH);
    assert_int_equal(trace_id(text_of(one)).length, TRACE_ID_LENGTH);
    trace_begin(two, parts, 2);
    assert_string_equal(two, one);
    trace_begin(two, others, 2);
    assert_string_not_equal(two, one);
}

/* Returns what a call of log_info() writes, without time, level and service. */
#define LOGGED(...) (begin_log(), log_info(__VA_ARGS__), end_log())

static int saved_stderr, pipe_ends[2];
static char logged[4096];

static void begin_log(void)
{
    saved_stderr = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipe_ends), 0);
    dup2(pipe_ends[1], STDERR_FILENO);
}

static const char *end_log(void)
{
    ssize_t length = read(pipe_ends[0], logged, sizeof(logged) - 1);
    const char *text;

    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    assert_true(length > 0);
    logged[length - 1] = '\0'; /* the line feed */
    text = strstr(logged, "test ");
    return text != NULL ? text + 5 : logged;
}

static void test_logs(void **state)
{
    const struct log_about about = {text_of("abc123/order/118"), text_of(ID)};
    const struct log_about hostile = {text_of("a\nb\" key=x"), {0}};
    const struct log_about *before;
    char big[3000], expected[200];

    (void)state;
    log_open("test");
    assert_string_equal(LOGGED("started a=1"), "started a=1");
    before = log_set_about(&about);
    assert_null(before);
    assert_string_equal(LOGGED("made it contact=%s", "4 2=3"),
                        "made it key=abc123/order/118 trace=" ID " contact=4 2=3");
    assert_string_equal(LOGGED("done"), "done key=abc123/order/118 trace=" ID);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    snprintf(expected, sizeof(expected), "cut key=abc123/order/118 trace=%s error=xxx", ID);
    assert_memory_equal(LOGGED("cut error=%s", big), expected, strlen(expected));
    assert_int_equal(strlen(logged), 2046);
    assert_non_null(LOGGED("%s", big)); /* there is no room: the line stays as it is */
    assert_ptr_equal(log_set_about(&hostile), &about);
    assert_string_equal(LOGGED("said why=no"), "said key=a\\x0ab\\x22_key=x why=no");
    log_set_about(NULL);
    assert_string_equal(LOGGED("ended a=1"), "ended a=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_continues),
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_logs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
