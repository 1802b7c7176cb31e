#include "net/kafka.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "net/kafka_watch.h"

enum {
    READ_STALL_MS = 30000,
    READ_POLL_MS = 200,
    METADATA_TIMEOUT_MS = 5000,
    CLOSE_MS = 2000,
    WATCHED_BYTES = 1024 * 1024, /* half of the prefetch queue, see kafka.c */
};

void kafka_event_of(const rd_kafka_message_t *message, struct event *event)
{
    rd_kafka_timestamp_type_t timestamp_type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t length;

    memset(event->headers, 0, sizeof(event->headers));
    event->header_bytes = 0;
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

        event->header_bytes += strlen(name) + length;
        if (header != HEADER_COUNT && value != NULL)
            event->headers[header] = (struct text){value, length};
    }
}

int kafka_list_partitions(rd_kafka_t *rk, const char *topic, rd_kafka_topic_partition_list_t *list,
                          struct error *err)
{
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    int result = 0;

    if (rkt == NULL)
        return error_set(err, ERROR_PERMANENT, "kafka topic name %s is not accepted", topic);
    code = rd_kafka_metadata(rk, 0, rkt, &metadata, METADATA_TIMEOUT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        result = error_set(err, ERROR_TEMPORARY,
                           "kafka topic %s does not exist; run `bigfusion topics create`", topic);
    else if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        result =
            error_set(err, ERROR_TEMPORARY, "kafka topic %s: %s", topic, rd_kafka_err2str(code));
    else
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
            rd_kafka_topic_partition_list_add(list, topic, metadata->topics[0].partitions[i].id)
                ->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    return result;
}

/* The part of a partition that is still to be read. */
struct part {
    int64_t from, to; /* to = INT64_MAX: up to the end of the partition */
    int is_done;
};

struct reading {
    rd_kafka_t *rk;
    rd_kafka_topic_partition_list_t *list;
    struct part *parts; /* one for each element of list */
    int left;           /* how many parts are not done */
    const rd_kafka_topic_t *last_rkt;
    int last;                  /* index of the partition of the last message, or -1 */
    size_t bytes;              /* read so far, while there is no watch */
    struct kafka_watch *watch; /* keeps a long reading fast; NULL: none yet */
    kafka_visit visit;
    void *context;
};

/* Finds the part that a message belongs to. Several messages of one partition usually follow each
 * other, so the last part is tried first. @returns an index; -1: none */
static int part_of(struct reading *reading, const rd_kafka_message_t *message)
{
    const rd_kafka_topic_partition_list_t *list = reading->list;
    const char *topic;

    if (reading->last >= 0 && reading->last_rkt == message->rkt &&
        list->elems[reading->last].partition == message->partition)
        return reading->last;
    topic = rd_kafka_topic_name(message->rkt);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].partition == message->partition &&
            strcmp(list->elems[i].topic, topic) == 0) {
            reading->last_rkt = message->rkt;
            return reading->last = i;
        }
    return -1;
}

/* Pauses a partition that is done, because others may write to it for ever. */
static void end_part(struct reading *reading, int index)
{
    const rd_kafka_topic_partition_t *listed = &reading->list->elems[index];
    rd_kafka_topic_partition_list_t *done;

    if (reading->parts[index].is_done)
        return;
    reading->parts[index].is_done = 1;
    reading->left--;
    done = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(done, listed->topic, listed->partition);
    rd_kafka_pause_partitions(reading->rk, done);
    rd_kafka_topic_partition_list_destroy(done);
}

/* Before librdkafka 2.2 a full prefetch queue is looked at again only after a second, so a reading
 * of more than the queue holds would take some seconds for each 10 MB. See kafka_watch.h. */
static void keep_fast(struct reading *reading, const rd_kafka_message_t *message)
{
    size_t bytes = message->len + message->key_len;

    if (reading->watch == NULL) {
        reading->bytes += bytes;
        if (reading->bytes < WATCHED_BYTES || rd_kafka_version() >= 0x02020000)
            return;
        reading->watch = kafka_watch_new(reading->rk, "stage=\"reader\"");
        kafka_watch_assigned(reading->watch, reading->list);
    }
    kafka_watch_consumed(reading->watch, bytes);
}

static int visit_message(struct reading *reading, const rd_kafka_message_t *message,
                         struct error *err)
{
    int index = part_of(reading, message);
    struct part *part = index >= 0 ? &reading->parts[index] : NULL;
    struct event event;

