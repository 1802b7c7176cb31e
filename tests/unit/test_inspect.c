/* test_inspect.c - `bigfusion stuck` and `trace` without a broker: which topic is which stage, and
 * which of the unfinished orders have no fate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history/spot.h"
#include "history/survey.h"
#include "history/unfinished.h"

static struct config_store stores[] = {
    {.code = (char *)"BC", .hash = (char *)"abc123", .account = (char *)"main"},
    {.code = (char *)"Shop One", .hash = (char *)"abc124", .account = (char *)"main"},
    {.code = (char *)"S/2", .hash = (char *)"abc125", .account = (char *)"other"},
    {.code = (char *)"BC", .hash = (char *)"abc126", .account = (char *)"other"},
};
static struct config_account accounts[] = {{.name = (char *)"main"}, {.name = (char *)"other"}};
static const struct config config = {.kafka = {.topic_prefix = (char *)"big-fusion"},
                                     .stores = stores,
                                     .store_count = 4,
                                     .accounts = accounts,
                                     .account_count = 2};
static const int64_t delays_s[] = {60, 600, 3600};

static void test_spot(void **state)
{
    static const struct {
        const char *topic;
        enum spot_kind kind;
        int index;
        const char *name;
    } cases[] = {
        {"big-fusion.orders.raw", SPOT_RAW, 0, "raw"},
        {"big-fusion.orders.eligible", SPOT_ELIGIBLE, 0, "eligible"},
        {"big-fusion.orders.payloads", SPOT_PAYLOADS, 0, "payloads"},
        {"big-fusion.history.raw", SPOT_RAW, 0, "history.raw"},
        {"big-fusion.contacts.payloads", SPOT_PAYLOADS, 0, "contacts.payloads"},
        {"big-fusion.retry-1m", SPOT_RETRY, 0, "retry-1m"},
        {"big-fusion.retry-1h", SPOT_RETRY, 2, "retry-1h"},
        {"big-fusion.waiting.other", SPOT_WAITING, 1, "waiting.other"},
        {"big-fusion.waiting-orders.main", SPOT_WAITING_ORDERS, 0, "waiting-orders.main"},
        {"big-fusion.skipped", SPOT_SKIPPED, 0, "skipped"},
        {"big-fusion.delivered", SPOT_DELIVERED, 0, "delivered"},
        {"big-fusion.dead", SPOT_DEAD, 0, "dead"},
        {"big-fusion.waiting.third", SPOT_NONE, 0, "waiting.third"},
        {"other", SPOT_NONE, 0, "other"},
    };
    const char *inputs[SPOT_INPUTS(2)];
    struct topics topics;

    (void)state;
    topics_init(&topics, &config);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct spot spot = spot_of(&topics, cases[i].topic);

        assert_int_equal(spot.kind, cases[i].kind);
        assert_int_equal(spot.index, cases[i].index);
        assert_string_equal(spot_name(&topics, cases[i].topic), cases[i].name);
    }
    assert_int_equal(spot_inputs(&topics, 0, inputs), 4);
    assert_string_equal(inputs[0], "big-fusion.orders.raw");
    assert_int_equal(spot_inputs(&topics, 1, inputs), 4);
    assert_string_equal(inputs[0], "big-fusion.orders.eligible");
    assert_int_equal(spot_inputs(&topics, 2, inputs), 11);
    assert_string_equal(inputs[0], "big-fusion.orders.payloads");
    assert_string_equal(inputs[3], "big-fusion.history.payloads");
    assert_string_equal(inputs[10], "big-fusion.waiting-orders.other");
    topics_clear(&topics);
}

/* A record in a test's words. topic 0 ends a list. */
struct row {
    enum spot_kind topic;
    int index;
    const char *key;
    int version; /* -1: no header */
    int time_ms;
    const char *more; /* "withdrawn", "replay", "tombstone", or a detail */
};

static const char *topic_name(const struct topics *topics, enum spot_kind kind, int index)
{
    switch (kind) {
    case SPOT_RAW:
        return topics->lanes[TOPIC_LANE_ORDERS].raw;
    case SPOT_ELIGIBLE:
        return topics->lanes[TOPIC_LANE_ORDERS].eligible;
    case SPOT_PAYLOADS:
        return topics->lanes[TOPIC_LANE_ORDERS].payloads;
    case SPOT_RETRY:
        return topics->retry[index];
    case SPOT_WAITING:
        return topics->waiting[index];
    case SPOT_WAITING_ORDERS:
        return topics->waiting_orders[index];
    case SPOT_SKIPPED:
        return topics->skipped;
    case SPOT_DELIVERED:
        return topics->delivered;
    default:
        return topics->dead;
    }
}

