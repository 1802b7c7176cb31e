#include "net/kafka.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    VALUE_BYTES = 24,
    QUEUE_LEAST_KB = 8192,
    BATCH_BYTES = 1000000,
    CLOSE_POLL_MS = 50,
};

/* Our guarantees depend on these settings, so [librdkafka] may not change them. */
static const char *const reserved[] = {
    "acks",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "batch.size",
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

/* [librdkafka] may change these. */
static const char *const common_settings[][2] = {
    {"enable.ssl.certificate.verification", "true"},
    {"ssl.endpoint.identification.algorithm", "https"},
    {"log.connection.close", "false"},
    {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.keepalive.enable", "true"},
    {"socket.timeout.ms", "20000"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {NULL, NULL},
};

/* At 30,000 records of 4 KB a second a batch is full before linger.ms has passed. The queue is
 * limited in bytes, so that the memory is limited while the broker is away. batch.size is set in
 * set_producer(). */
static const char *const producer_settings[][2] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"linger.ms", "5"},
    {"batch.num.messages", "10000"},
    {"queue.buffering.max.messages", "50000"},
    {"sticky.partitioning.linger.ms", "0"},
    {NULL, NULL},
};

/* The prefetch queue is small on purpose; kafka_watch.h says what keeps it fast. librdkafka counts
 * the values of its records alone toward its kilobytes, no keys and headers: so there is a limit of
 * their number too, beyond which nothing more is asked for. The assignment is
 * range, because cooperative-sticky loses partitions before librdkafka 2.4. */
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
    {"queued.min.messages", "256"},
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
    if (rd_kafka_version() < 0x02020000)
        return 0; /* kafka_watch.h */
    if (set_one(conf, "fetch.queue.backoff.ms", "2", err) != 0)
        return -1;
    return set_one(conf, "queued.min.messages", "64", err);
}

static int set_producer(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    int64_t max_bytes = config->kafka.max_record_bytes;
    int64_t queue_kb = 4 * max_bytes / 1024; /* so that at least one record fits */

    /* The broker applies a topic's limit to the whole batch. max_record_bytes is the smallest limit
     * of our topics (see topics_plan()), and batch.size counts bytes before compression. */
    if (set_number(conf, "batch.size", max_bytes < BATCH_BYTES ? max_bytes : BATCH_BYTES, err) != 0)
        return -1;
    if (set_table(conf, producer_settings, err) != 0 ||
        set_number(conf, "queue.buffering.max.kbytes",
                   queue_kb > QUEUE_LEAST_KB ? queue_kb : QUEUE_LEAST_KB, err) != 0)
        return -1;
    return set_number(conf, "message.max.bytes", 2 * max_bytes, err);
}

/* From 2.5 on a client offers its figures to the broker, and waits a second for that when it ends.
 * Ours are read by Prometheus. */
