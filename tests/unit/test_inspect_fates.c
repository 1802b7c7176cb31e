/* test_inspect_fates.c - `bigfusion status` and `trace` without a broker: which fate an order has,
 * how far a store was read, and what is shown of a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history/fate_version.h"
#include "history/history_step.h"
#include "history/store_position.h"

#include "../../services/inspector/fate_count.h"

static struct config_account accounts[] = {{.name = (char *)"main"}};
static const struct config config = {
    .kafka = {.topic_prefix = (char *)"big"}, .accounts = accounts, .account_count = 1};

/* A fate's record in a test's words. kind SPOT_NONE ends a list. */
struct row {
    enum spot_kind kind;
    int version;
    int time_s;
    const char *reason; /* NULL: none */
    int is_tombstone;
};

static struct event event_of(const struct topics *topics, const struct row *row, const char *key,
                             char version[16])
{
    struct event event = {.key = text_of(key),
                          .topic = row->kind == SPOT_DELIVERED ? topics->delivered
                                   : row->kind == SPOT_SKIPPED ? topics->skipped
                                                               : topics->dead,
                          .timestamp_ms = row->time_s * 1000};

    if (!row->is_tombstone)
        event.value = text_of("{}");
    snprintf(version, 16, "%d", row->version);
    event.headers[HEADER_MODIFIED_AT] = text_of(version);
    event.headers[HEADER_REASON] = text_of(row->reason);
    return event;
}

/* The same cases for both: how status counts an order, and which step is its fate in a trace. */
static const struct {
    const char *name;
    struct row rows[4];
    enum spot_kind fate;
    enum reason reason;
} fates[] = {
    {"none", {{.kind = SPOT_NONE}}, SPOT_NONE, REASON_NONE},
    {"delivered", {{SPOT_DELIVERED, 5, 9, NULL, 0}}, SPOT_DELIVERED, REASON_NONE},
    {"delivered, skipped later",
     {{SPOT_DELIVERED, 5, 9, NULL, 0}, {SPOT_SKIPPED, 6, 10, "status", 0}},
     SPOT_DELIVERED,
     REASON_NONE},
    {"skipped earlier, delivered",
     {{SPOT_SKIPPED, 4, 8, "status", 0}, {SPOT_DELIVERED, 5, 9, NULL, 0}},
     SPOT_DELIVERED,
     REASON_NONE},
    {"skipped", {{SPOT_SKIPPED, 5, 9, "no_email", 0}}, SPOT_SKIPPED, REASON_NO_EMAIL},
    {"skipped twice",
     {{SPOT_SKIPPED, 5, 9, "no_email", 0}, {SPOT_SKIPPED, 6, 10, "status", 0}},
     SPOT_SKIPPED,
     REASON_STATUS},
    {"skipped, read again in an older version",
     {{SPOT_SKIPPED, 6, 9, "no_email", 0}, {SPOT_SKIPPED, 5, 10, "status", 0}},
     SPOT_SKIPPED,
     REASON_NO_EMAIL},
    {"dead", {{SPOT_DEAD, 5, 9, "refused", 0}}, SPOT_DEAD, REASON_REFUSED},
    {"dead, a later version is skipped",
     {{SPOT_SKIPPED, 6, 10, "status", 0}, {SPOT_DEAD, 5, 9, "refused", 0}},
     SPOT_SKIPPED,
     REASON_STATUS},
    {"skipped, a later version is dead",
     {{SPOT_SKIPPED, 5, 9, "status", 0}, {SPOT_DEAD, 6, 10, "refused", 0}},
     SPOT_DEAD,
     REASON_REFUSED},
    {"skipped and dead in one version, dead later",
     {{SPOT_SKIPPED, 5, 9, "status", 0}, {SPOT_DEAD, 5, 10, "refused", 0}},
     SPOT_DEAD,
     REASON_REFUSED},
    {"skipped and dead in one version, skipped later",
     {{SPOT_DEAD, 5, 9, "refused", 0}, {SPOT_SKIPPED, 5, 10, "status", 0}},
     SPOT_SKIPPED,
     REASON_STATUS},
    {"dead, taken back",
     {{SPOT_DEAD, 5, 9, "refused", 0}, {SPOT_DEAD, 0, 10, NULL, 1}},
     SPOT_NONE,
     REASON_NONE},
    {"dead, taken back, dead again",
     {{SPOT_DEAD, 5, 9, "refused", 0},
      {SPOT_DEAD, 0, 10, NULL, 1},
      {SPOT_DEAD, 5, 11, "gave_up", 0}},
     SPOT_DEAD,
     REASON_GAVE_UP},
    {"dead for a reason of another version of the program",
     {{SPOT_DEAD, 5, 9, "unheard_of", 0}},
     SPOT_DEAD,
     REASON_NONE},
};