static void add_row(struct unfinished_table *table, const struct row *row)
{
    char version[16], not_before[24];
    struct event event = {.key = text_of(row->key),
                          .value = text_of("{}"),
                          .topic = topic_name(table->topics, row->topic, row->index),
                          .timestamp_ms = row->time_ms};

    snprintf(version, sizeof(version), "%d", row->version);
    if (row->version >= 0)
        event.headers[HEADER_MODIFIED_AT] = text_of(version);
    snprintf(not_before, sizeof(not_before), "%d", row->time_ms + 5);
    event.headers[HEADER_NOT_BEFORE] = text_of(not_before);
    if (row->more != NULL && strcmp(row->more, "withdrawn") == 0)
        event.headers[HEADER_KIND] = text_of(row->more);
    else if (row->more != NULL && strcmp(row->more, "replay") == 0)
        event.headers[HEADER_SOURCE] = text_of(row->more);
    else if (row->more != NULL && strcmp(row->more, "tombstone") == 0)
        event.value = (struct text){0};
    else
        event.headers[HEADER_DETAIL] = text_of(row->more);
    if (row->topic >= SPOT_SKIPPED)
        unfinished_add_fate(table, &event);
    else
        unfinished_add(table, &event);
}

/* Each version of a customer is delivered by itself; of an order one alone. */
static void test_unfinished_customer(void **state)
{
    static const struct row rows[] = {{SPOT_RAW, 0, "a/contact/1", 5, 10, NULL},
                                      {SPOT_DELIVERED, 0, "a/contact/1", 4, 9, NULL},
                                      {SPOT_DELIVERED, 0, "a/contact/1", 5, 11, NULL}};

    (void)state;
    for (int all = 0; all < 2; all++) {
        struct unfinished_table table;
        struct topics topics;
        size_t count;

        topics_init(&topics, &config);
        unfinished_init(&table, &topics, delays_s);
        table.takes_all = all;
        for (int i = 0; i < 3; i++) {
            add_row(&table, &rows[i]);
            free(unfinished_list(&table, INT64_MAX, &count));
            assert_int_equal(count, all && i < 2);
        }
        assert_int_equal(table.nameless, !all);
        unfinished_clear(&table);
        topics_clear(&topics);
    }
}

