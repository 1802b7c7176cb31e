#include "act/paused.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/kafka.h"
#include "record/topic.h"

enum { POLL_MS = 200, AGAIN_MS = 1000, CLOSE_MS = 2000, WARN_AFTER = 3 };

struct paused_watch {
    const struct config *config;
    struct topics topics;
    pthread_t thread;
    atomic_int ending;
    pthread_mutex_t lock; /* guards what follows */
    struct paused paused;
    int is_known; /* the topic was read to its end once */
};

static int is_ending(struct paused_watch *watch)
{
    return atomic_load(&watch->ending) || stop_requested();
}

/* Assigns the topic's partitions from their beginnings. @returns how many; -1 with an error */
static int assign(struct paused_watch *watch, rd_kafka_t *rk, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int count = -1;

    if (kafka_list_partitions(rk, watch->topics.paused, list, err) == 0) {
        count = list->cnt;
        if (rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
            count = error_set(err, ERROR_TEMPORARY, "kafka assign failed");
    }
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

static void take(struct paused_watch *watch, const rd_kafka_message_t *message)
{
    struct event event;

    kafka_event_of(message, &event);
    pthread_mutex_lock(&watch->lock);
    paused_add(&watch->paused, &event);
    pthread_mutex_unlock(&watch->lock);
    if (watch->is_known) /* only this thread changes it */
        log_info("%s %.*s", event.value.data != NULL ? "paused" : "resumed", (int)event.key.length,
                 event.key.data);
}

static void know(struct paused_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->is_known = 1;
    for (int i = 0; i < watch->paused.count; i++)
        log_info("paused %s", watch->paused.list[i].key);
    pthread_mutex_unlock(&watch->lock);
    health_set_ready("pauses", 1, NULL);
}

/* Follows the topic until the end is asked for. ends: how many partitions have to say that they are
 * read, before the list is known. */
static void follow(struct paused_watch *watch, rd_kafka_t *rk, int ends)
{
    while (!is_ending(watch)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, POLL_MS);

        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            take(watch, message);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && ends > 0 && --ends == 0)
            know(watch);
        rd_kafka_message_destroy(message);
    }
}

static void *run(void *context)
{
    struct paused_watch *watch = context;
    struct error err = {0};
    rd_kafka_t *rk = NULL;
    int partitions = -1;

    for (int failures = 1; partitions < 0 && !is_ending(watch); failures++) {
        error_clear(&err);
        if (rk == NULL)
            rk = kafka_reader_new(watch->config, NULL, &err);
        partitions = rk != NULL ? assign(watch, rk, &err) : -1;
        if (partitions >= 0)
            break;
        health_set_ready("pauses", 0, err.text);
        if (failures == WARN_AFTER)
            log_warn("pauses not read error=\"%s\" consequence=\"nothing is begun\"", err.text);
        stop_wait_ms(AGAIN_MS);
    }
    if (partitions >= 0)
        follow(watch, rk, partitions);
    if (rk != NULL) {
        kafka_close(rk, CLOSE_MS);
        kafka_destroy(rk, CLOSE_MS);
    }
    return NULL;
}

struct paused_watch *paused_watch_start(const struct config *config, struct error *err)
{
    struct paused_watch *watch = mem_alloc(sizeof(*watch));

    watch->config = config;
    topics_init(&watch->topics, config);
    pthread_mutex_init(&watch->lock, NULL);
    health_set_ready("pauses", 0, "not read yet");
    if (pthread_create(&watch->thread, NULL, run, watch) == 0)
        return watch;
    error_set(err, ERROR_TEMPORARY, "the thread that follows pauses cannot be started");
    pthread_mutex_destroy(&watch->lock);
    topics_clear(&watch->topics);
    free(watch);
    return NULL;
}

void paused_watch_free(struct paused_watch *watch)
{
    if (watch == NULL)
        return;
    atomic_store(&watch->ending, 1);
    pthread_join(watch->thread, NULL);
    paused_clear(&watch->paused);
    pthread_mutex_destroy(&watch->lock);
    topics_clear(&watch->topics);
    free(watch);
}

enum paused_state paused_watch_state(struct paused_watch *watch, enum paused_kind kind,
                                     const char *name)
{
    enum paused_state state = PAUSED_UNKNOWN;

    pthread_mutex_lock(&watch->lock);
    if (watch->is_known)
        state = paused_find(&watch->paused, kind, name) != NULL ? PAUSED_YES : PAUSED_NO;
    pthread_mutex_unlock(&watch->lock);
    return state;
}

int paused_watch_copy(struct paused_watch *watch, struct paused *paused)
{
    int known;

    *paused = (struct paused){0};
    pthread_mutex_lock(&watch->lock);
    known = watch->is_known;
    if (known && watch->paused.count > 0) {
        paused->count = watch->paused.count;
        paused->list = mem_alloc((size_t)paused->count * sizeof(*paused->list));
        for (int i = 0; i < paused->count; i++) {
            paused->list[i] = watch->paused.list[i];
            paused->list[i].who = mem_strdup(watch->paused.list[i].who);
            paused->list[i].why = mem_strdup(watch->paused.list[i].why);
        }
    }
    pthread_mutex_unlock(&watch->lock);
    return known ? 0 : -1;
}
