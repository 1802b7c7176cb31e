#include "net/kafka_advice.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/kafka.h"
#include "net/kafka_look.h"
#include "settings/config.h"

enum {
    WAIT_MS = 1000,    /* before the first question, so that it does not slow the start, and between
                          two tries */
    REQUEST_MS = 1000, /* for each request, so that the end of the program does not wait long */
    DESTROY_MS = 2000,
};

struct kafka_advice {
    rd_kafka_t *rk;
    int64_t partitions; /* how many a topic should have */
    char **topics;      /* owned; NULL: it was looked at */
    int topic_count;
    pthread_t thread;
    pthread_mutex_t lock; /* protects the next members */
    pthread_cond_t changed;
    int ending;
};

/* @returns whether the thread is to end */
static int wait_a_while(struct kafka_advice *advice)
{
    struct timespec until;
    int ending;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&advice->lock);
    while (!advice->ending && pthread_cond_timedwait(&advice->changed, &advice->lock, &until) == 0)
        ;
    ending = advice->ending;
    pthread_mutex_unlock(&advice->lock);
    return ending;
}

static int is_ending(struct kafka_advice *advice)
{
    int ending;

    pthread_mutex_lock(&advice->lock);
    ending = advice->ending;
    pthread_mutex_unlock(&advice->lock);
    return ending;
}

/* Says whether a topic has too few partitions. @returns 0; -1 when it is not known yet */
static int look_at_topic(struct kafka_advice *advice, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *rkt = mem_check(rd_kafka_topic_new(advice->rk, topic, NULL));
    int rc = -1;

    if (rd_kafka_metadata(advice->rk, 0, rkt, &metadata, REQUEST_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int count = metadata->topics[0].partition_cnt;

        if (count < advice->partitions)
            log_warn("topic has too few partitions topic=%s partitions=%d configured=%" PRId64
                     " advice=\"bigfusion doctor says what to do\"",
                     topic, count, advice->partitions);
        rc = 0;
    }
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    return rc;
}

/* A broker that does not tell its settings is not asked again. @returns 0; -1 when no broker can be
 * reached */
static int look_at_brokers(struct kafka_advice *advice)
{
    const struct rd_kafka_metadata *metadata = NULL;
    struct kafka_look look;
    struct error ignored = {0};

    if (rd_kafka_metadata(advice->rk, 0, NULL, &metadata, REQUEST_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    if (kafka_look(advice->rk, metadata, REQUEST_MS, &look, &ignored) == 0 &&
        look.creates_topics == 1)
        log_warn("kafka creates topics by itself advice=\"set auto.create.topics.enable=false on "
                 "every broker: such a topic has too few partitions and may lose orders\"");
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

static void *look_around(void *context)
{
    struct kafka_advice *advice = context;
    int brokers_done = 0, left;

    do {
        if (wait_a_while(advice))
            return NULL;
        brokers_done = brokers_done || look_at_brokers(advice) == 0;
        left = !brokers_done;
        for (int i = 0; brokers_done && i < advice->topic_count && !is_ending(advice); i++) {
            if (advice->topics[i] != NULL && look_at_topic(advice, advice->topics[i]) == 0) {
                free(advice->topics[i]);
                advice->topics[i] = NULL;
            }
            left += advice->topics[i] != NULL;
        }
    } while (left > 0);
    kafka_destroy(advice->rk, DESTROY_MS); /* its threads and memory are not needed any more */
    advice->rk = NULL;
    return NULL;
}

struct kafka_advice *kafka_advice_start(const struct config *config, const char *const *topics,
                                        int topic_count)
{
    struct error ignored = {0};
    rd_kafka_t *rk = kafka_asker_new(config, NULL, NULL, &ignored);
    struct kafka_advice *advice;
    pthread_condattr_t attributes;

    if (rk == NULL)
        return NULL;
    advice = mem_alloc(sizeof(*advice));
    advice->rk = rk;
    advice->partitions = config->kafka.partitions;
    advice->topics = mem_alloc((size_t)topic_count * sizeof(*advice->topics));
    advice->topic_count = topic_count;
    for (int i = 0; i < topic_count; i++)
        advice->topics[i] = mem_strdup(topics[i]);
    pthread_mutex_init(&advice->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&advice->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&advice->thread, NULL, look_around, advice) == 0)
        return advice;
    kafka_destroy(rk, DESTROY_MS);
    for (int i = 0; i < topic_count; i++)
        free(advice->topics[i]);
    free(advice->topics);
    free(advice);
    return NULL;
}

void kafka_advice_free(struct kafka_advice *advice)
{
    if (advice == NULL)
        return;
    pthread_mutex_lock(&advice->lock);
    advice->ending = 1;
    pthread_cond_signal(&advice->changed);
    pthread_mutex_unlock(&advice->lock);
    pthread_join(advice->thread, NULL); /* each of its requests has a limit */
    if (advice->rk != NULL)
        kafka_destroy(advice->rk, DESTROY_MS);
    for (int i = 0; i < advice->topic_count; i++)
        free(advice->topics[i]);
    free(advice->topics);
    pthread_cond_destroy(&advice->changed);
    pthread_mutex_destroy(&advice->lock);
    free(advice);
}
