#include "net/kafka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/health.h"

enum {
    TOPIC_HANDLES_MAX = 256,
    MISSING_TOPIC_LOG_MS = 30000,
    SINGLY_MS = 60000,
    SINGLE_POLL_MS = 10, /* while reports are waited for, the other client is looked at so often */
    PURGE_MS = 1000,
    DESTROY_MS = 2000,
};

/* What is known about a record until its report comes. Kept in a pool. */
struct pending {
    struct pending *next;
    void *opaque;
    char *owned_value;
    uint32_t partition_hash;
    int kept;      /* librdkafka did not copy the value's bytes */
    int is_single; /* it was sent in a batch of its own */
    struct topic_handle *handle;
};

struct topic_handle {
    const char *name; /* borrowed, see struct output */
    rd_kafka_topic_t *batched;
    rd_kafka_topic_t *single; /* the topic in the second client; NULL: not used yet */
    int64_t singly_until_ms;  /* monotonic clock; until then each record is sent in a batch of
                                 its own */
};

struct producer {
    rd_kafka_t *rk;
    const struct config *config;
    char *client_id;
    producer_report report;
    void *context;
    atomic_int connected;
    atomic_int is_fatal;
    atomic_llong missing_logged_ms;
    _Atomic(rd_kafka_t *) single; /* the second client, whose batches hold one record; NULL: not
                                     needed yet */
    pthread_mutex_t lock;         /* protects the next members */
    struct pending *pool;
    struct topic_handle topics[TOPIC_HANDLES_MAX];
    int topic_count;
};

static struct pending *pending_take(struct producer *producer)
{
    struct pending *pending;

    pthread_mutex_lock(&producer->lock);
    pending = producer->pool;
    if (pending != NULL)
        producer->pool = pending->next;
    pthread_mutex_unlock(&producer->lock);
    return pending != NULL ? pending : mem_alloc(sizeof(*pending));
}

static void pending_release(struct producer *producer, struct pending *pending)
{
    pthread_mutex_lock(&producer->lock);
    pending->next = producer->pool;
    producer->pool = pending;
    pthread_mutex_unlock(&producer->lock);
}

static rd_kafka_resp_err_t resend_singly(struct producer *producer,
                                         const rd_kafka_message_t *message,
                                         struct pending *pending);

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = opaque;
    struct pending *pending = message->_private;
    rd_kafka_resp_err_t code = message->err;

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        atomic_store_explicit(&producer->connected, 1, memory_order_relaxed);
    } else if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !pending->is_single) {
        code = resend_singly(producer, message, pending);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
    }
    free(pending->owned_value);
    producer->report(producer->context, pending->opaque, code);
    pending_release(producer, pending);
}

static void on_producer_error(rd_kafka_t *rk, int code, const char *text, void *opaque)
{
    struct producer *producer = opaque;

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        atomic_store(&producer->connected, 0);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        atomic_store(&producer->is_fatal, 1);
        log_error("kafka producer is fatal text=\"%s\"", text);
    } else {
        log_debug("kafka producer code=%d text=\"%s\"", code, text);
    }
}

static int32_t choose_partition(const rd_kafka_topic_t *rkt, const void *key, size_t key_length,
                                int32_t count, void *topic_opaque, void *message_opaque)
{
    const struct pending *pending = message_opaque;

    (void)rkt, (void)key, (void)key_length, (void)topic_opaque;
    return (int32_t)(pending->partition_hash % (uint32_t)count);
}

/* Sets what is different in the second client, whose batches hold one record. Its queue has no
 * limit of its own: the limit is what its users have under way. The thread that serves its reports
 * must not wait for room in its queue. */
static int set_single(rd_kafka_conf_t *conf)
{
    static const char *const settings[][2] = {
        {"batch.num.messages", "1"},
        {"linger.ms", "0"},
        {"queue.buffering.max.messages", "10000000"},
        {"queue.buffering.max.kbytes", "2097151"},
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], NULL, 0) != RD_KAFKA_CONF_OK)
            return -1;
    return 0;
}

