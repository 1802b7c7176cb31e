#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/kafka_advice.h"

enum {
    COMMIT_INTERVAL_MS = 500,
    LAG_INTERVAL_MS = 5000,
    POLL_MS = 100,
    RECORDS_PER_TURN = 64, /* time between two looks at reports and clock */
    HELD_WAIT_MAX_MS = 20,
    REPORT_WAIT_MS = 10,
    MARK_WAIT_MS = 10,
    BLOCKED_PAUSE_MS = 1000,
    DRAIN_MS = 5000,
    CLOSE_MS = 4000,
    FLUSH_MS = 1000,
    DESTROY_MS = 2000,
    TOPIC_WAIT_MS = 1000,
    TOPIC_LOG_MS = 30000,
    METADATA_TIMEOUT_MS = 5000,
    INFLIGHT_RECORDS_DEFAULT = 4096,
    INFLIGHT_BYTES_DEFAULT = 4 << 20,
    QUIET_BYTES = 4 << 20, /* bytes in LAG_INTERVAL_MS: about 200 orders a second */
    TRIM_BYTES = 8 << 20,
};

static void set_topic(struct stage *stage, const char *topic, int how)
{
    for (int i = 0; i < stage->settings.input_count; i++)
        if (strcmp(stage->settings.inputs[i], topic) == 0) {
            atomic_store(&stage->topic_paused[i], how);
            atomic_store(&stage->pause_changed, 1);
        }
}

void stage_set_paused(struct stage *stage, const char *topic, int paused)
{
    set_topic(stage, topic, paused ? TOPIC_PAUSED : TOPIC_READ);
}

void stage_take_one(struct stage *stage, const char *topic) { set_topic(stage, topic, TOPIC_ONE); }

static void on_consumer_error(rd_kafka_t *rk, int code, const char *text, void *opaque)
{
    struct stage *stage = opaque;
    struct error err = {0};

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        error_set(&err, ERROR_TEMPORARY, "kafka consumer: %s", text);
        stage_fail(stage, &err);
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        health_set_ready("kafka", 0, "no broker can be reached");
        kafka_watch_down(stage->watch);
    } else {
        log_debug("kafka consumer code=%d text=\"%s\"", code, text);
    }
}

static int make_clients(struct stage *stage, struct error *err)
{
    const struct config *config = stage->settings.config;
    char *client_id = mem_printf("bigfusion-%s", stage->settings.service);
    char *group = mem_printf("%s.%s", config->kafka.topic_prefix, stage->settings.service);
    rd_kafka_conf_t *conf = kafka_conf_new(config, client_id, 1, err);
    char reason[200];
    int result = -1;

    if (conf == NULL)
        goto out;
    rd_kafka_conf_set_opaque(conf, stage);
    rd_kafka_conf_set_rebalance_cb(conf, group_on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_consumer_error);
    if (rd_kafka_conf_set(conf, "group.id", group, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
        stage->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (stage->consumer == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_PERMANENT, "kafka consumer: %s", reason);
        goto out;
    }
    rd_kafka_poll_set_consumer(stage->consumer);
    stage->answers = mem_check(rd_kafka_queue_new(stage->consumer));
    stage->producer = producer_new(config, client_id, ticket_on_report, stage, err);
    if (stage->producer != NULL)
        result = 0;
out:
    free(client_id);
    free(group);
    return result;
}

static struct stage *make_stage(const struct stage_settings *settings, stage_handler handler,
                                stage_offer offer, void *context, struct error *err)
{
    struct stage *stage = mem_alloc(sizeof(*stage));
    pthread_condattr_t attributes;

    stage->settings = *settings;
    if (stage->settings.inflight_records_max <= 0)
        stage->settings.inflight_records_max = INFLIGHT_RECORDS_DEFAULT;
    if (stage->settings.inflight_bytes_max <= 0)
        stage->settings.inflight_bytes_max = INFLIGHT_BYTES_DEFAULT;
    stage->handler = handler;
    stage->offer = offer;
    stage->context = context;
    stage->thread = pthread_self();
    stage->held_wait_ms = 1;
    stage->behind_end = &stage->behind;
    stage->topic_paused = mem_alloc((size_t)settings->input_count * sizeof(*stage->topic_paused));
    pthread_mutex_init(&stage->lock, NULL);
    claim_init(stage);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&stage->signal, &attributes);
    pthread_condattr_destroy(&attributes);
    if (make_clients(stage, err) != 0) {
        stage_free(stage);
        return NULL;
    }
    measure_init(stage);
    return stage;
}

