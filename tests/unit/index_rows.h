/* index_rows.h - an index in a folder of its own, and records to write into it. */
#ifndef TEST_INDEX_ROWS_H
#define TEST_INDEX_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

#include "../../services/console/index.h"
#include "../../services/console/index_read.h"

static struct config_account accounts[] = {{.name = (char *)"main"}};
static struct config config = {.kafka = {.topic_prefix = (char *)"big"},
                               .pusher = {.retry_delays_s = {60, 600, 3600}},
                               .accounts = accounts,
                               .account_count = 1};
static char folder[] = "/tmp/bigfusion-index-XXXXXX";
static char *path;

static struct index *opened(void)
{
    struct error err = {0};
    struct index *index = index_open(&config, path, &err);

    if (index == NULL)
        fail_msg("%s", err.text);
    return index;
}

static int begin(void **unused)
{
    (void)unused;
    log_set_level(LOG_ERROR);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    path = mem_printf("%s/index.sqlite", folder);
    return 0;
}

static int end(void **unused)
{
    char *command = mem_printf("rm -rf '%s'", folder);

    (void)unused;
    assert_int_equal(system(command), 0);
    free(command);
    free(path);
    return 0;
}

/* A record in a test's words; the headers that are NULL are absent. */
struct row {
    const char *topic, *key, *value;
    int64_t offset, time_ms;
    const char *version, *account, *reason, *detail, *answer, *source, *attempt;
};

static struct event event_of(const struct row *row)
{
    struct event event = {.key = text_of(row->key),
                          .value = text_of(row->value),
                          .topic = row->topic,
                          .offset = row->offset,
                          .timestamp_ms = row->time_ms};

    event.headers[HEADER_MODIFIED_AT] = text_of(row->version);
    event.headers[HEADER_ACCOUNT] = text_of(row->account);
    event.headers[HEADER_REASON] = text_of(row->reason);
    event.headers[HEADER_DETAIL] = text_of(row->detail);
    event.headers[HEADER_ANSWER] = text_of(row->answer);
    event.headers[HEADER_SOURCE] = text_of(row->source);
    event.headers[HEADER_ATTEMPT] = text_of(row->attempt);
    return event;
}

static void write_rows(struct index *index, const struct row *rows, int count)
{
    struct error err = {0};

    assert_int_equal(index_begin(index, &err), 0);
    for (int i = 0; i < count; i++) {
        struct event event = event_of(&rows[i]);

        assert_int_equal(index_apply(index, &event, &err), 0);
        index_set_position(index, rows[i].topic, 0, rows[i].offset + 1);
    }
    assert_int_equal(index_batch_count(index), count);
    if (index_commit(index, &err) != 0)
        fail_msg("%s", err.text);
}

#define RAW                                                                                        \
    "{\"id\":118,\"billing_address\":{\"first_name\":\"Jane\",\"last_name\":\"Doe\",\"email\":"    \
    "\" Jane.Doe@Example.com \"}}"
#define PAYLOAD                                                                                    \
    "{\"contact\":{\"given_name\":\"Jane\",\"family_name\":\"Doe\",\"email_addresses\":[{"         \
    "\"email\":\"Jane.Doe@Example.com\",\"field\":\"EMAIL1\"}]}}"
#define DELIVERED                                                                                  \
    "{\"modified_at\":1000,\"contact_id\":\"42\",\"order_id\":\"977\",\"steps\":{\"contact\":"     \
    "\"42\",\"goal:BCORDER/BC\":\"sent\",\"goal:BCSKU/A/1\":\"in_doubt\"},\"in_doubt\":["          \
    "\"BCSKU/A/1\"],\"incomplete\":[{\"step\":\"tag\",\"answer\":\"Jane Doe is no tag\"}],"        \
    "\"calls\":7,\"attempts\":2,\"times\":{\"placed\":500,\"created\":2500}}"

static const struct row one_order[] = {
    {"big.orders.raw", "abc123/order/118", RAW, 5, 1500, "1000", NULL, NULL, NULL, NULL, "poll",
     NULL},
    {"big.orders.eligible", "abc123/order/118", RAW, 4, 1600, "1000", "main", NULL, NULL, NULL,
     "poll", NULL},
    {"big.orders.payloads", "abc123/order/118", PAYLOAD, 3, 1700, "1000", "main", NULL, NULL, NULL,
     "poll", NULL},
    {"big.retry-1m", "abc123/order/118", PAYLOAD, 2, 1800, "1000", "main", "retrying",
     "order: HTTP 500", NULL, "poll", "1"},
    {"big.delivered", "abc123/order/118", DELIVERED, 1, 1900, "1000", "main", NULL, NULL, NULL,
     "poll", NULL},
};

static struct index_reader *reader_of(struct index *index)
{
    struct error err = {0};
    struct index_reader *reader = index_reader_open(index, &err);

    if (reader == NULL)
        fail_msg("%s", err.text);
    return reader;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
