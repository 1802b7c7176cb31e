#include "net/kafka.h"

#include <string.h>

#include "base/clock.h"
#include "base/stop.h"

enum { READ_STALL_MS = 30000, READ_POLL_MS = 200, METADATA_TIMEOUT_MS = 5000, CLOSE_MS = 2000 };

void kafka_event_of(const rd_kafka_message_t *message, struct event *event)
{
    rd_kafka_timestamp_type_t timestamp_type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t length;

    memset(event->headers, 0, sizeof(event->headers));
    event->key = (struct text){message->key, message->key_len};
    event->value = (struct text){message->payload, message->len};
    event->topic = rd_kafka_topic_name(message->rkt);
    event->partition = message->partition;
    event->offset = message->offset;
    event->timestamp_ms = rd_kafka_message_timestamp(message, &timestamp_type);
    event->is_broker_time = timestamp_type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        enum header header = header_of(name);

        if (header != HEADER_COUNT && value != NULL)
            event->headers[header] = (struct text){value, length};
    }
}

/* Adds the partitions of one topic, each from its beginning. */
static int add_partitions(rd_kafka_t *rk, const char *name, rd_kafka_topic_partition_list_t *list,
                          struct error *err)
{
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    int result = 0;

    if (rkt == NULL)
        return error_set(err, ERROR_PERMANENT, "kafka topic name %s is not accepted", name);
    code = rd_kafka_metadata(rk, 0, rkt, &metadata, METADATA_TIMEOUT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        result =
            error_set(err, ERROR_TEMPORARY, "kafka topic %s: %s", name, rd_kafka_err2str(code));
    else
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
            rd_kafka_topic_partition_list_add(list, name, metadata->topics[0].partitions[i].id)
                ->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    return result;
}

/* A partition's end is reported again when more was written after it: only the first time counts.
 */
static int mark_end(rd_kafka_topic_partition_list_t *list, const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_find(
        list, rd_kafka_topic_name(message->rkt), message->partition);

    if (part == NULL || part->offset == RD_KAFKA_OFFSET_END)
        return 0;
    part->offset = RD_KAFKA_OFFSET_END;
    return 1;
}

/* @returns 1 at the end of one more partition, 0 to go on, -1 on error */
static int visit_message(rd_kafka_topic_partition_list_t *list, const rd_kafka_message_t *message,
                         kafka_visit visit, void *context, struct error *err)
{
    struct event event;

    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return mark_end(list, message);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_event_of(message, &event);
        return visit(context, &event, err) == 0 ? 0 : -1;
    }
    if (message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        message->err == RD_KAFKA_RESP_ERR__TRANSPORT)
        return 0; /* heals, or the stall ends it */
    return error_set(err, ERROR_TEMPORARY, "kafka read: %s", rd_kafka_message_errstr(message));
}

static int is_stopped(struct error *err)
{
    return stop_requested() && error_set(err, ERROR_TEMPORARY, "kafka read: asked to stop") != 0;
}

static int read_to_the_end(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, kafka_visit visit,
                           void *context, struct error *err)
{
    int64_t last_ms = clock_monotonic_ms();
    int left = list->cnt;

    while (left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, READ_POLL_MS);
        int answer = message == NULL ? 0 : visit_message(list, message, visit, context, err);

        if (message != NULL) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || answer == 1)
                last_ms = clock_monotonic_ms();
            rd_kafka_message_destroy(message);
        }
        if (answer < 0)
            return -1;
        left -= answer;
        if (left > 0 && is_stopped(err))
            return -1;
        if (left > 0 && clock_monotonic_ms() - last_ms > READ_STALL_MS)
            return error_set(err, ERROR_TEMPORARY, "kafka read: no answer for %d s",
                             READ_STALL_MS / 1000);
    }
    return 0;
}

static rd_kafka_t *reader_new(const struct config *config, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, "bigfusion-reader", 1, err);
    char reason[200];
    rd_kafka_t *rk;

    if (conf == NULL)
        return NULL;
    /* A group id is required for assign(); nothing joins or commits. */
    rd_kafka_conf_set(conf, "group.id", "bigfusion-reader", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_PERMANENT, "kafka consumer: %s", reason);
        return NULL;
    }
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

int kafka_read_all(const struct config *config, const char *const *topic_names, int topic_count,
                   kafka_visit visit, void *context, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    rd_kafka_t *rk = reader_new(config, err);
    int result = -1;

    if (rk == NULL)
        return -1;
    list = rd_kafka_topic_partition_list_new(topic_count);
    for (int i = 0; i < topic_count; i++)
        if (add_partitions(rk, topic_names[i], list, err) != 0 || is_stopped(err))
            goto out;
    if (rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, ERROR_TEMPORARY, "kafka assign failed");
        goto out;
    }
    result = read_to_the_end(rk, list, visit, context, err);
out:
    rd_kafka_topic_partition_list_destroy(list);
    kafka_close(rk, CLOSE_MS);
    kafka_destroy(rk, CLOSE_MS);
    return result;
}
