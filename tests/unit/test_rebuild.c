/* The rebuild's decisions: what is read of a partition, which records may have been begun, and what
 * a record says of its order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "../../services/pusher/fate_read.h"
#include "../../services/pusher/rebuild_plan.h"

static struct topics topics;

static int set_up(void **state)
{
    struct config config = {.kafka.topic_prefix = (char *)(uintptr_t) "p"};

    (void)state;
    topics_init(&topics, &config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    topics_clear(&topics);
    return 0;
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(rebuild_plan_kind(&topics, "p.delivered"), REBUILD_FATE);
    assert_int_equal(rebuild_plan_kind(&topics, "p.dead"), REBUILD_FATE);
    assert_int_equal(rebuild_plan_kind(&topics, "p.skipped"), REBUILD_FATE);
    assert_int_equal(rebuild_plan_kind(&topics, "p.orders.payloads"), REBUILD_PAYLOAD);
    assert_int_equal(rebuild_plan_kind(&topics, "p.history.payloads"), REBUILD_PAYLOAD);
    assert_int_equal(rebuild_plan_kind(&topics, "p.retry-1h"), REBUILD_WAITING);
    assert_int_equal(rebuild_plan_kind(&topics, "p.waiting.main"), REBUILD_WAITING);
}

static void test_parts(void **state)
{
    static const struct {
        const char *name;
        enum rebuild_kind kind;
        int64_t low, end, committed, mark;
        int64_t from, to, touched_to;
        int is_marked;
    } cases[] = {
        {"fates are read whole", REBUILD_FATE, 3, 90, -1, -1, 3, 90, 0, 1},
        {"payloads up to the mark", REBUILD_PAYLOAD, 0, 90, 40, 60, 40, 60, 60, 1},
        {"payloads, the mark is beyond the end", REBUILD_PAYLOAD, 0, 90, 40, 128, 40, 90, 128, 1},
        {"payloads, nothing was handed out", REBUILD_PAYLOAD, 0, 90, 40, 40, 40, 40, 40, 1},
        {"payloads without a mark", REBUILD_PAYLOAD, 0, 90, 40, -1, 40, 90, INT64_MAX, 0},
        {"payloads without a commit", REBUILD_PAYLOAD, 7, 90, -1, -1, 7, 90, INT64_MAX, 0},
        {"what retention took is gone", REBUILD_PAYLOAD, 50, 90, 40, 60, 50, 60, 60, 1},
        {"it took all up to the mark", REBUILD_PAYLOAD, 70, 90, 40, 60, 70, 70, 60, 1},
        {"a topic made anew, payloads", REBUILD_PAYLOAD, 0, 9, 40, 60, 0, 9, INT64_MAX, 0},
        {"a topic made anew, waiting", REBUILD_WAITING, 0, 9, 40, 60, 0, 9, INT64_MAX, 0},
        {"waiting is read to the end", REBUILD_WAITING, 0, 90, 40, 60, 40, 90, 60, 1},
        {"waiting without a mark", REBUILD_WAITING, 0, 90, 40, -1, 40, 90, INT64_MAX, 0},
        {"waiting without a commit", REBUILD_WAITING, 7, 90, -1, -1, 7, 90, INT64_MAX, 0},
        {"waiting, all is done", REBUILD_WAITING, 0, 90, 90, 90, 90, 90, 90, 1},
        {"empty", REBUILD_WAITING, 0, 0, -1, -1, 0, 0, INT64_MAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct kafka_place place = {.topic = (char *)(uintptr_t) "p.t",
                                    .partition = 4,
                                    .low = cases[i].low,
                                    .end = cases[i].end,
                                    .committed = cases[i].committed,
                                    .mark = cases[i].mark};
        struct rebuild_part part = rebuild_plan_part(cases[i].kind, &place);

        if (part.from != cases[i].from || part.to != cases[i].to ||
            part.touched_to != cases[i].touched_to || part.is_marked != cases[i].is_marked)
            fail_msg("%s: [%lld, %lld) touched to %lld, marked %d", cases[i].name,
                     (long long)part.from, (long long)part.to, (long long)part.touched_to,
                     part.is_marked);
        assert_int_equal(part.partition, 4);
    }
}

static void test_finding_a_part(void **state)
{
    struct rebuild_part parts[] = {{.topic = "b", .partition = 1},
                                   {.topic = "b", .partition = 0},
                                   {.topic = "a", .partition = 7}};

    (void)state;
    rebuild_plan_sort(parts, 3);
    assert_string_equal(rebuild_plan_find(parts, 3, "a", 7)->topic, "a");
    assert_int_equal(rebuild_plan_find(parts, 3, "b", 1)->partition, 1);
    assert_null(rebuild_plan_find(parts, 3, "a", 0));
    assert_null(rebuild_plan_find(parts, 3, "c", 0));
    assert_null(rebuild_plan_find(NULL, 0, "a", 0));
}

static void test_open_records(void **state)
{
    static const struct {
        const char *name, *value, *modified_at;
        int rc;
        const char *account;
        int64_t wanted;
    } cases[] = {
        {"a payload", "{\"account\":\"main\",\"modified_at\":7}", "9", 0, "main", 9},
        {"its own version", "{\"account\":\"main\",\"modified_at\":7}", NULL, 0, "main", 7},
        {"no version at all", "{\"account\":\"main\"}", NULL, 0, "main", 0},
        {"a version below 0", "{\"account\":\"main\",\"modified_at\":-7}", NULL, 0, "main", 0},
        {"an account that is no text", "{\"account\":7}", "9", -1, "", 0},
        {"an empty account", "{\"account\":\"\"}", "9", -1, "", 0},
        {"an account that none can have",
         "{\"account\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", "9",
         -1, "", 0},
        {"an account with a zero byte", "{\"account\":\"main\\u0000x\"}", "9", -1, "", 0},
        {"no object", "[]", "9", -1, "", 0},
        {"no JSON", "{", "9", -1, "", 0},
        {"nothing", "", "9", -1, "", 0},
        {"a tombstone", NULL, "9", -1, "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct event event = {.topic = "p.retry-1m"};
        struct fate fate;

        if (cases[i].value != NULL)
            event.value = text_of(cases[i].value);
        if (cases[i].modified_at != NULL)
            event.headers[HEADER_MODIFIED_AT] = text_of(cases[i].modified_at);
        if (fate_read_open(&event, &fate) != cases[i].rc)
            fail_msg("%s: it is the other way round", cases[i].name);
        if (cases[i].rc != 0)
            continue;
        if (strcmp(fate.account, cases[i].account) != 0 || fate.modified_at != cases[i].wanted ||
            fate.state != LEDGER_STATE_OPEN || fate.has_note || strlen(fate.digest) != 32)
            fail_msg("%s: account %s, version %lld", cases[i].name, fate.account,
                     (long long)fate.modified_at);
        fate_clear(&fate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_finding_a_part),
        cmocka_unit_test(test_open_records),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