struct stage *stage_new(const struct stage_settings *settings, stage_handler handler, void *context,
                        struct error *err)
{
    return make_stage(settings, handler, NULL, context, err);
}

struct stage *stage_new_async(const struct stage_settings *settings, stage_offer offer,
                              void *context, struct error *err)
{
    return make_stage(settings, NULL, offer, context, err);
}

void stage_free(struct stage *stage)
{
    int watch_stuck;

    if (stage == NULL)
        return;
    atomic_store(&stage->ended, 1);
    producer_free(stage->producer, FLUSH_MS);
    ticket_free_unsent(stage);
    ticket_free_all(stage);
    commit_free_all(stage);
    watch_stuck = kafka_watch_free(stage->watch) != 0;
    while (stage->partitions != NULL) {
        struct partition *partition = stage->partitions;

        stage->partitions = partition->next;
        partition_release(partition);
    }
    /* A watch that is stuck in a request to a broker that is gone still uses the client, and such a
     * client still uses the stage. So neither is freed. */
    if (stage->consumer != NULL && (watch_stuck || kafka_destroy(stage->consumer, DESTROY_MS) != 0))
        return;
    pthread_cond_destroy(&stage->signal);
    pthread_mutex_destroy(&stage->lock);
    pthread_rwlock_destroy(&stage->running);
    free(stage->topic_paused);
    free(stage->lags);
    free(stage);
}

/* Called when the consumer handed over a higher offset than expected. The expected one is sought
 * once. If it does not come then, it does not exist any more.
 * @returns whether the message is to be dropped, because the expected one will come */
static int seek_gap(struct stage *stage, struct partition *partition,
                    const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_error_t *error;
    int64_t expected = partition->window.next;

    if (partition->sought == expected) {
        kafka_watch_gap(stage->watch, stage->settings.inputs[partition->input], partition->id,
                        expected, message->offset);
        return 0;
    }
    log_warn("offsets missing, sought topic=%s partition=%d expected=%lld found=%lld",
             stage->settings.inputs[partition->input], partition->id, (long long)expected,
             (long long)message->offset);
    partition->sought = expected;
    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, stage->settings.inputs[partition->input], partition->id)
        ->offset = expected;
    error = rd_kafka_seek_partitions(stage->consumer, list, METADATA_TIMEOUT_MS);
    rd_kafka_topic_partition_list_destroy(list);
    if (error == NULL)
        return 1;
    rd_kafka_error_destroy(error);
    kafka_watch_gap(stage->watch, stage->settings.inputs[partition->input], partition->id, expected,
                    message->offset);
    return 0;
}

/* Takes a consumed message: window, then handler (stash: later); takes message. */
static void take(struct stage *stage, rd_kafka_message_t *message, int stash)
{
    struct partition *partition = partition_of_message(stage, message);
    enum window_answer answer;
    struct ticket *ticket;

    kafka_watch_consumed(stage->watch, message->len + message->key_len);
    if (partition == NULL) {
        rd_kafka_message_destroy(message);
        return;
    }
    answer = window_expects(&partition->window, message->offset);
    if (answer == WINDOW_GAP && seek_gap(stage, partition, message)) {
        rd_kafka_message_destroy(message);
        return;
    }
    if (answer == WINDOW_REWOUND) {
        metric_add(stage->rewinds, 1);
        log_warn("reading again from further back topic=%s partition=%d expected=%lld found=%lld",
                 stage->settings.inputs[partition->input], partition->id,
                 (long long)partition->window.next, (long long)message->offset);
    }
    ticket = ticket_new(stage, partition, message);
    kafka_watch_consumed(stage->watch, ticket->event.header_bytes);
    if (stash)
        ticket_park(stage, ticket, 0);
    else
        ticket_hand(stage, ticket, 0);
}

