/* The pauses of assigned partitions: what librdkafka is told, and when. Its calls are ours here,
 * and only written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "settings/config.h"
#include "stage/internal.h"

enum { PARTITIONS = 3 };

static const char *const inputs[] = {"orders.raw"};
static const rd_kafka_topic_t *const topic = (const rd_kafka_topic_t *)inputs; /* only compared */
static struct config config;
static char said[400];

static void say(const char *what, const rd_kafka_topic_partition_list_t *list)
{
    size_t used = strlen(said);

    used += (size_t)snprintf(said + used, sizeof(said) - used, "%s", what);
    for (int i = 0; list != NULL && i < list->cnt && used < sizeof(said); i++)
        used += (size_t)snprintf(said + used, sizeof(said) - used, " %d", list->elems[i].partition);
    if (used < sizeof(said))
        snprintf(said + used, sizeof(said) - used, "; ");
}

rd_kafka_resp_err_t rd_kafka_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    (void)rk;
    say(list != NULL ? "assign" : "unassign", list);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_pause_partitions(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    (void)rk;
    say("pause", list);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_resume_partitions(rd_kafka_t *rk,
                                               rd_kafka_topic_partition_list_t *list)
{
    (void)rk;
    say("resume", list);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int rd_kafka_assignment_lost(rd_kafka_t *rk)
{
    (void)rk;
    return 0;
}

const char *rd_kafka_topic_name(const rd_kafka_topic_t *rkt)
{
    (void)rkt;
    return inputs[0];
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    stage->settings.config = &config;
    stage->settings.service = "test";
    stage->settings.inputs = inputs;
    stage->settings.input_count = 1;
    stage->topic_paused = calloc(1, sizeof(*stage->topic_paused));
    stage->watch = kafka_watch_new(NULL, "stage=\"test\"");
    said[0] = '\0';
    *state = stage;
    return 0;
}

static void rebalance(struct stage *stage, rd_kafka_resp_err_t code)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);

    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, inputs[0], i);
    group_on_rebalance(NULL, code, list, stage);
    rd_kafka_topic_partition_list_destroy(list);
}

static void assign(struct stage *stage) { rebalance(stage, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS); }

static void revoke(struct stage *stage) { rebalance(stage, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS); }

/* A record of a partition is handed over. */
static void record_of(struct stage *stage, int32_t partition)
{
    rd_kafka_message_t message = {.rkt = (rd_kafka_topic_t *)(uintptr_t)topic,
                                  .partition = partition};

    assert_non_null(partition_of_message(stage, &message));
}

static int teardown(void **state)
{
    struct stage *stage = *state;

    revoke(stage);
    kafka_watch_free(stage->watch);
    free(stage->topic_paused);
    free(stage);
    return 0;
}

/* Else librdkafka may drop its start of the partition, and it is never read. */
static void test_nothing_is_said_of_a_partition_before_its_first_record(void **state)
{
    struct stage *stage = *state;

    assign(stage);
    partitions_pause_all(stage, 1);
    partitions_pause_all(stage, 0);
    atomic_store(&stage->topic_paused[0], TOPIC_PAUSED);
    partitions_pause_topics(stage);
    assert_string_equal(said, "assign 0 1 2; ");
}

static void test_a_pause_follows_the_first_record(void **state)
{
    struct stage *stage = *state;

    atomic_store(&stage->topic_paused[0], TOPIC_PAUSED);
    assign(stage);
    record_of(stage, 1);
    record_of(stage, 1);
    record_of(stage, 2);
    atomic_store(&stage->topic_paused[0], TOPIC_READ);
    partitions_pause_topics(stage);
    assert_string_equal(said, "assign 0 1 2; pause 1; pause 2; resume 2 1; ");
}

/* librdkafka keeps a pause over the next assignment, where nothing may be said at first. */
static void test_no_partition_is_given_back_paused(void **state)
{
    struct stage *stage = *state;

    assign(stage);
    record_of(stage, 0);
    record_of(stage, 1);
    partitions_pause_all(stage, 1);
    revoke(stage);
    said[0] = '\0';
    assign(stage);
    record_of(stage, 0);
    partitions_pause_all(stage, 0);
    revoke(stage);
    assert_string_equal(said, "assign 0 1 2; pause 0; resume 0; resume 0; unassign; ");
}

static void test_all_that_were_read_are_resumed_before_they_are_given_back(void **state)
{
    struct stage *stage = *state;

    assign(stage);
    record_of(stage, 0);
    record_of(stage, 1);
    partitions_pause_all(stage, 1);
    said[0] = '\0';
    revoke(stage);
    assert_string_equal(said, "resume 1 0; unassign; ");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_said_of_a_partition_before_its_first_record,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pause_follows_the_first_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_partition_is_given_back_paused, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_all_that_were_read_are_resumed_before_they_are_given_back, setup, teardown),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
