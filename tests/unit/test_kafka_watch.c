/* When the watch asks the brokers something. librdkafka's calls are ours here, and a request is
 * counted by a semaphore. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "net/kafka_watch.h"

enum { WAIT_S = 10 };

static char topic[] = "orders.raw";
static struct kafka_watch *watch;
static int goes_down; /* the next request for watermarks meets the end of the last broker */
static sem_t watermarks_asked, metadata_asked;

int rd_kafka_version(void) { return 0x020002ff; }

rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *rk, const char *name,
                                                     int32_t partition, int64_t *low, int64_t *high,
                                                     int timeout_ms)
{
    (void)rk, (void)name, (void)partition, (void)timeout_ms;
    *low = *high = 0;
    if (goes_down) {
        goes_down = 0;
        kafka_watch_down(watch);
    }
    sem_post(&watermarks_asked);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_metadata(rd_kafka_t *rk, int all_topics, rd_kafka_topic_t *only,
                                      const struct rd_kafka_metadata **metadata, int timeout_ms)
{
    static struct rd_kafka_metadata_partition partition = {.id = 0, .leader = 1};
    static struct rd_kafka_metadata_topic topics = {topic, 1, &partition,
                                                    RD_KAFKA_RESP_ERR_NO_ERROR};
    static const struct rd_kafka_metadata answer = {.topic_cnt = 1, .topics = &topics};

    (void)rk, (void)all_topics, (void)only, (void)timeout_ms;
    *metadata = &answer;
    sem_post(&metadata_asked);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_metadata_destroy(const struct rd_kafka_metadata *metadata) { (void)metadata; }

static int is_asked(sem_t *asked)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    return sem_timedwait(asked, &until) == 0;
}

static int setup(void **state)
{
    (void)state;
    sem_init(&watermarks_asked, 0, 0);
    sem_init(&metadata_asked, 0, 0);
    watch = kafka_watch_new(NULL, "stage=\"test\"");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return kafka_watch_free(watch);
}

/* The prefetch queue may have been full, however few records there are. */
static void test_few_records_wake_the_leader(void **state)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    (void)state;
    rd_kafka_topic_partition_list_add(list, topic, 0);
    kafka_watch_assigned(watch, list);
    rd_kafka_topic_partition_list_destroy(list);
    for (int i = 0; i < 3; i++) {
        kafka_watch_consumed(watch, 10);
        assert_true(is_asked(&watermarks_asked));
    }
}

/* Else nobody would ask any more, and health would say "not ready" for ever. */
static void test_brokers_that_end_while_the_watch_works_are_probed(void **state)
{
    (void)state;
    goes_down = 1;
    kafka_watch_gap(watch, topic, 0, 1, 2);
    assert_true(is_asked(&watermarks_asked));
    assert_true(is_asked(&metadata_asked));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_few_records_wake_the_leader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_brokers_that_end_while_the_watch_works_are_probed,
                                        setup, teardown),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