static void test_unfinished(void **state)
{
    static const struct {
        const char *name;
        struct row rows[6];
        const char *stage; /* NULL: it has a fate */
        enum reason reason;
    } cases[] = {
        {"raw", {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}}, "raw", REASON_QUEUED},
        {"delivered",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_DELIVERED, 0, "a/order/1", 5, 11, NULL}},
         NULL,
         REASON_NONE},
        {"another order's fate",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_DELIVERED, 0, "a/order/2", 5, 11, NULL}},
         "raw",
         REASON_QUEUED},
        {"an older version was delivered",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_DELIVERED, 0, "a/order/1", 4, 9, NULL}},
         NULL,
         REASON_NONE},
        {"skipped",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_SKIPPED, 0, "a/order/1", 5, 11, NULL}},
         NULL,
         REASON_NONE},
        {"published again after it was skipped",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_SKIPPED, 0, "a/order/1", 5, 3, NULL}},
         NULL,
         REASON_NONE},
        {"an older version was skipped",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_SKIPPED, 0, "a/order/1", 4, 11, NULL}},
         "raw",
         REASON_QUEUED},
        {"a newer version was skipped",
         {{SPOT_RETRY, 0, "a/order/1", 5, 10, NULL}, {SPOT_SKIPPED, 0, "a/order/1", 6, 9, NULL}},
         NULL,
         REASON_NONE},
        {"dead",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL}, {SPOT_DEAD, 0, "a/order/1", 5, 11, NULL}},
         NULL,
         REASON_NONE},
        {"dead, and a later dead record of an older version",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL},
          {SPOT_DEAD, 0, "a/order/1", 5, 11, NULL},
          {SPOT_DEAD, 0, "a/order/1", 4, 12, NULL}},
         NULL,
         REASON_NONE},
        {"dead, taken back",
         {{SPOT_RAW, 0, "a/order/1", 5, 10, NULL},
          {SPOT_DEAD, 0, "a/order/1", 5, 11, NULL},
          {SPOT_DEAD, 0, "a/order/1", -1, 12, "tombstone"}},
         "raw",
         REASON_QUEUED},
        {"dead, sent again",
         {{SPOT_RAW, 0, "a/order/1", 5, 20, "replay"}, {SPOT_DEAD, 0, "a/order/1", 5, 11, NULL}},
         "raw",
         REASON_QUEUED},
        {"dead, sent again, dead again",
         {{SPOT_RAW, 0, "a/order/1", 5, 20, "replay"},
          {SPOT_DEAD, 0, "a/order/1", 5, 11, NULL},
          {SPOT_DEAD, 0, "a/order/1", 5, 21, NULL}},
         NULL,
         REASON_NONE},
        {"no version, a fate after it",
         {{SPOT_RAW, 0, "a/order/1", -1, 10, NULL}, {SPOT_DEAD, 0, "a/order/1", -1, 11, NULL}},
         NULL,
         REASON_NONE},
        {"no version, a fate before it",
         {{SPOT_RAW, 0, "a/order/1", -1, 10, NULL}, {SPOT_DEAD, 0, "a/order/1", 4, 9, NULL}},
         "raw",
         REASON_QUEUED},
        {"further in the pipeline, whatever the clocks say",
         {{SPOT_RAW, 0, "a/order/1", 5, 30, NULL},
          {SPOT_ELIGIBLE, 0, "a/order/1", 5, 20, NULL},
          {SPOT_PAYLOADS, 0, "a/order/1", 5, 10, NULL}},
         "payloads",
         REASON_QUEUED},
        {"the newest version, although the older one is further",
         {{SPOT_RETRY, 1, "a/order/1", 5, 30, NULL}, {SPOT_RAW, 0, "a/order/1", 6, 20, NULL}},
         "raw",
         REASON_QUEUED},
        {"the newest version comes first",
         {{SPOT_RAW, 0, "a/order/1", 6, 20, NULL}, {SPOT_RETRY, 1, "a/order/1", 5, 30, NULL}},
         "raw",
         REASON_QUEUED},
        {"twice on its way",
         {{SPOT_RAW, 0, "a/order/1", 5, 30, NULL}, {SPOT_RETRY, 1, "a/order/1", 5, 20, NULL}},
         "retry-10m",
         REASON_RETRYING},
        {"from retry to waiting",
         {{SPOT_WAITING, 1, "a/order/1", 5, 30, NULL}, {SPOT_RETRY, 1, "a/order/1", 5, 20, NULL}},
         "waiting.other",
         REASON_ACCOUNT_CLOSED},
        {"from waiting to retry",
         {{SPOT_RETRY, 2, "a/order/1", 5, 31, NULL}, {SPOT_WAITING, 1, "a/order/1", 5, 30, NULL}},
         "retry-1h",
         REASON_RETRYING},
        {"waits for the module",
         {{SPOT_WAITING_ORDERS, 0, "a/order/1", 5, 30, NULL}},
         "waiting-orders.main",
         REASON_ECOMMERCE_UNAVAILABLE},
        {"a withdrawal on its way",
         {{SPOT_PAYLOADS, 0, "a/order/1", 6, 30, "withdrawn"},
          {SPOT_RETRY, 0, "a/order/1", 5, 20, NULL},
          {SPOT_DEAD, 0, "a/order/1", 5, 40, NULL}},
         "payloads",
         REASON_QUEUED},
    };
    struct topics topics;

    (void)state;
    topics_init(&topics, &config);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct unfinished_table table;
        struct unfinished **list;
        size_t count;

        print_message("%s\n", cases[i].name);
        unfinished_init(&table, &topics, delays_s);
        for (size_t j = 0; j < 6 && cases[i].rows[j].topic != SPOT_NONE; j++)
            add_row(&table, &cases[i].rows[j]);
        list = unfinished_list(&table, INT64_MAX, &count);
        assert_int_equal(count, cases[i].stage != NULL ? 1 : 0);
        if (count == 1) {
            assert_string_equal(spot_name(&topics, list[0]->spot.topic), cases[i].stage);
            assert_int_equal(unfinished_reason(list[0]), cases[i].reason);
        }
        free(list);
        unfinished_clear(&table);
    }
    topics_clear(&topics);
}

