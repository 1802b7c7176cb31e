#include "rebuild.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/kafka.h"
#include "record/event.h"
#include "fate_read.h"

enum {
    BATCH = 200,
    ACCOUNT_BYTES_MAX = 64,
    TICK_MS = 100,
    LOOK_EVERY_MS = 2000,
    HELLO_AGAIN_MS = 1000,
    LOCKED_WAIT_MS = 500,
    LOCK_RENEW_MS = 5000
};

struct rebuild {
    const struct config *config;
    const struct topics *topics;
    struct ledger *ledger;
    pthread_t thread;
    int started;
    pthread_mutex_t lock; /* guards the flags */
    int allowed;
    int asked;
    int ending;
};

/* One fill of a batch, with the memory that it points into. */
struct entry {
    char *key;
    char *account;
    struct fate fate;
};

struct reading {
    struct rebuild *rebuild;
    struct ledger_fill fills[BATCH];
    struct entry entries[BATCH];
    int count;
    int64_t renewed_ms;
    int64_t delivered_count, dead_count, skipped_count, unreadable_count;
};

static void clear_batch(struct reading *reading)
{
    for (int i = 0; i < reading->count; i++) {
        struct entry *entry = &reading->entries[i];

        fate_clear(&entry->fate);
        free(entry->key);
        free(entry->account);
    }
    reading->count = 0;
}

static int flush(struct reading *reading, struct error *err)
{
    int rc = 0;

    if (reading->count > 0)
        rc = ledger_rebuild_fill(reading->rebuild->ledger, reading->fills, reading->count, err);
    clear_batch(reading);
    return rc;
}

static int keep_lock(struct reading *reading, struct error *err)
{
    int taken = 0;

    if (clock_monotonic_ms() - reading->renewed_ms <= LOCK_RENEW_MS)
        return 0;
    if (ledger_rebuild_lock(reading->rebuild->ledger, &taken, err) != 0)
        return -1;
    if (!taken)
        return error_set(err, ERROR_TEMPORARY, "the rebuild lock was lost");
    reading->renewed_ms = clock_monotonic_ms();
    return 0;
}

/* Whose order it is: the header says it, or the store's settings do. */
static struct text account_of(const struct reading *reading, const struct event *event,
                              struct text store_hash)
{
    const struct config_store *store;

    if (event->headers[HEADER_ACCOUNT].length > 0)
        return event->headers[HEADER_ACCOUNT];
    store = config_store_by_hash(reading->rebuild->config, store_hash);
    return store != NULL ? text_of(store->account) : (struct text){0};
}

static int visit(void *context, const struct event *event, struct error *err)
{
    struct reading *reading = context;
    struct ledger_fill *fill = &reading->fills[reading->count];
    struct entry *entry = &reading->entries[reading->count];
    struct event_key key;
    struct text account;

    if (stop_requested())
        return error_set(err, ERROR_TEMPORARY, "stopping");
    if (keep_lock(reading, err) != 0)
        return -1;
    if (event->value.data == NULL)
        return 0; /* a tombstone */
    if (event_key_parse(event->key, &key) != 0)
        return 0; /* a record that never was an order of the ledger */
    account = account_of(reading, event, key.store);
    /* A name that no account can have must not end the rebuild. */
    if (account.length == 0 || account.length > ACCOUNT_BYTES_MAX ||
        fate_read(reading->rebuild->topics, event, &entry->fate) != 0) {
        reading->unreadable_count++;
        return 0;
    }
    reading->count++;
    entry->key = mem_strndup(event->key.data, event->key.length);
    entry->account = mem_strndup(account.data, account.length);
    *fill = (struct ledger_fill){.key = text_of(entry->key),
                                 .account = text_of(entry->account),
                                 .state = entry->fate.state,
                                 .modified_at = entry->fate.modified_at,
                                 .digest = entry->fate.digest,
                                 .steps = entry->fate.steps,
                                 .step_count = entry->fate.step_count};
    if (fill->state == LEDGER_STATE_DEAD)
        fill->reason = entry->fate.reason;
    reading->delivered_count += fill->state == LEDGER_STATE_DONE;
    reading->dead_count += fill->state == LEDGER_STATE_DEAD;
    reading->skipped_count += fill->state == LEDGER_STATE_WITHDRAWN;
    return reading->count == BATCH ? flush(reading, err) : 0;
}

/* Under the lock: every fate that Kafka knows, then the marker. */
static int fill_in(struct rebuild *rebuild, struct error *err)
{
    const char *names[] = {rebuild->topics->delivered, rebuild->topics->dead,
                           rebuild->topics->skipped};
    struct reading *reading = mem_alloc(sizeof(*reading));
    enum ledger_answer answer = LEDGER_FENCED;
    int64_t started_ms = clock_monotonic_ms();
    int rc;

    reading->rebuild = rebuild;
    reading->renewed_ms = started_ms;
    log_warn("rebuild started");
    rc = kafka_read_all(rebuild->config, names, 3, visit, reading, err);
    if (rc == 0)
        rc = flush(reading, err);
    else
        clear_batch(reading);
    if (rc == 0) {
        rc = ledger_rebuild_finish(rebuild->ledger, &answer, err);
        if (rc == 0 && answer != LEDGER_OK)
            rc = error_set(err, ERROR_TEMPORARY, "the rebuild lock was lost");
    }
    if (rc == 0)
        log_warn("rebuild ended delivered=%" PRId64 " dead=%" PRId64 " withdrawn=%" PRId64
                 " others=%" PRId64 " took_ms=%" PRId64,
                 reading->delivered_count, reading->dead_count, reading->skipped_count,
                 reading->unreadable_count, clock_monotonic_ms() - started_ms);
    free(reading);
    return rc;
}

/* One look: is there a ledger, and if not, is it ours to rebuild? @returns ms until the next look
 */
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
    if (fill_in(rebuild, &err) == 0)
        return 0;
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

    for (;;) {
        int allowed, asked, ending;

        pthread_mutex_lock(&rebuild->lock);
        allowed = rebuild->allowed;
        asked = rebuild->asked;
        rebuild->asked = 0;
        ending = rebuild->ending;
        pthread_mutex_unlock(&rebuild->lock);
        if (ending || stop_requested())
            return NULL;
        if ((asked && failures == 0) || clock_monotonic_ms() >= look_at_ms)
            look_at_ms = look(rebuild, allowed, &failures) + clock_monotonic_ms();
        stop_wait_ms(TICK_MS);
    }
}

struct rebuild *rebuild_new(const struct config *config, const struct topics *topics,
                            const struct ledger_settings *settings, struct error *err)
{
    struct rebuild *rebuild = mem_alloc(sizeof(*rebuild));

    rebuild->config = config;
    rebuild->topics = topics;
    rebuild->ledger = ledger_new(settings);
    pthread_mutex_init(&rebuild->lock, NULL);
    if (pthread_create(&rebuild->thread, NULL, keep, rebuild) != 0) {
        error_set(err, ERROR_TEMPORARY, "the ledger's keeper cannot be started");
        rebuild_free(rebuild);
        return NULL;
    }
    rebuild->started = 1;
    return rebuild;
}

void rebuild_free(struct rebuild *rebuild)
{
    if (rebuild == NULL)
        return;
    pthread_mutex_lock(&rebuild->lock);
    rebuild->ending = 1;
    pthread_mutex_unlock(&rebuild->lock);
    if (rebuild->started)
        pthread_join(rebuild->thread, NULL);
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