static void test_fate_count(void **state)
{
    struct topics topics;

    (void)state;
    topics_init(&topics, &config);
    for (size_t i = 0; i < sizeof(fates) / sizeof(*fates); i++) {
        struct fate_count table;
        struct fate_numbers numbers;

        print_message("%s\n", fates[i].name);
        fate_count_init(&table);
        for (int j = 0; j < 4 && fates[i].rows[j].kind != SPOT_NONE; j++) {
            char version[16];
            struct event event = event_of(&topics, &fates[i].rows[j], "a/order/1", version);

            fate_count_add(&table, &topics, &event);
        }
        fate_count_sum(&table, &numbers);
        assert_int_equal(numbers.delivered, fates[i].fate == SPOT_DELIVERED);
        assert_int_equal(numbers.skipped, fates[i].fate == SPOT_SKIPPED);
        assert_int_equal(numbers.dead, fates[i].fate == SPOT_DEAD);
        assert_int_equal(numbers.skipped_by[fates[i].reason], fates[i].fate == SPOT_SKIPPED);
        assert_int_equal(numbers.dead_by[fates[i].reason], fates[i].fate == SPOT_DEAD);
        fate_count_clear(&table);
    }
    topics_clear(&topics);
}

static void test_fate_count_many(void **state)
{
    enum { MANY = 20000 };
    static const struct row delivered = {SPOT_DELIVERED, 5, 9, NULL, 0};
    static const struct row skipped = {SPOT_SKIPPED, 5, 9, "status", 0};
    struct topics topics;
    struct fate_count table;
    struct fate_numbers numbers;

    (void)state;
    topics_init(&topics, &config);
    fate_count_init(&table);
    for (int i = 0; i < 2 * MANY; i++) {
        char key[32], version[16];
        struct event event =
            event_of(&topics, i % MANY % 4 == 0 ? &skipped : &delivered, key, version);

        snprintf(key, sizeof(key), "a/order/%d", i % MANY); /* each one twice */
        event.key = text_of(key);
        fate_count_add(&table, &topics, &event);
    }
    fate_count_sum(&table, &numbers);
    assert_int_equal(numbers.delivered, MANY / 4 * 3);
    assert_int_equal(numbers.skipped, MANY / 4);
    fate_count_clear(&table);
    topics_clear(&topics);
}

static void test_versions_that_no_order_has(void **state)
{
    static const struct {
        const char *value;
        const char *header; /* NULL: none */
        int64_t version;
    } cases[] = {
        {"{\"modified_at\":5}", NULL, 5},
        {"{\"modified_at\":5}", "6", 6},
        {"{\"modified_at\":5}", "4294967295999999999", 5},
        {"{\"modified_at\":9223372036854775807}", NULL, -1},
        {"{\"modified_at\":1000000000000000}", NULL, -1},
        {"{\"modified_at\":-7}", NULL, -1},
        {"{\"modified_at\":\"5\"}", NULL, -1},
        {"[]", NULL, -1},
        {"\xff", NULL, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct event event = {.value = text_of(cases[i].value)};

        print_message("%s\n", cases[i].value);
        event.headers[HEADER_MODIFIED_AT] = text_of(cases[i].header);
        assert_int_equal(fate_version(&event), cases[i].version);
    }
}

static void test_trace_fate(void **state)
{
    struct topics topics;

    (void)state;
    topics_init(&topics, &config);
    for (size_t i = 0; i < sizeof(fates) / sizeof(*fates); i++) {
        struct history_steps list = {0};
        const struct history_step *fate;

        print_message("%s\n", fates[i].name);
        for (int j = 0; j < 4 && fates[i].rows[j].kind != SPOT_NONE; j++) {
            char version[16];
            struct event event = event_of(&topics, &fates[i].rows[j], "a/order/1", version);

            event.offset = j;
            history_steps_add(&list, &topics, &event);
        }
        history_steps_sort(&list);
        fate = history_steps_fate(&list);
        assert_int_equal(fate != NULL ? fate->kind : SPOT_NONE, fates[i].fate);
        if (fate != NULL && fates[i].reason != REASON_NONE)
            assert_string_equal(json_string_value(json_object_get(fate->facts, "reason")),
                                reason_name(fates[i].reason));
        history_steps_clear(&list);
    }
    topics_clear(&topics);
}

/* The step as a line, without what stands in front of its words. New. */
static char *line_of(const struct history_step *step)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    history_step_print(step, file);
    fclose(file);
    return text;
}

