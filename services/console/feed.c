#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/kafka.h"

#include "feed_internal.h"

enum {
    BATCH_MS = 300,         /* how long a record waits for others when the index is caught up */
    BATCH_BEHIND_MS = 1000, /* and when it is behind: larger batches cost less */
    LOOK_MS = 30000,        /* new topics and partitions */
    LOOK_AGAIN_MS = 1000,   /* after a broker did not answer, or there was nothing */
    ASSIGN_REST_MS = 1000,  /* librdkafka 2.0 aborts where assignments follow each other at once */
    TICK_MS = 1000,
    PRUNE_STEP_MS = 2000,
    PRUNE_REST_MS = 3600000,
    COMPLAIN_MS = 60000,
    DISK_WAIT_MS = 2000,
    CLOSE_MS = 2000,
    POLLS_BETWEEN_CLOCKS = 64,
};

#define DAY_MS INT64_C(86400000)

/* The broker holds an answer back until there is something to fetch: so a quiet console costs three
 * requests a second, and one that is behind is not slowed down. The queue is as large as it must be
 * for the broker to be at work while a batch is written. */
static const char *const client_settings[][2] = {
    {"group.id", "bigfusion-console"}, /* assign() needs one; nothing joins it or commits */
    {"enable.partition.eof", "true"},       {"fetch.wait.max.ms", "300"},
    {"fetch.min.bytes", "262144"},          {"fetch.message.max.bytes", "524288"},
    {"queued.max.messages.kbytes", "4096"},
};

static rd_kafka_t *new_client(const struct config *config, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, "bigfusion-console", 1, err);
    char reason[200];
    rd_kafka_t *rk;

    if (conf == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(client_settings) / sizeof(*client_settings); i++)
        rd_kafka_conf_set(conf, client_settings[i][0], client_settings[i][1], NULL, 0);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_PERMANENT, "kafka consumer: %s", reason);
        return NULL;
    }
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void list_names(struct feed *feed)
{
    const struct topics *topics = &feed->topics;
    const char *const single[] = {topics->retry[0], topics->retry[1],  topics->retry[2],
                                  topics->skipped,  topics->delivered, topics->dead,
                                  topics->cursors,  topics->audit};
    int count = sizeof(single) / sizeof(*single);

    feed->names =
        mem_alloc(((size_t)count + 3 * TOPIC_LANE_COUNT + 2 * (size_t)topics->account_count) *
                  sizeof(*feed->names));
    memcpy(feed->names, single, sizeof(single));
    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        feed->names[count++] = topics->lanes[i].raw;
        feed->names[count++] = topics->lanes[i].eligible;
        feed->names[count++] = topics->lanes[i].payloads;
    }
    for (int i = 0; i < topics->account_count; i++) {
        feed->names[count++] = topics->waiting[i];
        feed->names[count++] = topics->waiting_orders[i];
    }
    feed->name_count = count;
}

/* Logs a trouble that may come many times, once a minute. */
static void complain(struct feed *feed, const char *what, const char *why)
{
    if (clock_monotonic_ms() < feed->complain_ms)
        return;
    feed->complain_ms = clock_monotonic_ms() + COMPLAIN_MS;
    log_warn("%s: %s", what, why);
}

static void set_broker(struct feed *feed, int is_there)
{
    feed->progress.is_broker_there = is_there;
    health_set_ready("kafka", is_there, "no broker can be reached");
}

static void set_trouble(struct feed *feed, const char *text)
{
    if (strcmp(feed->progress.trouble, text) == 0)
        return;
    if (text[0] != '\0')
        log_error("the index cannot be written, waiting: %s", text);
    else
        log_info("the index is written again");
    snprintf(feed->progress.trouble, sizeof(feed->progress.trouble), "%s", text);
    health_set_ready("index", text[0] == '\0', text);
}

/* Begins a batch, and after damage a file. */
static int begin(struct feed *feed, struct error *err)
{
    int rc = index_begin(feed->index, err);

    feed->batch_ms = clock_monotonic_ms();
    if (index_generation(feed->index) != feed->generation)
        feed->must_assign = 1;
    return rc;
}

static void pass_positions(struct feed *feed)
{
    for (int i = 0; i < feed->part_count; i++) {
        struct feed_part *part = &feed->parts[i];

        if (part->is_moved)
            index_set_position(feed->index, part->topic, part->partition, part->next);
        part->is_moved = 0;
    }
}

/* Writes the batch and begins the next one. It waits where the disk is full, and reads nothing
 * meanwhile. After damage a new file is begun. @returns 0, or -1 when a stop is asked for */