static void test_unfinished_many(void **state)
{
    enum { MANY = 5000 };
    struct unfinished_table table;
    struct unfinished **list;
    struct topics topics;
    size_t count;

    (void)state;
    topics_init(&topics, &config);
    unfinished_init(&table, &topics, delays_s);
    assert_true(unfinished_fates_since(&table) == INT64_MAX);
    for (int i = 0; i < MANY; i++) {
        char key[32];
        struct row row = {SPOT_RAW, 0, key, 400000000, 500000000 + MANY - i, NULL};

        snprintf(key, sizeof(key), "a/order/%d", i);
        add_row(&table, &row);
        add_row(&table, &row);
    }
    add_row(&table, &(struct row){SPOT_RAW, 0, "no order", 5, 10, NULL});
    add_row(&table, &(struct row){SPOT_RAW, 0, "a/contact/1", 5, 10, NULL});
    assert_int_equal(table.nameless, 2);
    for (int i = 0; i < MANY; i += 2) {
        char key[32];

        snprintf(key, sizeof(key), "a/order/%d", i);
        add_row(&table, &(struct row){SPOT_DELIVERED, 0, key, 400000000, 500000000, NULL});
    }
    assert_true(unfinished_fates_since(&table) == 400000000 - 86400000);
    list = unfinished_list(&table, INT64_MAX, &count);
    assert_int_equal(count, MANY / 2);
    assert_string_equal(list[0]->key, "a/order/4999"); /* the oldest one */
    free(list);
    list = unfinished_list(&table, 500000000 + 5, &count); /* there since before that time */
    assert_int_equal(count, 2);
    free(list);
    unfinished_clear(&table);
    topics_clear(&topics);
}

static void test_next_try(void **state)
{
    struct unfinished_table table;
    struct unfinished **list;
    struct topics topics;
    struct event event = {.key = {"a/order/1", 9}, .timestamp_ms = 1000, .is_broker_time = 1};
    size_t count;

    (void)state;
    topics_init(&topics, &config);
    event.topic = topics.retry[1];
    event.headers[HEADER_NOT_BEFORE] = text_of("7000");
    event.headers[HEADER_POLLED_AT] = text_of("400");
    event.headers[HEADER_ATTEMPT] = text_of("3");
    for (int is_broker_time = 0; is_broker_time < 2; is_broker_time++) {
        event.is_broker_time = is_broker_time;
        unfinished_init(&table, &topics, delays_s);
        unfinished_add(&table, &event);
        list = unfinished_list(&table, INT64_MAX, &count);
        assert_int_equal(list[0]->next_try_ms, is_broker_time ? 1000 + 600000 : 7000);
        assert_int_equal(list[0]->since_ms, 400);
        assert_int_equal(list[0]->attempt, 3);
        free(list);
        unfinished_clear(&table);
    }
    topics_clear(&topics);
}

/* Anybody who may write to a topic can write such a record. */
static void test_hostile_headers(void **state)
{
    enum { LONG = 10000 };
    struct unfinished_table table;
    struct unfinished **list;
    struct topics topics;
    struct event event = {.key = {"a/order/1", 9}, .timestamp_ms = 1000};
    char *text = mem_alloc(LONG);
    size_t count;

    (void)state;
    for (int i = 0; i < LONG; i++)
        text[i] = i % 2 == 0 ? '\xc3' : '\xbc';
    topics_init(&topics, &config);
    event.topic = topics.lanes[TOPIC_LANE_ORDERS].payloads;
    event.headers[HEADER_ATTEMPT] = text_of("4294967295");
    event.headers[HEADER_MODIFIED_AT] = text_of("999999999999999999");
    event.headers[HEADER_DETAIL] = event.headers[HEADER_ACCOUNT] = (struct text){text, LONG};
    unfinished_init(&table, &topics, delays_s);
    unfinished_add(&table, &event);
    list = unfinished_list(&table, INT64_MAX, &count);
    assert_int_equal(count, 1);
    assert_true(list[0]->attempt == INT64_C(4294967295));
    assert_int_equal(list[0]->modified_at, -1);
    assert_int_equal(strlen(list[0]->detail), 254); /* whole characters */
    free(list);
    unfinished_clear(&table);
    topics_clear(&topics);
    free(text);
}

static void test_unread_from(void **state)
{
    static const struct {
        int64_t committed, low, end, from;
    } cases[] = {
        {-1, 0, 9, 0}, {-1, 4, 9, 4}, {5, 0, 9, 5},  {9, 0, 9, 9},
        {2, 4, 9, 4},  {0, 0, 0, 0},  {10, 4, 9, 4}, /* the topic lost its end; the services begin again */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(survey_unread_from(&(struct kafka_place){.committed = cases[i].committed,
                                                                  .low = cases[i].low,
                                                                  .end = cases[i].end}),
                         cases[i].from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unfinished_customer),
        cmocka_unit_test(test_spot),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_unfinished_many),
        cmocka_unit_test(test_next_try),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_unread_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