    if (message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        message->err == RD_KAFKA_RESP_ERR__TRANSPORT)
        return 0; /* the client connects again; else the limit for a stall ends the reading */
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return error_set(err, ERROR_TEMPORARY, "kafka read: %s", rd_kafka_message_errstr(message));
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        keep_fast(reading, message);
    if (part == NULL || part->is_done)
        return 0;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= part->from &&
        message->offset < part->to) {
        kafka_event_of(message, &event);
        if (reading->visit(reading->context, &event, err) != 0)
            return -1;
    }
    /* The record at the last offset of a span may have been removed by compaction; then a later
     * record or the end of the partition ends the span. The end of a partition whose leader has just
     * changed may be told too low for a moment, so only an end behind the span counts. */
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF
            ? part->to == INT64_MAX || message->offset >= part->to
            : message->offset >= part->to - 1)
        end_part(reading, index);
    return 0;
}

static int is_stopped(struct error *err)
{
    return stop_requested() && error_set(err, ERROR_TEMPORARY, "kafka read: asked to stop") != 0;
}

static int read_parts(struct reading *reading, struct error *err)
{
    int64_t last_ms = clock_monotonic_ms();

    while (reading->left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reading->rk, READ_POLL_MS);
        int answer = message == NULL ? 0 : visit_message(reading, message, err);

        if (message != NULL) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
                last_ms = clock_monotonic_ms();
            rd_kafka_message_destroy(message);
        }
        if (answer < 0)
            return -1;
        if (reading->left > 0 && is_stopped(err))
            return -1;
        if (reading->left > 0 && clock_monotonic_ms() - last_ms > READ_STALL_MS)
            return error_set(err, ERROR_TEMPORARY, "kafka read: no answer for %d s",
                             READ_STALL_MS / 1000);
    }
    return 0;
}

rd_kafka_t *kafka_reader_new(const struct config *config, const char *group, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, "bigfusion-reader", 1, err);
    char reason[200];
    rd_kafka_t *rk;

    if (conf == NULL)
        return NULL;
    /* assign() needs a group id. Nothing joins the group or commits. */
    rd_kafka_conf_set(conf, "group.id", group != NULL ? group : "bigfusion-reader", NULL, 0);
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

static int read_assigned(struct reading *reading, struct error *err)
{
    reading->left = reading->list->cnt;
    reading->last = -1;
    if (rd_kafka_assign(reading->rk, reading->list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka assign failed");
    return read_parts(reading, err);
}

/* A watch that is stuck in a request uses the client, which then stays until the process ends. */
static void end_reading(struct reading *reading)
{
    int is_stuck = kafka_watch_free(reading->watch) != 0;

    rd_kafka_topic_partition_list_destroy(reading->list);
    free(reading->parts);
    kafka_close(reading->rk, CLOSE_MS);
    if (!is_stuck)
        kafka_destroy(reading->rk, CLOSE_MS);
}

int kafka_read_all(const struct config *config, const char *const *topic_names, int topic_count,
                   kafka_visit visit, void *context, struct error *err)
{
    struct reading reading = {
        .rk = kafka_reader_new(config, NULL, err), .visit = visit, .context = context};
    int result = -1;

    if (reading.rk == NULL)
        return -1;
    reading.list = rd_kafka_topic_partition_list_new(topic_count);
    for (int i = 0; i < topic_count; i++)
        if (kafka_list_partitions(reading.rk, topic_names[i], reading.list, err) != 0 ||
            is_stopped(err))
            goto out;
    reading.parts = mem_alloc((size_t)reading.list->cnt * sizeof(*reading.parts));
    for (int i = 0; i < reading.list->cnt; i++)
        reading.parts[i].to = INT64_MAX;
    result = read_assigned(&reading, err);
out:
    end_reading(&reading);
    return result;
}

int kafka_read_spans(const struct config *config, const struct kafka_span *spans, int span_count,
                     kafka_visit visit, void *context, struct error *err)
{
    struct reading reading = {
        .rk = kafka_reader_new(config, NULL, err), .visit = visit, .context = context};
    int result;

    if (reading.rk == NULL)
        return -1;
    reading.list = rd_kafka_topic_partition_list_new(span_count);
    reading.parts = mem_alloc((size_t)span_count * sizeof(*reading.parts));
    for (int i = 0; i < span_count; i++) {
        const struct kafka_span *span = &spans[i];

        if (span->to <= span->from)
            continue;
        reading.parts[reading.list->cnt] = (struct part){.from = span->from, .to = span->to};
        rd_kafka_topic_partition_list_add(reading.list, span->topic, span->partition)->offset =
            span->from;
    }
    result = read_assigned(&reading, err);
    end_reading(&reading);
    return result;
}
