#include "kafka.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "health.h"
#include "log.h"
#include "stop.h"

enum {
    TOPIC_HANDLES_MAX = 256,
    MISSING_TOPIC_LOG_MS = 30000,
    VALUE_BYTES = 24,
    QUEUE_LEAST_KB = 8192,
};

/* What our own guarantees hang on; [librdkafka] may not change it. */
static const char *const reserved[] = {
    "acks",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "request.required.acks",
    "retries",
    "transactional.id",
};

static const char *const common_settings[][2] = {
    {"log.connection.close", "false"},
    {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.keepalive.enable", "true"},
    {"socket.timeout.ms", "20000"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {NULL, NULL},
};

/* linger and batch size: at 30,000 records of 4 KB a second a batch is full before its time is
 * over. The queue is bounded in bytes: what a broker that is away makes us hold. */
static const char *const producer_settings[][2] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"linger.ms", "5"},
    {"batch.size", "1000000"},
    {"batch.num.messages", "10000"},
    {"queue.buffering.max.messages", "50000"},
    {"sticky.partitioning.linger.ms", "0"},
    {NULL, NULL},
};

/* The prefetch queue is small on purpose: see kafka_watch.h for what keeps it fast. range:
 * cooperative-sticky loses partitions before librdkafka 2.4. */
static const char *const consumer_settings[][2] = {
    {"auto.offset.reset", "earliest"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"allow.auto.create.topics", "false"},
    {"partition.assignment.strategy", "range"},
    {"fetch.wait.max.ms", "500"},
    {"fetch.error.backoff.ms", "200"},
    {"fetch.message.max.bytes", "1048576"},
    {"fetch.max.bytes", "2097152"},
    {"queued.min.messages", "10000"},
    {"queued.max.messages.kbytes", "2048"},
    {NULL, NULL},
};

static int set_one(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char reason[200];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) != RD_KAFKA_CONF_OK)
        return error_set(err, ERROR_PERMANENT, "[librdkafka] %s: %s", name, reason);
    return 0;
}

static int set_number(rd_kafka_conf_t *conf, const char *name, int64_t value, struct error *err)
{
    char text[VALUE_BYTES];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    return set_one(conf, name, text, err);
}

static int set_table(rd_kafka_conf_t *conf, const char *const table[][2], struct error *err)
{
    for (int i = 0; table[i][0] != NULL; i++)
        if (set_one(conf, table[i][0], table[i][1], err) != 0)
            return -1;
    return 0;
}

static int set_consumer(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    int64_t session_ms = config->kafka.session_timeout_ms;
    int64_t heartbeat_ms = session_ms / 3 < 2000 ? session_ms / 3 : 2000;

    if (set_table(conf, consumer_settings, err) != 0 ||
        set_number(conf, "session.timeout.ms", session_ms, err) != 0 ||
        set_number(conf, "heartbeat.interval.ms", heartbeat_ms, err) != 0)
        return -1;
    if (rd_kafka_version() >= 0x02020000)
        return set_one(conf, "fetch.queue.backoff.ms", "5", err);
    return 0;
}

static int set_producer(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    int64_t queue_kb = 4 * config->kafka.max_record_bytes / 1024; /* at least one record fits */

    if (set_table(conf, producer_settings, err) != 0 ||
        set_number(conf, "queue.buffering.max.kbytes",
                   queue_kb > QUEUE_LEAST_KB ? queue_kb : QUEUE_LEAST_KB, err) != 0)
        return -1;
    return set_number(conf, "message.max.bytes", 2 * config->kafka.max_record_bytes, err);
}

static int set_passed_through(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    for (int i = 0; i < config->librdkafka_count; i++) {
        const struct config_pair *pair = &config->librdkafka[i];

        for (size_t j = 0; j < sizeof(reserved) / sizeof(*reserved); j++)
            if (strcmp(reserved[j], pair->name) == 0)
                return error_set(err, ERROR_PERMANENT,
                                 "[librdkafka] %s: set by the program, nothing lost depends on it",
                                 pair->name);
        if (set_one(conf, pair->name, pair->value, err) != 0)
            return -1;
    }
    return 0;
}