static int set_no_push(rd_kafka_conf_t *conf, struct error *err)
{
    return rd_kafka_version() < 0x02050000 ? 0 : set_one(conf, "enable.metrics.push", "false", err);
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

/* librdkafka has no setting for the oldest version of TLS. So the cipher suites that TLS 1.0 and 1.1
 * know are taken out of the list: without one of them no such connection can begin. */
static int require_tls_1_2(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    const char *suites = "DEFAULT";
    char *limited;
    int rc;

    for (int i = 0; i < config->librdkafka_count; i++)
        if (strcmp(config->librdkafka[i].name, "ssl.cipher.suites") == 0 &&
            config->librdkafka[i].value[0] != '\0')
            suites = config->librdkafka[i].value;
    limited = mem_printf("%s:!SSLv3:!TLSv1", suites);
    rc = set_one(conf, "ssl.cipher.suites", limited, err);
    free(limited);
    return rc;
}

/* Before 2.6.1 librdkafka sends a wrong nonce in SCRAM. Brokers that look at it (Kafka 3.7.2, 3.8.1,
 * 4.0 and newer) answer "invalid credentials", although user and password are right. */
static void warn_of_scram(const struct config *config)
{
    static atomic_flag warned = ATOMIC_FLAG_INIT;

    if (rd_kafka_version() >= 0x02060100)
        return;
    for (int i = 0; i < config->librdkafka_count; i++) {
        const struct config_pair *pair = &config->librdkafka[i];

        if (strncmp(pair->name, "sasl.mechanism", 14) == 0 &&
            strncasecmp(pair->value, "SCRAM", 5) == 0 && !atomic_flag_test_and_set(&warned))
            log_warn("SCRAM of this librdkafka (%s) is refused by newer brokers as invalid "
                     "credentials wanted=\"librdkafka 2.6.1 or newer, as in Debian trixie and our "
                     "image, or sasl.mechanism = PLAIN over sasl_ssl\"",
                     rd_kafka_version_str());
    }
}

static int set_password(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    if (config->kafka.sasl_password == NULL)
        return 0;
    return set_one(conf, "sasl.password", config->kafka.sasl_password, err);
}

/* What librdkafka reports here it also repairs: it connects again by itself. So nothing is more
 * than a warning. */
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

/* All threads, ours and librdkafka's, share two memory arenas: with an arena for each thread, each
 * would keep the most that it ever used. The thresholds of malloc stay dynamic: with fixed ones
 * each buffer of a fetch would be a new mapping, which costs a third more CPU. See
 * kafka_return_memory(). */
static void bound_memory_once(void) { mallopt(M_ARENA_MAX, 2); }

void kafka_return_memory(void) { malloc_trim(0); }

rd_kafka_conf_t *kafka_conf_new(const struct config *config, const char *client_id, int consumer,
                                struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    rd_kafka_conf_t *conf;

    pthread_once(&once, bound_memory_once);
    warn_of_scram(config);
    conf = mem_check(rd_kafka_conf_new());
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (set_table(conf, common_settings, err) != 0 || set_no_push(conf, err) != 0 ||
        set_one(conf, "bootstrap.servers", config->kafka.brokers, err) != 0 ||
        set_one(conf, "client.id", client_id, err) != 0 ||
        (consumer ? set_consumer(conf, config, err) : set_producer(conf, config, err)) != 0 ||
        set_passed_through(conf, config, err) != 0 || set_password(conf, config, err) != 0 ||
        require_tls_1_2(conf, config, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

int kafka_close(rd_kafka_t *consumer, int64_t timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_queue_t *queue = mem_check(rd_kafka_queue_new(consumer));
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer, queue);

    if (error != NULL) {
        log_warn("kafka consumer does not close error=\"%s\"", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        rd_kafka_queue_destroy(queue);
        return -1;
    }
    while (!rd_kafka_consumer_closed(consumer) && clock_monotonic_ms() < until_ms) {
        /* this serves callbacks; a record that was fetched already is dropped */
        rd_kafka_message_t *message = rd_kafka_consume_queue(queue, CLOSE_POLL_MS);

        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    if (!rd_kafka_consumer_closed(consumer)) {
        log_warn("kafka consumer did not close within ms=%lld", (long long)timeout_ms);
        return -1; /* it still uses the queue */
    }
    rd_kafka_queue_destroy(queue);
    return 0;
}

static void *destroy_client(void *opaque)
{
    rd_kafka_destroy_flags(opaque, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

static void end_at_once(int status, void *nothing)
{
    (void)nothing;
    fflush(NULL);
    _exit(status);
}

/* Exit handlers run in the reverse order of their registration, so this one comes before those that
 * the libraries registered when they were used first. */
static void register_end(void) { on_exit(end_at_once, NULL); }

void kafka_leave_behind(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_end);
}

int kafka_destroy(rd_kafka_t *rk, int64_t timeout_ms)
{
    struct timespec until;
    pthread_t thread;

    if (pthread_create(&thread, NULL, destroy_client, rk) != 0) {
        kafka_leave_behind();
        return -1;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return 0;
    pthread_detach(thread);
    log_warn("kafka client did not end within ms=%lld, it is left behind", (long long)timeout_ms);
    kafka_leave_behind();
    return -1;
}