static rd_kafka_t *client_new(struct producer *producer, int is_single, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(producer->config, producer->client_id, 0, err);
    rd_kafka_topic_conf_t *topic_conf;
    rd_kafka_t *rk = NULL;
    char reason[200] = "a setting is not known";

    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_producer_error);
    topic_conf = rd_kafka_conf_get_default_topic_conf(conf);
    if (topic_conf == NULL) {
        topic_conf = mem_check(rd_kafka_topic_conf_new());
        rd_kafka_conf_set_default_topic_conf(conf, topic_conf);
    }
    rd_kafka_topic_conf_set_partitioner_cb(topic_conf, choose_partition);
    if (!is_single || set_single(conf) == 0)
        rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (rk == NULL) {
        error_set(err, ERROR_PERMANENT, "kafka producer: %s", reason);
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

struct producer *producer_new(const struct config *config, const char *client_id,
                              producer_report report, void *context, struct error *err)
{
    struct producer *producer = mem_alloc(sizeof(*producer));

    producer->config = config;
    producer->client_id = mem_strdup(client_id);
    producer->report = report;
    producer->context = context;
    pthread_mutex_init(&producer->lock, NULL);
    producer->rk = client_new(producer, 0, err);
    if (producer->rk == NULL) {
        pthread_mutex_destroy(&producer->lock);
        free(producer->client_id);
        free(producer);
        return NULL;
    }
    return producer;
}

static void flush_client(rd_kafka_t *rk, int64_t timeout_ms)
{
    rd_kafka_flush(rk, (int)timeout_ms);
    if (rd_kafka_outq_len(rk) == 0)
        return;
    log_warn("kafka producer leaves unreported records=%d", rd_kafka_outq_len(rk));
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(rk, PURGE_MS);
}

void producer_free(struct producer *producer, int64_t timeout_ms)
{
    struct pending *pending;
    int left_behind = 0;

    if (producer == NULL)
        return;
    flush_client(producer->rk, timeout_ms);
    if (producer->single != NULL)
        flush_client(producer->single, timeout_ms);
    for (int i = 0; i < producer->topic_count; i++) {
        rd_kafka_topic_destroy(producer->topics[i].batched);
        if (producer->topics[i].single != NULL)
            rd_kafka_topic_destroy(producer->topics[i].single);
    }
    left_behind = kafka_destroy(producer->rk, DESTROY_MS) != 0;
    if (producer->single != NULL && kafka_destroy(producer->single, DESTROY_MS) != 0)
        left_behind = 1;
    if (left_behind)
        return;
    while ((pending = producer->pool) != NULL) {
        producer->pool = pending->next;
        free(pending);
    }
    pthread_mutex_destroy(&producer->lock);
    free(producer->client_id);
    free(producer);
}

int producer_check(const struct producer *producer, struct error *err)
{
    char reason[160] = "";

    if (!atomic_load_explicit(&producer->is_fatal, memory_order_relaxed))
        return 0;
    if (rd_kafka_fatal_error(producer->rk, reason, sizeof(reason)) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        producer->single != NULL)
        rd_kafka_fatal_error(producer->single, reason, sizeof(reason));
    return error_set(err, ERROR_TEMPORARY, "kafka producer is fatal: %s", reason);
}

static struct topic_handle *topic_handle(struct producer *producer, const char *name)
{
    struct topic_handle *handle = NULL;
    rd_kafka_topic_t *rkt;

    pthread_mutex_lock(&producer->lock);
    for (int i = 0; i < producer->topic_count && handle == NULL; i++)
        if (producer->topics[i].name == name)
            handle = &producer->topics[i];
    if (handle == NULL && producer->topic_count < TOPIC_HANDLES_MAX) {
        rkt = rd_kafka_topic_new(producer->rk, name, NULL);
        if (rkt != NULL) {
            handle = &producer->topics[producer->topic_count++];
            *handle = (struct topic_handle){.name = name, .batched = rkt};
        }
    }
    pthread_mutex_unlock(&producer->lock);
    return handle;
}

/* Returns the topic in the second client, which is made when it is first needed. NULL: it cannot be
 * made. */
static rd_kafka_topic_t *single_topic(struct producer *producer, struct topic_handle *handle)
{
    struct error err = {0};

    pthread_mutex_lock(&producer->lock);
    if (producer->single == NULL)
        producer->single = client_new(producer, 1, &err);
    if (producer->single != NULL && handle->single == NULL)
        handle->single = rd_kafka_topic_new(producer->single, handle->name, NULL);
    pthread_mutex_unlock(&producer->lock);
    if (err.kind != ERROR_NONE)
        log_error("kafka records cannot be sent one by one error=\"%s\"", err.text);
    return handle->single;
}

static int is_singly(struct producer *producer, struct topic_handle *handle)
{
    int singly;

    if (producer->single == NULL)
        return 0;
    pthread_mutex_lock(&producer->lock);
    singly = handle->singly_until_ms > clock_monotonic_ms();
    pthread_mutex_unlock(&producer->lock);
    return singly;
}

/* A batch was larger than its topic allows now. For a while the records of that topic are sent one
 * by one, because each refused batch costs a round trip. */
static void go_singly(struct producer *producer, struct topic_handle *handle)
{
    int64_t now_ms = clock_monotonic_ms();
    int begun;

    pthread_mutex_lock(&producer->lock);
    begun = handle->singly_until_ms <= now_ms;
    handle->singly_until_ms = now_ms + SINGLY_MS;
    pthread_mutex_unlock(&producer->lock);
    if (begun)
        log_warn("kafka refused a batch as too large, its records are sent one by one topic=%s",
                 handle->name);
}

static rd_kafka_headers_t *headers_new(const struct output *output)
{
    rd_kafka_headers_t *headers = NULL;

    for (int i = 0; i < HEADER_COUNT; i++) {
        struct text text = output->headers[i];

        if (text.data == NULL)
            continue;
        if (headers == NULL)
            headers = mem_check(rd_kafka_headers_new(HEADER_COUNT));
        rd_kafka_header_add(headers, header_name((enum header)i), -1, text.data,
                            (ssize_t)text.length);
    }
    return headers;
}

/* A missing topic is a fault of the installation and not of the record, so the record waits. Asking
 * for the topic's metadata makes the client notice when somebody has created the topic. */
static enum producer_answer topic_missing(struct producer *producer, const struct output *output,
                                          rd_kafka_topic_t *rkt)
{
    const struct rd_kafka_metadata *metadata = NULL;
    long long now_ms = clock_monotonic_ms(), logged_ms = atomic_load(&producer->missing_logged_ms);
    char why[160];

    snprintf(why, sizeof(why), "topic %s is missing: run bigfusion topics create", output->topic);
    health_set_ready("kafka", 0, why);
    if ((logged_ms == 0 || now_ms - logged_ms > MISSING_TOPIC_LOG_MS) &&
        atomic_compare_exchange_strong(&producer->missing_logged_ms, &logged_ms, now_ms))
        log_error("kafka %s", why);
    stop_wait_ms(200);
    if (rd_kafka_metadata(producer->rk, 0, rkt, &metadata, 1000) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            health_set_ready("kafka", 1, NULL);
        rd_kafka_metadata_destroy(metadata);
    }
    return PRODUCER_FULL;
}

static enum producer_answer answer_of(struct producer *producer, const struct output *output,
                                      rd_kafka_topic_t *rkt, rd_kafka_resp_err_t code,
                                      struct error *err)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return PRODUCER_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return PRODUCER_TOO_LARGE;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return topic_missing(producer, output, rkt);
    default:
        error_set(err, ERROR_TEMPORARY, "kafka produce to %s: %s", output->topic,
                  rd_kafka_err2str(code));
        return PRODUCER_FATAL;
    }
}