static void test_trace_shows_what_happened_and_nothing_of_the_customer(void **state)
{
    struct topics topics;
    struct history_steps list = {0};
    struct event raw = {.key = text_of("a/order/1"),
                        .value = text_of("{\"email\":\"grace@example.com\"}"),
                        .partition = 2,
                        .offset = 7,
                        .timestamp_ms = 1767323045678};
    struct event retry = raw, delivered = raw, dead = raw;
    char *line;

    (void)state;
    topics_init(&topics, &config);
    raw.topic = topics.lanes[TOPIC_LANE_ORDERS].raw;
    raw.headers[HEADER_SOURCE] = text_of("poll");
    raw.headers[HEADER_MODIFIED_AT] = text_of("1767323040000");
    raw.headers[HEADER_LEDGER] = text_of("{\"s:contact\":\"42\"}");
    retry.topic = topics.retry[0];
    retry.timestamp_ms++;
    retry.headers[HEADER_REASON] = text_of("retrying");
    retry.headers[HEADER_DETAIL] = text_of("contact: HTTP 500\x1b[2J");
    retry.headers[HEADER_ATTEMPT] = text_of("2");
    retry.headers[HEADER_NOT_BEFORE] = text_of("1767323105678");
    dead.topic = topics.dead;
    dead.headers[HEADER_REASON] = text_of("refused");
    dead.headers[HEADER_STAGE] = text_of("pusher");
    dead.headers[HEADER_ORIGIN] = text_of("big.retry-1m/0/3");
    dead.headers[HEADER_ANSWER] = text_of("{\"message\":\"no\"}");
    delivered.topic = topics.delivered;
    delivered.timestamp_ms += 5;
    delivered.value =
        text_of("{\"order_id\":\"977\",\"contact_id\":\"42\",\"in_doubt\":[],\"incomplete\":"
                "[{\"step\":\"payment\",\"answer\":\"HTTP 422\"}],\"digest\":\"d\"}");
    history_steps_add(&list, &topics, &delivered);
    history_steps_add(&list, &topics, &retry);
    history_steps_add(&list, &topics, &raw);
    history_steps_add(&list, &topics, &dead);
    history_steps_sort(&list);
    assert_int_equal(list.count, 4);
    line = line_of(&list.steps[0]);
    assert_non_null(strstr(line, "2026-01-02T03:04:05.678Z  raw "));
    assert_non_null(strstr(line, " big.orders.raw/2/7 "));
    assert_non_null(strstr(line, "source poll; version 2026-01-02T03:04:00.000Z\n"));
    assert_null(strstr(line, "grace"));
    assert_null(strstr(line, "s:contact"));
    free(line);
    line = line_of(&list.steps[1]);
    assert_non_null(strstr(line, "refused; by pusher; from big.retry-1m/0/3; answer {\"message\""));
    free(line);
    line = line_of(&list.steps[2]);
    assert_non_null(strstr(line, "retrying; contact: HTTP 500\\x1B[2J; attempt 2; not before "
                                 "2026-01-02T03:05:05.678Z\n"));
    free(line);
    line = line_of(&list.steps[3]);
    assert_non_null(strstr(line, "order 977; contact 42; incomplete [{\"step\":\"payment\""));
    assert_null(strstr(line, "in doubt"));
    free(line);
    history_steps_clear(&list);
    topics_clear(&topics);
}

