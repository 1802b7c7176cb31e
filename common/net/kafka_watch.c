#include "net/kafka_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/health.h"
#include "net/kafka.h"

enum {
    WAKE_BYTES = 256 * 1024, /* an eighth of the prefetch queue, see kafka.c */
    WAKE_RECORDS = 128,      /* the queue is limited in records too */
    WAKE_INTERVAL_MS = 50,   /* the longest wait of a queue that has room again */
    REQUEST_TIMEOUT_MS = 5000,
    PROBE_INTERVAL_MS = 500,
    LEADERS_REFRESH_MS = 30000,
    GAPS_MAX = 64,
    END_WAIT_S = 2,
};

/* Whether the brokers are to be woken, because something was consumed. */
enum wake {
    WAKE_NO,
    WAKE_SOON, /* WAKE_INTERVAL_MS after the last time */
    WAKE_NOW,
};

struct gap {
    char *topic; /* owned */
    int32_t partition;
    int64_t expected, found;
};

struct kafka_watch {
    rd_kafka_t *consumer;
    struct metric *lost;
    int wakes_needed;
    size_t consumed_bytes; /* only the consumer's thread uses these two */
    int consumed;
    pthread_t thread;
    atomic_int wake;      /* enum wake; set with the lock held, and read without it */
    pthread_mutex_t lock; /* protects the next members */
    pthread_cond_t changed;
    int ending, down;
    rd_kafka_topic_partition_list_t *assigned; /* owned; NULL: none */
    int assigned_changed;
    struct gap gaps[GAPS_MAX];
    int gap_count;
    /* only the watch's own thread uses the next members */
    rd_kafka_topic_partition_list_t *leaders; /* one partition of each leader */
    int64_t leaders_ms, woken_ms, probed_ms;
};

static int32_t leader_of(const struct rd_kafka_metadata *metadata, const char *topic,
                         int32_t partition)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[i];

        if (strcmp(found->topic, topic) != 0)
            continue;
        for (int j = 0; j < found->partition_cnt; j++)
            if (found->partitions[j].id == partition)
                return found->partitions[j].leader;
    }
    return -1;
}

/* Chooses one partition of each broker that leads any of them. */
static void choose_leaders(struct kafka_watch *watch, const rd_kafka_topic_partition_list_t *of)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(watch->consumer, 0, NULL, &metadata, REQUEST_TIMEOUT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (watch->leaders != NULL)
        rd_kafka_topic_partition_list_destroy(watch->leaders);
    watch->leaders = rd_kafka_topic_partition_list_new(4);
    for (int i = 0; i < of->cnt; i++) {
        int32_t leader = leader_of(metadata, of->elems[i].topic, of->elems[i].partition);
        int known = 0;

        for (int j = 0; j < watch->leaders->cnt; j++)
            known |= watch->leaders->elems[j].offset == leader;
        if (leader >= 0 && !known)
            rd_kafka_topic_partition_list_add(watch->leaders, of->elems[i].topic,
                                              of->elems[i].partition)
                ->offset = leader;
    }
    rd_kafka_metadata_destroy(metadata);
    watch->leaders_ms = clock_monotonic_ms();
}

static void wake_brokers(struct kafka_watch *watch)
{
    for (int i = 0; watch->leaders != NULL && i < watch->leaders->cnt; i++) {
        int64_t low, high;

        rd_kafka_query_watermark_offsets(watch->consumer, watch->leaders->elems[i].topic,
                                         watch->leaders->elems[i].partition, &low, &high,
                                         REQUEST_TIMEOUT_MS);
    }
}

/* Whether retention explains a gap: the oldest offset that the broker has is then the found one or
 * a later one. */
static void judge_gap(struct kafka_watch *watch, struct gap *gap)
{
    int64_t low = -1, high = -1;

    rd_kafka_query_watermark_offsets(watch->consumer, gap->topic, gap->partition, &low, &high,
                                     REQUEST_TIMEOUT_MS);
    if (low >= gap->found) {
        log_warn("records older than the topic keeps were not read topic=%s partition=%d from=%lld "
                 "to=%lld",
                 gap->topic, gap->partition, (long long)gap->expected, (long long)gap->found - 1);
    } else {
        log_error("gap in the offsets topic=%s partition=%d from=%lld to=%lld low=%lld", gap->topic,
                  gap->partition, (long long)gap->expected, (long long)gap->found - 1,
                  (long long)low);
        metric_add(watch->lost, gap->found - gap->expected);
    }
    free(gap->topic);
}

/* Asks for metadata. @returns whether a broker answered */
static int probe(struct kafka_watch *watch)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(watch->consumer, 0, NULL, &metadata, REQUEST_TIMEOUT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    rd_kafka_metadata_destroy(metadata);
    health_set_ready("kafka", 1, NULL);
    return 1;
}

/* When there is work, on the monotonic clock; INT64_MAX: not before something changes. */
static int64_t work_due_ms(const struct kafka_watch *watch)
{
    int64_t due_ms = INT64_MAX;
    int wake = atomic_load(&watch->wake);

    if (watch->ending || watch->gap_count > 0 || wake == WAKE_NOW)
        return 0;
    if (wake == WAKE_SOON)
        due_ms = watch->woken_ms + WAKE_INTERVAL_MS;
    if (watch->down && watch->probed_ms + PROBE_INTERVAL_MS < due_ms)
        due_ms = watch->probed_ms + PROBE_INTERVAL_MS;
    return due_ms;
}

