/* NAME
 *   bench-passthrough - the limit that the stages are measured against: the least a program with
 *   librdkafka can do
 * SYNOPSIS
 *   bench-passthrough [--config FILE]
 * READS
 *   <prefix>.orders.raw, in the group <prefix>.bare
 * WRITES
 *   <prefix>.delivered, into which nothing else writes in these runs
 * DOES
 *   Consumes one by one, produces the same key, value and headers into the partition of the same
 *   number with the same client settings as the services, borrows the value from the consumed
 *   message, frees it with the delivery report, commits every half second what was consumed before
 *   the last moment in which nothing was under way. No handler, no error handling worth the name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/kafka.h"
#include "net/kafka_watch.h"
#include "record/topic.h"
#include "settings/config.h"

enum { UNDER_WAY_MAX = 4096, COMMIT_INTERVAL_MS = 500, RECORDS_PER_TURN = 64 };

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    int *under_way = opaque;

    (void)rk;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_error("not delivered error=\"%s\"", rd_kafka_err2str(message->err));
        exit(111);
    }
    rd_kafka_message_destroy(message->_private);
    --*under_way;
}

static struct kafka_watch *watch; /* reached by the callback without a context of its own */

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    int assigned = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

    (void)opaque;
    rd_kafka_assign(rk, assigned ? list : NULL);
    kafka_watch_assigned(watch, assigned ? list : NULL);
}

static void pass_on(rd_kafka_t *producer, rd_kafka_topic_t *target, rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_resp_err_t code;

    rd_kafka_message_detach_headers(message, &headers);
    do {
        code = headers != NULL
                   ? rd_kafka_producev(
                         producer, RD_KAFKA_V_RKT(target), RD_KAFKA_V_PARTITION(message->partition),
                         RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_KEY(message->key, message->key_len),
                         RD_KAFKA_V_VALUE(message->payload, message->len),
                         RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(message), RD_KAFKA_V_END)
                   : rd_kafka_producev(
                         producer, RD_KAFKA_V_RKT(target), RD_KAFKA_V_PARTITION(message->partition),
                         RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_KEY(message->key, message->key_len),
                         RD_KAFKA_V_VALUE(message->payload, message->len),
                         RD_KAFKA_V_OPAQUE(message), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(producer, 10);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_error("not produced error=\"%s\"", rd_kafka_err2str(code));
        exit(111);
    }
}

/* @returns whether a record was passed on */
static int pass_one(rd_kafka_t *consumer, rd_kafka_t *producer, rd_kafka_topic_t *target,
                    int *under_way, int timeout_ms)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, timeout_ms);

    if (message == NULL)
        return 0;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_message_destroy(message);
        return 0;
    }
    kafka_watch_consumed(watch, message->len + message->key_len);
    ++*under_way;
    pass_on(producer, target, message);
    return 1;
}

static void run(rd_kafka_t *consumer, rd_kafka_t *producer, rd_kafka_topic_t *target,
                int *under_way)
{
    int64_t next_commit_ms = 0;

    while (!stop_requested()) {
        int taken = 0;

        while (taken < RECORDS_PER_TURN && *under_way < UNDER_WAY_MAX &&
               pass_one(consumer, producer, target, under_way, 0))
            taken++;
        rd_kafka_poll(producer, *under_way < UNDER_WAY_MAX ? 0 : 10);
        if (taken == 0 && *under_way < UNDER_WAY_MAX)
            pass_one(consumer, producer, target, under_way, 100);
        if (clock_monotonic_ms() >= next_commit_ms) {
            next_commit_ms = clock_monotonic_ms() + COMMIT_INTERVAL_MS;
            while (*under_way > 0)
                rd_kafka_poll(producer, 10);
            rd_kafka_commit(consumer, NULL, 1);
        }
    }
}

static rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct error *err)
{
    char reason[200];
    rd_kafka_t *rk = conf == NULL ? NULL : rd_kafka_new(type, conf, reason, sizeof(reason));

    if (conf != NULL && rk == NULL)
        error_set(err, ERROR_PERMANENT, "librdkafka: %s", reason);
    return rk;
}

int main(int argc, char **argv)
{
    static const struct config_program program = {
        .program = PROGRAM_FILTER,
        .name = "bench-passthrough",
        .summary = "The least a consume-and-produce loop costs."};
    struct config config = {0};
    struct error err = {0};
    struct topics topics = {0};
    rd_kafka_conf_t *conf;
    rd_kafka_t *consumer = NULL, *producer = NULL;
    rd_kafka_topic_t *target;
    rd_kafka_topic_partition_list_t *inputs;
    char *group, *target_name;
    int under_way = 0;

    log_open("bare");
    if (config_load(&config, &program, argc, argv, &err) != 0)
        goto out;
    stop_install();
    topics_init(&topics, &config);
    conf = kafka_conf_new(&config, "bench-passthrough", 0, &err);
    if (conf != NULL) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_report);
        rd_kafka_conf_set_opaque(conf, &under_way);
    }
    producer = client_new(RD_KAFKA_PRODUCER, conf, &err);
    conf = kafka_conf_new(&config, "bench-passthrough", 1, &err);
    if (conf != NULL) {
        group = mem_printf("%s.bare", config.kafka.topic_prefix);
        rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
        rd_kafka_conf_set(conf, "enable.auto.offset.store", "true", NULL, 0);
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
        free(group);
    }
    consumer = client_new(RD_KAFKA_CONSUMER, conf, &err);
    if (producer == NULL || consumer == NULL)
        goto out;
    rd_kafka_poll_set_consumer(consumer);
    watch = kafka_watch_new(consumer, "stage=\"bare\"");
    inputs = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(inputs, topics.lanes[TOPIC_LANE_ORDERS].raw,
                                      RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer, inputs);
    rd_kafka_topic_partition_list_destroy(inputs);
    target_name = mem_printf("%s.delivered", config.kafka.topic_prefix);
    target = rd_kafka_topic_new(producer, target_name, NULL);
    free(target_name);
    run(consumer, producer, target, &under_way);
    rd_kafka_flush(producer, 5000);
    rd_kafka_commit(consumer, NULL, 0);
    rd_kafka_topic_destroy(target);
    rd_kafka_consumer_close(consumer);
out:
    if (kafka_watch_free(watch) == 0 && consumer != NULL)
        rd_kafka_destroy(consumer);
    if (producer != NULL)
        rd_kafka_destroy(producer);
    topics_clear(&topics);
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