/* What a fate's value holds came from a vendor, or from whoever may write to the topic. */
static void test_trace_of_hostile_values(void **state)
{
    struct topics topics;
    struct history_steps list = {0};
    struct personal personal = {0};
    struct event skipped = {.key = text_of("a/order/1"), .timestamp_ms = -1}; /* it tells no time */
    struct event delivered = skipped;
    char *line, detail[10000];

    (void)state;
    topics_init(&topics, &config);
    memset(detail, 'x', sizeof(detail));
    skipped.topic = topics.skipped;
    skipped.value = text_of("{\"detail\":\"\\u001b[2Jred \\u009b31m\"}");
    skipped.headers[HEADER_ORIGIN] = (struct text){detail, sizeof(detail)};
    delivered.topic = topics.delivered;
    delivered.value = text_of("{\"order_id\":\"\\u001b[31m\",\"incomplete\":[{\"step\":\"tags\","
                              "\"answer\":\"Grace\"},7]}");
    history_steps_add(&list, &topics, &skipped);
    history_steps_add(&list, &topics, &delivered);
    history_steps_hide(&list, &personal);
    line = line_of(&list.steps[0]);
    assert_int_equal(strncmp(line, "-  ", 3), 0);
    assert_non_null(strstr(line, "\\x1B[2Jred \\xC2\\x9B31m"));
    assert_true(strlen(line) < 2500);
    free(line);
    line = line_of(&list.steps[1]);
    assert_non_null(strstr(line, "order \\x1B[31m"));
    assert_null(strstr(line, "Grace")); /* its payload is gone, so nobody knows who that is */
    free(line);
    history_steps_clear(&list);
    history_steps_add(&list, &topics, &delivered);
    personal_learn(&personal, text_of("{\"contact\":{\"given_name\":\"Ada\"}}"));
    history_steps_hide(&list, &personal);
    line = line_of(&list.steps[0]);
    assert_non_null(strstr(line, "\"Grace\"")); /* it is not the customer's name */
    free(line);
    history_steps_clear(&list);
    personal_clear(&personal);
    topics_clear(&topics);
}

static void test_store_position(void **state)
{
    static const struct {
        const char *name;
        const char *values[3]; /* "": a tombstone; NULL: the end */
        int64_t cursor_ms, fence;
        int has_history, held;
    } cases[] = {
        {"no record", {NULL}, -1, -1, 0, 0},
        {"one",
         {"{\"cursor\":5000,\"start_from\":0,\"fence\":3,\"saved_at\":6000}"},
         5000,
         3,
         0,
         0},
        {"not read yet", {"{\"cursor\":null,\"start_from\":0,\"fence\":3}"}, -1, 3, 0, 0},
        {"with a history and held orders",
         {"{\"cursor\":5,\"fence\":1,\"history\":[9,null],\"held\":[[1,2,3,4],[5,6,7,8]]}"},
         5,
         1,
         1,
         2},
        {"the later one of one lease",
         {"{\"cursor\":5,\"fence\":1}", "{\"cursor\":4,\"fence\":1}"},
         4,
         1,
         0,
         0},
        {"one of a lost lease",
         {"{\"cursor\":5,\"fence\":2}", "{\"cursor\":9,\"fence\":1}"},
         5,
         2,
         0,
         0},
        {"taken away", {"{\"cursor\":5,\"fence\":2}", ""}, -1, -1, 0, 0},
        {"something else", {"{\"cursor\":5,\"fence\":2}", "[1]", "nonsense"}, 5, 2, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store_position position;
        struct event event = {.key = text_of("abc123")};

        print_message("%s\n", cases[i].name);
        store_position_init(&position, "abc123");
        for (int j = 0; j < 3 && cases[i].values[j] != NULL; j++) {
            event.value =
                cases[i].values[j][0] != '\0' ? text_of(cases[i].values[j]) : (struct text){0};
            store_position_add(&position, &event);
        }
        event.key = text_of("abc124");
        event.value = text_of("{\"cursor\":77,\"fence\":77}");
        store_position_add(&position, &event);
        assert_int_equal(position.cursor_ms, cases[i].cursor_ms);
        assert_int_equal(position.fence, cases[i].fence);
        assert_int_equal(position.has_history, cases[i].has_history);
        assert_int_equal(position.held, cases[i].held);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fate_count),
        cmocka_unit_test(test_fate_count_many),
        cmocka_unit_test(test_versions_that_no_order_has),
        cmocka_unit_test(test_trace_fate),
        cmocka_unit_test(test_trace_of_hostile_values),
        cmocka_unit_test(test_trace_shows_what_happened_and_nothing_of_the_customer),
        cmocka_unit_test(test_store_position),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