static void wait_for_work(struct kafka_watch *watch)
{
    int64_t due_ms;

    while ((due_ms = work_due_ms(watch)) > clock_monotonic_ms()) {
        struct timespec until = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};

        if (due_ms == INT64_MAX)
            pthread_cond_wait(&watch->changed, &watch->lock);
        else
            pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
    }
}

/* Called with the lock held, which is released while it works and held again at the end. */
static void work(struct kafka_watch *watch)
{
    struct gap gaps[GAPS_MAX];
    int gap_count = watch->gap_count, down = watch->down;
    int wake = atomic_exchange(&watch->wake, WAKE_NO);
    rd_kafka_topic_partition_list_t *assigned = NULL;

    memcpy(gaps, watch->gaps, sizeof(gaps));
    watch->gap_count = 0;
    watch->down = 0; /* what is reported from now on is not lost */
    if (wake != WAKE_NO && watch->assigned != NULL &&
        (watch->assigned_changed ||
         clock_monotonic_ms() - watch->leaders_ms > LEADERS_REFRESH_MS)) {
        assigned = rd_kafka_topic_partition_list_copy(watch->assigned);
        watch->assigned_changed = 0;
    }
    pthread_mutex_unlock(&watch->lock);
    for (int i = 0; i < gap_count; i++)
        judge_gap(watch, &gaps[i]);
    if (assigned != NULL) {
        choose_leaders(watch, assigned);
        rd_kafka_topic_partition_list_destroy(assigned);
    }
    if (wake != WAKE_NO) {
        wake_brokers(watch);
        watch->woken_ms = clock_monotonic_ms();
    }
    if (down) {
        down = !probe(watch);
        watch->probed_ms = clock_monotonic_ms();
    }
    pthread_mutex_lock(&watch->lock);
    watch->down |= down;
}

static void *watch_run(void *opaque)
{
    struct kafka_watch *watch = opaque;

    pthread_mutex_lock(&watch->lock);
    while (!watch->ending) {
        wait_for_work(watch);
        if (!watch->ending)
            work(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

struct kafka_watch *kafka_watch_new(rd_kafka_t *consumer, const char *labels)
{
    struct kafka_watch *watch = mem_alloc(sizeof(*watch));
    pthread_condattr_t attributes;

    watch->consumer = consumer;
    watch->wakes_needed = rd_kafka_version() < 0x02020000;
    watch->lost =
        metric_counter("bigfusion_offset_gap_records_total",
                       "Offsets never handed over that retention does not explain", labels);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watch->thread, NULL, watch_run, watch) != 0) {
        log_error("no thread can be started");
        exit(111);
    }
    return watch;
}

int kafka_watch_free(struct kafka_watch *watch)
{
    struct timespec until;

    if (watch == NULL)
        return 0;
    pthread_mutex_lock(&watch->lock);
    watch->ending = 1;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_WAIT_S;
    if (pthread_timedjoin_np(watch->thread, NULL, &until) != 0) {
        kafka_leave_behind();
        return -1;
    }
    for (int i = 0; i < watch->gap_count; i++)
        free(watch->gaps[i].topic);
    if (watch->assigned != NULL)
        rd_kafka_topic_partition_list_destroy(watch->assigned);
    if (watch->leaders != NULL)
        rd_kafka_topic_partition_list_destroy(watch->leaders);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
    return 0;
}

void kafka_watch_assigned(struct kafka_watch *watch,
                          const rd_kafka_topic_partition_list_t *partitions)
{
    pthread_mutex_lock(&watch->lock);
    if (watch->assigned != NULL)
        rd_kafka_topic_partition_list_destroy(watch->assigned);
    watch->assigned = partitions == NULL ? NULL : rd_kafka_topic_partition_list_copy(partitions);
    watch->assigned_changed = 1;
    pthread_mutex_unlock(&watch->lock);
}

void kafka_watch_consumed(struct kafka_watch *watch, size_t bytes)
{
    int wake = WAKE_SOON;

    watch->consumed_bytes += bytes;
    watch->consumed++;
    if (watch->consumed_bytes >= WAKE_BYTES || watch->consumed >= WAKE_RECORDS)
        wake = WAKE_NOW;
    if (!watch->wakes_needed || atomic_load(&watch->wake) >= wake)
        return;
    if (wake == WAKE_NOW) {
        watch->consumed_bytes = 0;
        watch->consumed = 0;
    }
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->wake, wake);
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void kafka_watch_gap(struct kafka_watch *watch, const char *topic, int32_t partition,
                     int64_t expected, int64_t found)
{
    pthread_mutex_lock(&watch->lock);
    if (watch->gap_count < GAPS_MAX)
        watch->gaps[watch->gap_count++] =
            (struct gap){mem_strdup(topic), partition, expected, found};
    else
        metric_add(watch->lost, found - expected);
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void kafka_watch_down(struct kafka_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->down = 1;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}
