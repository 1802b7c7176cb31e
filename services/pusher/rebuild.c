#include "rebuild.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"
#include "net/health.h"
#include "keeper.h"
#include "rebuild_read.h"

enum {
    TICK_MS = 100,
    WAIT_MS = 20,
    LOOK_EVERY_MS = 2000,  /* while there is a ledger */
    HELLO_AGAIN_MS = 1000, /* while Redis does not answer */
    LOCKED_WAIT_MS = 500,  /* while another pusher rebuilds, or nobody may yet */
};

struct rebuild {
    const struct stage_settings *stage;
    struct ledger *ledger;
    struct keeper keeper;
    pthread_mutex_t lock; /* guards the flags */
    int allowed;          /* rebuild_allow() was called */
    int asked;            /* look at once, by rebuild_request() or rebuild_allow() */
    int is_found;         /* there was a ledger at one of the looks */
};

static void note_found(struct rebuild *rebuild)
{
    pthread_mutex_lock(&rebuild->lock);
    rebuild->is_found = 1;
    pthread_mutex_unlock(&rebuild->lock);
}

/* Looks whether there is a ledger. If there is none, and this pusher may, it rebuilds the ledger.
 * @returns ms until the next look */
static int64_t look(struct rebuild *rebuild, int allowed, int *failures)
{
    static const struct retry_policy backoff = {0, 200, 10000};
    struct error err = {0};
    enum ledger_answer answer;
    int taken = 0;

    if (ledger_hello(rebuild->ledger, &answer, &err) != 0) {
        health_set_ready("ledger", 0, err.text);
        return HELLO_AGAIN_MS;
    }
    if (answer == LEDGER_OK) {
        health_set_ready("ledger", 1, NULL);
        note_found(rebuild);
        *failures = 0;
        return LOOK_EVERY_MS;
    }
    health_set_ready("ledger", 0, "lost: it is rebuilt from Kafka before anything is delivered");
    if (!allowed)
        return LOCKED_WAIT_MS;
    if (ledger_rebuild_lock(rebuild->ledger, &taken, &err) != 0)
        goto failed;
    if (!taken)
        return LOCKED_WAIT_MS;
    if (rebuild_read(rebuild->stage, rebuild->ledger, &err) == 0)
        return 0;
    /* The cause may be this pusher's alone, as an account in its settings without topics. */
    ledger_rebuild_leave(rebuild->ledger);
failed:
    if (++*failures == 1)
        log_warn("ledger not ready error=\"%s\"", err.text);
    return retry_delay_ms(&backoff, *failures, retry_chance(), -1);
}

static void *keep(void *context)
{
    struct rebuild *rebuild = context;
    int64_t look_at_ms = 0;
    int failures = 0;

    while (!keeper_is_ending(&rebuild->keeper) && !stop_requested()) {
        int allowed, asked;

        pthread_mutex_lock(&rebuild->lock);
        allowed = rebuild->allowed;
        asked = rebuild->asked;
        rebuild->asked = 0;
        pthread_mutex_unlock(&rebuild->lock);
        if ((asked && failures == 0) || clock_monotonic_ms() >= look_at_ms)
            look_at_ms = look(rebuild, allowed, &failures) + clock_monotonic_ms();
        stop_wait_ms(TICK_MS);
    }
    return NULL;
}

struct rebuild *rebuild_new(const struct stage_settings *stage,
                            const struct ledger_settings *settings, struct error *err)
{
    struct rebuild *rebuild = mem_alloc(sizeof(*rebuild));

    rebuild->stage = stage;
    rebuild->ledger = ledger_new(settings);
    pthread_mutex_init(&rebuild->lock, NULL);
    if (keeper_start(&rebuild->keeper, keep, rebuild, "the ledger's keeper", err) != 0) {
        rebuild_free(rebuild);
        return NULL;
    }
    return rebuild;
}

void rebuild_free(struct rebuild *rebuild)
{
    if (rebuild == NULL)
        return;
    keeper_end(&rebuild->keeper);
    ledger_free(rebuild->ledger);
    pthread_mutex_destroy(&rebuild->lock);
    free(rebuild);
}

void rebuild_request(struct rebuild *rebuild)
{
    pthread_mutex_lock(&rebuild->lock);
    rebuild->asked = 1;
    pthread_mutex_unlock(&rebuild->lock);
}

void rebuild_allow(struct rebuild *rebuild)
{
    pthread_mutex_lock(&rebuild->lock);
    rebuild->allowed = 1;
    rebuild->asked = 1;
    pthread_mutex_unlock(&rebuild->lock);
}

int rebuild_wait(struct rebuild *rebuild)
{
    int is_found = 0;

    while (!stop_requested()) {
        pthread_mutex_lock(&rebuild->lock);
        is_found = rebuild->is_found;
        pthread_mutex_unlock(&rebuild->lock);
        if (is_found)
            return 0;
        stop_wait_ms(WAIT_MS);
    }
    return -1;
}