/* Handles what the consumer reports in place of a record. librdkafka continues by itself after all
 * of these errors but one, see group_note_error(). */
static void take_error(struct stage *stage, const rd_kafka_message_t *message)
{
    group_note_error(stage, message);
    if (message->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
        log_warn("kafka consumer left its group: it did not poll in time");
    else
        log_warn("kafka consumer error=\"%s\"", rd_kafka_message_errstr(message));
}

/* Polls the consumer once. @returns whether a record was taken */
static int poll_once(struct stage *stage, int timeout_ms, int stash)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(stage->consumer, timeout_ms);

    if (message == NULL)
        return 0;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        take(stage, message, stash);
        return 1;
    }
    take_error(stage, message);
    rd_kafka_message_destroy(message);
    return 0;
}

static void wait_for_signal(struct stage *stage, int wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)wait_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&stage->lock);
    if (!stage->woken)
        pthread_cond_timedwait(&stage->signal, &stage->lock, &until);
    stage->woken = 0;
    pthread_mutex_unlock(&stage->lock);
}

/* Gives memory back when the stage has caught up and no longer needs it. */
static void return_memory_when_quiet(struct stage *stage)
{
    int64_t bytes = metric_value(stage->bytes);

    if (bytes - stage->bytes_before < QUIET_BYTES && bytes - stage->bytes_trimmed > TRIM_BYTES) {
        kafka_return_memory();
        stage->bytes_trimmed = bytes;
    }
    stage->bytes_before = bytes;
}

static void mind_the_clock(struct stage *stage)
{
    int64_t now_ms = clock_monotonic_ms();
    struct error err = {0};

    if (producer_check(stage->producer, &err) != 0)
        stage_fail(stage, &err);
    if (stage->ramp > 0)
        claim_ramp(stage);
    group_rejoin_when_due(stage);
    commit_settle(stage);
    mark_mind(stage);
    if (now_ms >= stage->next_commit_ms) {
        stage->next_commit_ms = now_ms + COMMIT_INTERVAL_MS;
        group_commit(stage, COMMIT_REGULAR);
    }
    if (now_ms >= stage->next_lag_ms) {
        stage->next_lag_ms = now_ms + LAG_INTERVAL_MS;
        measure_lag(stage);
        return_memory_when_quiet(stage);
    }
}

/* Waits up to wait_ms for reports or completions while nothing can be handed over, and keeps the
 * membership of the group alive meanwhile. */
static void breathe(struct stage *stage, int wait_ms)
{
    int64_t now_ms = clock_monotonic_ms();

    if (stage->blocked_since_ms == 0)
        stage->blocked_since_ms = now_ms;
    if (stage->held != NULL) {
        wait_for_signal(stage, wait_ms);
        producer_poll(stage->producer, 0);
    } else {
        producer_poll(stage->producer, wait_ms < REPORT_WAIT_MS ? wait_ms : REPORT_WAIT_MS);
    }
    if (now_ms - stage->blocked_since_ms < BLOCKED_PAUSE_MS)
        return;
    if (!stage->paused_all)
        partitions_pause_all(stage, 1);
    poll_once(stage, 0, 1);
}

/* How long the loop may sleep: until the next parked record is due, at most POLL_MS. */
static int idle_ms(const struct stage *stage)
{
    int64_t left_ms;

    if (stage->due_count == 0)
        return POLL_MS;
    left_ms = stage->due[0].at_ms - clock_monotonic_ms();
    return left_ms >= POLL_MS ? POLL_MS : left_ms <= 0 ? 0 : (int)left_ms;
}

/* Takes as many records as there are and there is room for, then handles reports, completions and
 * whatever is due. */