/* librdkafka heals by itself what it calls an error: connections that fail are tried again. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    char escaped[1024];

    (void)rk;
    log_escape(escaped, sizeof(escaped), text, strlen(text));
    if (level <= 4)
        log_warn("kafka facility=%s text=\"%s\"", facility, escaped);
    else
        log_debug("kafka facility=%s text=\"%s\"", facility, escaped);
}

/* Two arenas for all threads of librdkafka and ours: each thread's own would keep its peak for
 * ever. The thresholds stay dynamic: fixed ones make every buffer of a fetch a new mapping, a third
 * more CPU. See kafka_return_memory(). */
static void bound_memory_once(void) { mallopt(M_ARENA_MAX, 2); }

void kafka_return_memory(void) { malloc_trim(0); }

rd_kafka_conf_t *kafka_conf_new(const struct config *config, const char *client_id, int consumer,
                                struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    rd_kafka_conf_t *conf;

    pthread_once(&once, bound_memory_once);
    conf = mem_check(rd_kafka_conf_new());
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (set_table(conf, common_settings, err) != 0 ||
        set_one(conf, "bootstrap.servers", config->kafka.brokers, err) != 0 ||
        set_one(conf, "client.id", client_id, err) != 0 ||
        (consumer ? set_consumer(conf, config, err) : set_producer(conf, config, err)) != 0 ||
        set_passed_through(conf, config, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

/* What belongs to a record until its report. Pooled. */
struct pending {
    struct pending *next;
    void *opaque;
    char *owned_value;
    uint32_t partition_hash;
};

struct topic_handle {
    const char *name; /* borrowed, see struct output */
    rd_kafka_topic_t *rkt;
};

struct producer {
    rd_kafka_t *rk;
    producer_report report;
    void *context;
    atomic_int connected;
    atomic_llong missing_logged_ms;
    pthread_mutex_t lock; /* of what follows */
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

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = opaque;
    struct pending *pending = message->_private;

    (void)rk;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        atomic_store_explicit(&producer->connected, 1, memory_order_relaxed);
    free(pending->owned_value);
    producer->report(producer->context, pending->opaque, message->err);
    pending_release(producer, pending);
}

static void on_producer_error(rd_kafka_t *rk, int code, const char *text, void *opaque)
{
    struct producer *producer = opaque;

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        atomic_store(&producer->connected, 0);
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        log_error("kafka producer is fatal text=\"%s\"", text);
    else
        log_debug("kafka producer code=%d text=\"%s\"", code, text);
}

static int32_t choose_partition(const rd_kafka_topic_t *rkt, const void *key, size_t key_length,
                                int32_t count, void *topic_opaque, void *message_opaque)
{
    const struct pending *pending = message_opaque;

    (void)rkt, (void)key, (void)key_length, (void)topic_opaque;
    return (int32_t)(pending->partition_hash % (uint32_t)count);
}

struct producer *producer_new(const struct config *config, const char *client_id,
                              producer_report report, void *context, struct error *err)
{
    struct producer *producer = mem_alloc(sizeof(*producer));
    rd_kafka_conf_t *conf = kafka_conf_new(config, client_id, 0, err);
    rd_kafka_topic_conf_t *topic_conf;
    char reason[200];

    if (conf == NULL) {
        free(producer);
        return NULL;
    }
    producer->report = report;
    producer->context = context;
    pthread_mutex_init(&producer->lock, NULL);
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_producer_error);
    topic_conf = rd_kafka_conf_get_default_topic_conf(conf);
    if (topic_conf == NULL) {
        topic_conf = mem_check(rd_kafka_topic_conf_new());
        rd_kafka_conf_set_default_topic_conf(conf, topic_conf);
    }
    rd_kafka_topic_conf_set_partitioner_cb(topic_conf, choose_partition);
    producer->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (producer->rk == NULL) {
        error_set(err, ERROR_PERMANENT, "kafka producer: %s", reason);
        rd_kafka_conf_destroy(conf);
        pthread_mutex_destroy(&producer->lock);
        free(producer);
        return NULL;
    }
    return producer;
}

void producer_free(struct producer *producer, int64_t timeout_ms)
{
    struct pending *pending;

    if (producer == NULL)
        return;
    rd_kafka_flush(producer->rk, (int)timeout_ms);
    if (rd_kafka_outq_len(producer->rk) > 0) {
        log_warn("kafka producer leaves unreported records=%d", rd_kafka_outq_len(producer->rk));
        rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(producer->rk, 1000);
    }
    for (int i = 0; i < producer->topic_count; i++)
        rd_kafka_topic_destroy(producer->topics[i].rkt);
    rd_kafka_destroy(producer->rk);
    while ((pending = producer->pool) != NULL) {
        producer->pool = pending->next;
        free(pending);
    }
    pthread_mutex_destroy(&producer->lock);
    free(producer);
}

static rd_kafka_topic_t *topic_handle(struct producer *producer, const char *name)
{
    rd_kafka_topic_t *rkt = NULL;

    pthread_mutex_lock(&producer->lock);
    for (int i = 0; i < producer->topic_count && rkt == NULL; i++)
        if (producer->topics[i].name == name)
            rkt = producer->topics[i].rkt;
    if (rkt == NULL && producer->topic_count < TOPIC_HANDLES_MAX) {
        rkt = rd_kafka_topic_new(producer->rk, name, NULL);
        if (rkt != NULL)
            producer->topics[producer->topic_count++] = (struct topic_handle){name, rkt};
    }
    pthread_mutex_unlock(&producer->lock);
    return rkt;
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

/* A topic that is missing is a fault of the installation, not of the record: it waits. Asking for
 * the topic's metadata makes the client notice when somebody has created it. */
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

enum producer_answer producer_send(struct producer *producer, const struct output *output,
                                   int borrow, void *opaque, struct error *err)
{
    int kept = borrow || output->owned_value != NULL;
    rd_kafka_topic_t *rkt = topic_handle(producer, output->topic);
    rd_kafka_headers_t *headers;
    struct pending *pending;
    rd_kafka_vu_t parts[8];
    size_t count = 0;
    rd_kafka_error_t *error;
    rd_kafka_resp_err_t code;

    if (rkt == NULL) {
        error_set(err, ERROR_PERMANENT, "kafka topic name %s is not accepted", output->topic);
        return PRODUCER_FATAL;
    }
    headers = headers_new(output);
    pending = pending_take(producer);
    pending->opaque = opaque;
    pending->owned_value = output->owned_value;
    pending->partition_hash = output->partition_hash;
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt};
    parts[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = RD_KAFKA_PARTITION_UA};
    parts[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = kept ? 0 : RD_KAFKA_MSG_F_COPY};
    parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = pending};
    parts[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY,
                        .u.mem = {(void *)(uintptr_t)output->key.data, output->key.length}};
    parts[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE,
                        .u.mem = {(void *)(uintptr_t)output->value.data, output->value.length}};
    if (headers != NULL)
        parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    error = rd_kafka_produceva(producer->rk, parts, count);
    if (error == NULL)
        return PRODUCER_QUEUED;
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    pending_release(producer, pending);
    return answer_of(producer, output, rkt, code, err);
}

int producer_poll(struct producer *producer, int timeout_ms)
{
    return rd_kafka_poll(producer->rk, timeout_ms);
}

int producer_pending(const struct producer *producer) { return rd_kafka_outq_len(producer->rk); }

int producer_connected(const struct producer *producer)
{
    return atomic_load(&producer->connected);
}

rd_kafka_t *producer_handle(struct producer *producer) { return producer->rk; }
