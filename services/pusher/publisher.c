#include "publisher.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/stop.h"
#include "net/kafka.h"
#include "keeper.h"

enum { POLL_MS = 100, FULL_WAIT_MS = 20, FREE_WAIT_MS = 2000 };

enum state { STATE_SENT = 0, STATE_DELIVERED, STATE_FAILED, STATE_TOO_LARGE };

/* One record that was sent, shared by its sender and the report. Whoever needs it last frees it. */
struct waiter {
    enum state state;
    int left; /* the sender does not wait any more, so the report frees it */
};

struct publisher {
    struct producer *producer;
    pthread_mutex_t lock;
    pthread_cond_t reported;
    struct keeper keeper; /* takes the reports */
    struct error failure; /* why nothing can be published any more */
};

static void on_report(void *context, void *opaque, rd_kafka_resp_err_t error)
{
    struct publisher *publisher = context;
    struct waiter *waiter = opaque;

    pthread_mutex_lock(&publisher->lock);
    if (waiter->left) {
        free(waiter);
    } else {
        waiter->state = error == RD_KAFKA_RESP_ERR_NO_ERROR             ? STATE_DELIVERED
                        : error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? STATE_TOO_LARGE
                                                                        : STATE_FAILED;
        pthread_cond_broadcast(&publisher->reported);
    }
    pthread_mutex_unlock(&publisher->lock);
}

/* Nothing can be published any more, so the process ends. The first cause is kept. */
static void fail(struct publisher *publisher, const struct error *err)
{
    pthread_mutex_lock(&publisher->lock);
    if (publisher->failure.kind == ERROR_NONE)
        publisher->failure = *err;
    pthread_mutex_unlock(&publisher->lock);
    stop_request();
}

int publisher_check(struct publisher *publisher, struct error *err)
{
    int failed;

    if (publisher == NULL)
        return 0;
    pthread_mutex_lock(&publisher->lock);
    failed = publisher->failure.kind != ERROR_NONE;
    if (failed)
        error_set(err, publisher->failure.kind, "%s", publisher->failure.text);
    pthread_mutex_unlock(&publisher->lock);
    return failed ? -1 : 0;
}

static void *serve(void *context)
{
    struct publisher *publisher = context;

    while (!keeper_is_ending(&publisher->keeper)) {
        struct error err = {0};

        producer_poll(publisher->producer, POLL_MS);
        if (producer_check(publisher->producer, &err) != 0)
            fail(publisher, &err);
    }
    return NULL;
}

struct publisher *publisher_new(const struct config *config, struct error *err)
{
    struct publisher *publisher = mem_alloc(sizeof(*publisher));

    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->reported, NULL);
    publisher->producer = producer_new(config, "bigfusion-pusher-fates", on_report, publisher, err);
    if (publisher->producer == NULL ||
        keeper_start(&publisher->keeper, serve, publisher, "the thread for fates", err) != 0) {
        publisher_free(publisher);
        return NULL;
    }
    return publisher;
}

void publisher_free(struct publisher *publisher)
{
    if (publisher == NULL)
        return;
    keeper_end(&publisher->keeper);
    producer_free(publisher->producer, FREE_WAIT_MS);
    pthread_cond_destroy(&publisher->reported);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

/* Waits for the report, or for a stop. The waiter is freed here or, after a stop, by the report. */
static enum state wait_for(struct publisher *publisher, struct waiter *waiter)
{
    enum state state;

    pthread_mutex_lock(&publisher->lock);
    while (waiter->state == STATE_SENT && !stop_requested()) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&publisher->reported, &publisher->lock, &until);
    }
    state = waiter->state;
    if (state == STATE_SENT)
        waiter->left = 1;
    else
        free(waiter);
    pthread_mutex_unlock(&publisher->lock);
    return state;
}

enum published publisher_send(struct publisher *publisher, const struct output *output,
                              struct error *err)
{
    struct output copied = *output;

    copied.owned_value = NULL; /* the value stays the caller's: it may have to be sent again */
    for (;;) {
        struct waiter *waiter = mem_alloc(sizeof(*waiter));
        enum producer_answer answer;
        enum state state;

        answer = producer_send(publisher->producer, &copied, 0, waiter, err);
        if (answer != PRODUCER_QUEUED) {
            free(waiter);
            if (answer == PRODUCER_TOO_LARGE)
                return PUBLISHED_TOO_LARGE;
            if (answer == PRODUCER_FATAL) {
                fail(publisher, err);
                return PUBLISHED_FATAL;
            }
        } else {
            state = wait_for(publisher, waiter);
            if (state != STATE_FAILED)
                return state == STATE_DELIVERED   ? PUBLISHED_OK
                       : state == STATE_TOO_LARGE ? PUBLISHED_TOO_LARGE
                                                  : PUBLISHED_STOPPED;
        }
        if (stop_wait_ms(FULL_WAIT_MS))
            return PUBLISHED_STOPPED;
    }
}