static void turn(struct stage *stage)
{
    int taken = 0;

    if (atomic_exchange(&stage->pause_changed, 0))
        partitions_pause_topics(stage);
    ticket_settle_all(stage);
    ticket_offer_held(stage);
    ticket_hand_due(stage);
    ticket_hand_behind(stage);
    if (!stage_has_room(stage)) {
        breathe(stage, stage->held_wait_ms);
        if (stage->held_wait_ms < HELD_WAIT_MAX_MS)
            stage->held_wait_ms *= 2;
        mind_the_clock(stage);
        return;
    }
    stage->blocked_since_ms = 0;
    if (stage->paused_all)
        partitions_pause_all(stage, 0);
    while (taken < RECORDS_PER_TURN && stage_has_room(stage) && poll_once(stage, 0, 0))
        taken++;
    producer_poll(stage->producer, 0);
    if (taken == 0 && stage->behind != NULL)
        rd_kafka_queue_poll_callback(stage->answers, MARK_WAIT_MS);
    else if (taken == 0 && stage->finished == NULL)
        poll_once(stage, idle_ms(stage), 0);
    mind_the_clock(stage);
}

/* Waits for inputs that do not exist yet; a subscription alone would notice them only minutes
 * later.
 * @returns whether the topic exists */
static int topic_exists(struct stage *stage, const char *name)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *rkt = mem_check(rd_kafka_topic_new(stage->consumer, name, NULL));
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(stage->consumer, 0, rkt, &metadata, METADATA_TIMEOUT_MS);
    char why[300];

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        snprintf(why, sizeof(why), "topic %s is missing: run bigfusion topics create", name);
    else
        snprintf(why, sizeof(why), "topic %s: %s", name, rd_kafka_err2str(code));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        health_set_ready("kafka", 0, why);
        if (stage->failure_logged_ms == 0 ||
            clock_monotonic_ms() - stage->failure_logged_ms > TOPIC_LOG_MS) {
            stage->failure_logged_ms = clock_monotonic_ms();
            /* A missing topic is for a person; a broker that is not there yet is waited for. */
            if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
                log_error("kafka %s", why);
            else
                log_warn("kafka %s", why);
        }
    }
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int subscribe(struct stage *stage, struct error *err)
{
    health_set_ready("kafka", 0, "not assigned yet");
    for (int i = 0; i < stage->settings.input_count; i++)
        while (!stop_requested() && !topic_exists(stage, stage->settings.inputs[i]))
            stop_wait_ms(TOPIC_WAIT_MS);
    return group_subscribe(stage, err);
}

/* Finishes the records that are under way, within limits, then commits and leaves the group. */
static void drain(struct stage *stage)
{
    int64_t until_ms = clock_monotonic_ms() + DRAIN_MS;

    stage->stopping = 1;
    ticket_drop_parked(stage);
    ticket_settle_all(stage);
    while (stage->inflight > 0 && clock_monotonic_ms() < until_ms &&
           !atomic_load(&stage->is_fatal)) {
        if (stage->offer != NULL)
            wait_for_signal(stage, 20);
        producer_poll(stage->producer, stage->offer != NULL ? 0 : 50);
        ticket_settle_all(stage);
    }
    group_commit(stage, COMMIT_FINAL);
    log_info("stopping unfinished=%d", stage->inflight);
    atomic_store(&stage->ended, 1);
    kafka_close(stage->consumer, CLOSE_MS);
}

int stage_run(struct stage *stage, struct error *err)
{
    const struct stage_settings *settings = &stage->settings;
    struct kafka_advice *advice =
        kafka_advice_start(settings->config, settings->inputs, settings->input_count);
    int rc;

    stage->thread = pthread_self();
    rc = subscribe(stage, err);
    if (rc == 0) {
        while (!stop_requested() && !atomic_load(&stage->is_fatal))
            turn(stage);
        drain(stage);
        if (atomic_load(&stage->is_fatal))
            rc = error_set(err, stage->fatal.kind, "%s", stage->fatal.text);
    }
    kafka_advice_free(advice);
    return rc;
}