/* Queues one record in the client of rkt. headers are taken on success. */
static rd_kafka_resp_err_t produce(rd_kafka_t *rk, rd_kafka_topic_t *rkt, struct text key,
                                   struct text value, rd_kafka_headers_t *headers,
                                   struct pending *pending)
{
    rd_kafka_vu_t parts[8];
    size_t count = 0;
    rd_kafka_error_t *error;
    rd_kafka_resp_err_t code;

    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt};
    parts[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = RD_KAFKA_PARTITION_UA};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS,
                                     .u.i = pending->kept ? 0 : RD_KAFKA_MSG_F_COPY};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = pending};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY,
                                     .u.mem = {(void *)(uintptr_t)key.data, key.length}};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE,
                                     .u.mem = {(void *)(uintptr_t)value.data, value.length}};
    if (headers != NULL)
        parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    error = rd_kafka_produceva(rk, parts, count);
    if (error == NULL)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    return code;
}

/* Sends a record of a refused batch again, in a batch of its own.
 * @returns NO_ERROR: its report will come; else the error to report. That error is never "too
 * large", because the record was not tried alone */
static rd_kafka_resp_err_t resend_singly(struct producer *producer,
                                         const rd_kafka_message_t *message, struct pending *pending)
{
    rd_kafka_topic_t *rkt = single_topic(producer, pending->handle);
    rd_kafka_headers_t *headers = NULL, *copy = NULL;
    rd_kafka_resp_err_t code;

    if (rkt == NULL)
        return RD_KAFKA_RESP_ERR__FAIL;
    go_singly(producer, pending->handle);
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        copy = rd_kafka_headers_copy(headers);
    pending->is_single = 1;
    code = produce(producer->single, rkt, (struct text){message->key, message->key_len},
                   (struct text){message->payload, message->len}, copy, pending);
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? RD_KAFKA_RESP_ERR__FAIL : code;
}