static int flush(struct feed *feed)
{
    int64_t count = index_batch_count(feed->index);

    pass_positions(feed);
    for (;;) {
        struct error err = {0};
        int rc = index_commit(feed->index, &err);

        if (rc == 0 || index_is_damaged(feed->index)) {
            if (rc == 0) {
                feed->progress.records += count;
                metric_add(feed->metrics.records, count);
            }
            error_clear(&err);
            rc = begin(feed, &err);
        }
        if (rc == 0) {
            set_trouble(feed, "");
            return 0;
        }
        set_trouble(feed, err.text);
        feed_tell(feed);
        if (stop_wait_ms(DISK_WAIT_MS))
            return -1;
    }
}

/* Tells where reading did not go on at the position. Offsets of compacted topics have gaps by
 * themselves. Records that are read again change nothing. */
static void compare_position(struct feed *feed, struct feed_part *part, int64_t offset)
{
    enum spot_kind kind;

    if (part->next < 0 || offset == part->next || (offset > part->next && !part->is_first))
        return;
    if (offset < part->next) {
        log_warn("position out of range, reading from the oldest record topic=%s partition=%d "
                 "position=%lld offset=%lld",
                 part->topic, part->partition, (long long)part->next, (long long)offset);
        return;
    }
    kind = spot_of(&feed->topics, part->topic).kind;
    if (kind != SPOT_NONE && kind < SPOT_SKIPPED)
        log_warn("records that the topic no longer keeps were not read topic=%s partition=%d "
                 "from=%lld to=%lld",
                 part->topic, part->partition, (long long)part->next, (long long)offset - 1);
}

/* Obeys the audit: a person was forgotten. @returns 0; -1 when a stop is asked for before that is
 * done, or the file is damaged */
static int obey(struct feed *feed, const struct event *event)
{
    json_t *entry = event->value.data != NULL
                        ? json_loadb(event->value.data, event->value.length, 0, NULL)
                        : NULL;
    const char *act = json_string_value(json_object_get(entry, "act"));
    const char *digest = json_string_value(json_object_get(entry, "email_digest"));
    int rc = act != NULL && strcmp(act, "forget") == 0 ? -1 : 0;

    while (rc != 0 && !index_is_damaged(feed->index)) {
        struct error err = {0};

        rc = index_forget(feed->index, digest, event->timestamp_ms, &err);
        set_trouble(feed, rc == 0 ? "" : err.text);
        if (rc != 0 && stop_wait_ms(DISK_WAIT_MS))
            break;
    }
    json_decref(entry);
    return rc;
}

static void handle_record(struct feed *feed, struct feed_part *part,
                          const rd_kafka_message_t *message)
{
    struct event event;
    struct error err = {0};

    compare_position(feed, part, message->offset);
    part->is_first = 0;
    kafka_watch_consumed(feed->watch, message->len + message->key_len);
    kafka_event_of(message, &event);
    if (index_batch_count(feed->index) == 0)
        feed->batch_ms = clock_monotonic_ms();
    if (strcmp(part->topic, feed->topics.audit) == 0) {
        if (obey(feed, &event) != 0)
            return; /* it is read again */
    } else {
        index_apply(feed->index, &event, &err);
    }
    part->next = message->offset + 1;
    part->is_moved = 1;
    if (event.timestamp_ms > part->last_ms)
        part->last_ms = event.timestamp_ms;
}

/* The end of a topic that was made anew may lie before the position. */
static void handle_end(struct feed_part *part, int64_t end)
{
    part->end_ms = clock_now_ms();
    part->is_moved |= part->next != end;
    part->next = end;
}

static void handle(struct feed *feed, const rd_kafka_message_t *message)
{
    int number = feed_part_of(feed, message);
    struct feed_part *part = number >= 0 ? &feed->parts[number] : NULL;

    if (index_generation(feed->index) != feed->generation)
        part = NULL; /* it was read for another file */
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (part != NULL)
            handle_record(feed, part, message);
        return;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (part != NULL)
            handle_end(part, message->offset);
        return;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        set_broker(feed, 0);
        feed->metadata_ms = 0;
        return;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
        return; /* the client connects again */
    default:
        complain(feed, "kafka", rd_kafka_message_errstr(message));
    }
}