enum producer_answer producer_send(struct producer *producer, const struct output *output,
                                   int borrow, void *opaque, struct error *err)
{
    struct topic_handle *handle = topic_handle(producer, output->topic);
    struct pending *pending;
    rd_kafka_topic_t *rkt;
    rd_kafka_resp_err_t code;

    if (handle == NULL) {
        error_set(err, ERROR_PERMANENT, "kafka topic name %s is not accepted", output->topic);
        return PRODUCER_FATAL;
    }
    pending = pending_take(producer);
    *pending = (struct pending){.opaque = opaque,
                                .owned_value = output->owned_value,
                                .partition_hash = output->partition_hash,
                                .kept = borrow || output->owned_value != NULL,
                                .handle = handle};
    rkt = handle->batched;
    if (is_singly(producer, handle) && single_topic(producer, handle) != NULL) {
        pending->is_single = 1;
        rkt = handle->single;
    }
    code = produce(pending->is_single ? producer->single : producer->rk, rkt, output->key,
                   output->value, headers_new(output), pending);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return PRODUCER_QUEUED;
    pending_release(producer, pending);
    return answer_of(producer, output, handle->batched, code, err);
}

int producer_poll(struct producer *producer, int timeout_ms)
{
    rd_kafka_t *single = producer->single;
    int served;

    if (single != NULL && rd_kafka_outq_len(single) > 0 && timeout_ms > SINGLE_POLL_MS)
        timeout_ms = SINGLE_POLL_MS;
    served = rd_kafka_poll(producer->rk, timeout_ms);
    single = producer->single; /* a report may have made the second client */
    return single != NULL ? served + rd_kafka_poll(single, 0) : served;
}

int producer_pending(const struct producer *producer)
{
    return rd_kafka_outq_len(producer->rk) +
           (producer->single != NULL ? rd_kafka_outq_len(producer->single) : 0);
}

int producer_connected(const struct producer *producer)
{
    return atomic_load(&producer->connected);
}

rd_kafka_t *producer_handle(struct producer *producer) { return producer->rk; }