/* Looks for topics and partitions, and assigns them where they or the positions have changed. */
static int look(struct feed *feed, int64_t now_ms, struct error *err)
{
    if (now_ms >= feed->metadata_ms) {
        int is_there = feed_look(feed) == 0;

        set_broker(feed, is_there);
        feed->metadata_ms =
            clock_monotonic_ms() + (is_there && feed->part_count > 0 ? LOOK_MS : LOOK_AGAIN_MS);
        if (is_there && feed->part_count == 0)
            complain(feed, "nothing to read",
                     "there is no topic of the pipeline; run `bigfusion topics create`");
        if (index_generation(feed->index) != feed->generation)
            feed->must_assign = 1;
    }
    if (!feed->must_assign || now_ms < feed->assign_ms)
        return 0;
    feed->assign_ms = now_ms + ASSIGN_REST_MS;
    if (index_generation(feed->index) == feed->generation)
        if (flush(feed) != 0)
            return 0;
    return feed_assign(feed, err);
}

/* What is done beside reading, once a second. */
static void tick(struct feed *feed, int64_t now_ms)
{
    struct error err = {0};
    int64_t removed = 0;
    int was_caught_up = feed->progress.is_caught_up, answer = 0;

    feed->tick_ms = now_ms + TICK_MS;
    feed_tell(feed);
    if (!feed->progress.is_caught_up || flush(feed) != 0)
        return;
    if (!was_caught_up) {
        if (index_finish(feed->index, &err) != 0)
            complain(feed, "index", err.text);
        index_checkpoint(feed->index);
        kafka_return_memory();
    }
    if (feed_tell_oldest(feed, &err) != 0)
        complain(feed, "index", err.text);
    if (now_ms < feed->prune_ms)
        return;
    answer =
        index_prune(feed->index, clock_now_ms() - feed->config->console.history_keep_days * DAY_MS,
                    &removed, &err);
    if (answer < 0)
        complain(feed, "index", err.text);
    feed->prune_ms = now_ms + (answer == 1 ? PRUNE_REST_MS : PRUNE_STEP_MS);
}

static int64_t batch_limit_ms(const struct feed *feed)
{
    return feed->progress.is_caught_up ? BATCH_MS : BATCH_BEHIND_MS;
}

/* How long to wait for a record. */
static int wait_ms(const struct feed *feed, int64_t now_ms)
{
    int64_t until_ms = feed->tick_ms;

    if (index_batch_count(feed->index) > 0 && feed->batch_ms + batch_limit_ms(feed) < until_ms)
        until_ms = feed->batch_ms + batch_limit_ms(feed);
    return until_ms <= now_ms ? 0 : until_ms - now_ms > 500 ? 500 : (int)(until_ms - now_ms);
}

static int run(struct feed *feed, struct error *err)
{
    int64_t now_ms = clock_monotonic_ms();
    int polls = 0;

    while (!stop_requested()) {
        rd_kafka_message_t *message;

        if (look(feed, now_ms, err) != 0)
            return -1;
        message = rd_kafka_consumer_poll(feed->rk, wait_ms(feed, now_ms));
        if (message != NULL) {
            handle(feed, message);
            rd_kafka_message_destroy(message);
        }
        if (message == NULL || ++polls % POLLS_BETWEEN_CLOCKS == 0)
            now_ms = clock_monotonic_ms();
        if (index_batch_is_full(feed->index) ||
            (index_batch_count(feed->index) > 0 && now_ms - feed->batch_ms >= batch_limit_ms(feed)))
            flush(feed);
        if (now_ms >= feed->tick_ms)
            tick(feed, now_ms);
    }
    return 0;
}

int feed_run(const struct config *config, struct index *index, struct error *err)
{
    struct feed feed = {.config = config, .index = index, .last = -1, .generation = -1};
    int rc = -1, is_stuck;

    topics_init(&feed.topics, config);
    list_names(&feed);
    feed_metrics_init(&feed.metrics);
    feed.progress = (struct index_progress){.as_of_ms = -1, .behind_ms = -1, .left = -1};
    health_set_ready("kafka", 0, "not connected yet");
    feed.rk = new_client(config, err);
    if (feed.rk == NULL)
        goto out;
    feed.watch = kafka_watch_new(feed.rk, "stage=\"console\"");
    rc = begin(&feed, err);
    if (rc == 0)
        rc = run(&feed, err);
    if (rc == 0 && index_batch_count(index) > 0) {
        pass_positions(&feed);
        rc = index_commit(index, err);
    }
    index_checkpoint(index);
    is_stuck = kafka_watch_free(feed.watch) != 0;
    kafka_close(feed.rk, CLOSE_MS);
    if (!is_stuck)
        kafka_destroy(feed.rk, CLOSE_MS);
out:
    free(feed.names);
    free(feed.parts);
    free(feed.slots);
    topics_clear(&feed.topics);
    return rc;
}
