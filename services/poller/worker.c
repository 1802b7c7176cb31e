#include "worker.h"

#include <pthread.h>
#include <stdatomic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/paused.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/kafka_advice.h"

#include "round.h"

enum {
    REDIS_TIMEOUT_MS = 5000,
    SERVE_MS = 100,
    LEAST_WAIT_MS = 100,
    LOST_BASE_MS = 1000,
    LOST_CAP_MS = 5000,
    TROUBLE_BASE_MS = 5000,
    TROUBLE_CAP_MS = 60000,
    CLOSED_BASE_MS = 30000,
    CLOSED_CAP_MS = 300000,
    PAUSED_LOOK_MS = 500,
};

/* What all workers share. A local variable of workers_run(). */
struct workers {
    const struct config *config;
    struct topics topics;
    struct batches *batches;
    struct positions positions;
    struct lease_group leases;
    struct paused_watch *paused;
    atomic_int running;
};

struct worker {
    struct workers *all;
    const struct config_store *store;
    int store_index;
    pthread_t thread;
    int started;
    char part[64]; /* its name on the health page */
    struct redis *redis;
    struct lease lease;
    struct round round;
    int begun;    /* the position was read under this lease */
    int failures; /* rounds in a row that could not be completed */
    int64_t polled_at_ms;
    struct metric *last_poll, *polls_ok, *polls_failed, *lease_held;
};

static int64_t delay_ms(int attempt, int64_t base_ms, int64_t cap_ms)
{
    const struct retry_policy policy = {0, base_ms, cap_ms};

    return LEAST_WAIT_MS + retry_delay_ms(&policy, attempt, retry_chance(), -1);
}

/* Takes or renews the lease. @returns 0 when this worker has the lease now; else how long to
 * wait before trying again, in ms */
static int64_t take_lease(struct worker *worker)
{
    struct error err = {0};
    int64_t wait_ms = 0;
    int answer;

    if (worker->lease.fence != 0) {
        answer = lease_renew(&worker->lease, &err);
        if (answer == 1)
            answer = 0;
    } else {
        answer = lease_acquire(&worker->lease, &wait_ms, &err);
        if (answer == 0 && worker->lease.fence != 0)
            log_info("lease taken store=%s fence=%lld", worker->store->hash,
                     (long long)worker->lease.fence);
    }
    if (answer != 0) {
        metric_set(worker->lease_held, 0);
        health_set_ready(worker->part, 0, err.text);
        return delay_ms(++worker->failures, LOST_BASE_MS, LOST_CAP_MS);
    }
    metric_set(worker->lease_held, worker->lease.fence != 0);
    if (worker->lease.fence == 0) {
        worker->begun = 0;
        worker->failures = 0;
        health_set_ready(worker->part, 1, NULL); /* another poller has it */
    }
    return worker->lease.fence != 0 ? 0 : wait_ms > 0 ? wait_ms : LEAST_WAIT_MS;
}

static enum outcome run_round(struct worker *worker, int64_t until_ms, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    if (!worker->begun)
        outcome = round_begin(&worker->round, &worker->all->positions, worker->store_index, err);
    if (outcome == OUTCOME_OK) {
        worker->begun = 1;
        outcome = round_run(&worker->round, until_ms, err);
    }
    if (outcome == OUTCOME_OK) {
        worker->polled_at_ms = clock_now_ms();
        metric_set(worker->last_poll, worker->polled_at_ms);
    }
    if (outcome != OUTCOME_STOPPED)
        metric_add(outcome == OUTCOME_OK ? worker->polls_ok : worker->polls_failed, 1);
    return outcome;
}

/* Tells the health page how the round went. The log gets a line when a trouble begins and when it
 * ends, and none for each round in between. */
static void report(struct worker *worker, enum outcome outcome, const struct error *err)
{
    const char *hash = worker->store->hash;

    if (outcome == OUTCOME_OK) {
        if (worker->failures > 0)
            log_info("store answers again store=%s", hash);
        worker->failures = 0;
        health_set_ready(worker->part, 1, NULL);
        return;
    }
    if (outcome == OUTCOME_STOPPED)
        return;
    health_set_ready(worker->part, 0, err->text);
    if (++worker->failures > 1)
        return;
    if (outcome == OUTCOME_CLOSED)
        log_error("alarm store refuses the token store=%s error=\"%s\"", hash, err->text);
    else
        log_warn("round given up store=%s error=\"%s\"", hash, err->text);
}

static int64_t wait_after(const struct worker *worker, enum outcome outcome, int64_t begun_ms)
{
    int64_t left_ms = begun_ms + worker->store->poll_interval_s * 1000 - clock_monotonic_ms();

    switch (outcome) {
    case OUTCOME_OK:
        return left_ms > LEAST_WAIT_MS ? left_ms : LEAST_WAIT_MS;
    case OUTCOME_CLOSED:
        return delay_ms(worker->failures, CLOSED_BASE_MS, CLOSED_CAP_MS);
    case OUTCOME_TROUBLE:
        return delay_ms(worker->failures, TROUBLE_BASE_MS, TROUBLE_CAP_MS);
    default:
        return delay_ms(worker->failures, LOST_BASE_MS, LOST_CAP_MS);
    }
}

/* Writes into Redis how the store is doing. If the lease turns out to be lost, take_lease()
 * will notice that at the next turn. */
static void tell(struct worker *worker, int64_t wait_ms, const struct error *err)
{
    const struct lease_state state = {
        .cursor_ms = worker->round.position.cursor_ms,
        .start_from_ms = worker->round.position.start_from_ms,
        .polled_at_ms = worker->polled_at_ms,
        .next_poll_at_ms = clock_now_ms() + wait_ms,
        .quota_left = bigcommerce_requests_left(worker->round.asker.client),
        .trouble = err->text,
    };
    struct error ignored = {0};

    if (lease_held(&worker->lease))
        lease_tell(&worker->lease, &state, &ignored);
}

/* Whether the store must not be asked: an operator paused it, or the pauses are not known yet. The
 * lease is given back, so that no state in Redis says that the store is polled. */
static int is_paused(struct worker *worker)
{
    enum paused_state state =
        paused_watch_state(worker->all->paused, PAUSED_STORE, worker->store->hash);

    if (state == PAUSED_NO)
        return 0;
    if (state == PAUSED_YES)
        health_set_ready(worker->part, 1, NULL);
    if (worker->lease.fence != 0) {
        lease_release(&worker->lease);
        worker->begun = 0;
    }
    return 1;
}

/* Waits until the next poll, or until the store is paused. */
static void wait_for_poll(struct worker *worker, int64_t wait_ms)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms, left_ms;
    struct error ignored = {0};

    while ((left_ms = until_ms - clock_monotonic_ms()) > 0 && !is_paused(worker))
        if (ask_wait(&worker->round.asker, left_ms < PAUSED_LOOK_MS ? left_ms : PAUSED_LOOK_MS,
                     &ignored) != OUTCOME_OK)
            return;
}

static void turn(struct worker *worker)
{
    struct error err = {0};
    int64_t begun_ms = clock_monotonic_ms(), wait_ms;
    enum outcome outcome;

    if (is_paused(worker)) {
        stop_wait_ms(PAUSED_LOOK_MS);
        return;
    }
    wait_ms = take_lease(worker);
    if (wait_ms > 0) {
        stop_wait_ms(wait_ms);
        return;
    }
    outcome = run_round(worker, begun_ms + worker->store->poll_interval_s * 1000, &err);
    report(worker, outcome, &err);
    if (outcome == OUTCOME_STOPPED)
        return;
    wait_ms = wait_after(worker, outcome, begun_ms);
    tell(worker, wait_ms, &err);
    if (worker->lease.crowded) {
        log_info("lease given to another poller store=%s", worker->store->hash);
        lease_release(&worker->lease);
        metric_set(worker->lease_held, 0);
        stop_wait_ms(worker->all->leases.ttl_ms / 3);
    } else if (outcome == OUTCOME_LOST) {
        stop_wait_ms(wait_ms);
    } else {
        wait_for_poll(worker, wait_ms);
    }
}

static void *run_worker(void *context)
{
    struct worker *worker = context;

    while (!stop_requested())
        turn(worker);
    lease_release(&worker->lease);
    lease_leave(&worker->lease);
    atomic_fetch_sub(&worker->all->running, 1);
    return NULL;
}

/* The time of the last poll begins with the start, so that a store that never answers is silent
 * since then. */
static void make_metrics(struct worker *worker)
{
    char labels[128];

    snprintf(labels, sizeof(labels), "store=\"%.80s\"", worker->store->hash);
    worker->last_poll = metric_gauge_ms("bigfusion_store_last_poll_timestamp_seconds",
                                        "When a poll last succeeded; before that: when this "
                                        "process started",
                                        labels);
    metric_set(worker->last_poll, clock_now_ms());
    worker->lease_held =
        metric_gauge("bigfusion_store_lease_held", "1: this process polls the store", labels);
    snprintf(labels, sizeof(labels), "store=\"%.80s\",result=\"ok\"", worker->store->hash);
    worker->polls_ok = metric_counter("bigfusion_store_polls_total", "Polls of the store", labels);
    snprintf(labels, sizeof(labels), "store=\"%.80s\",result=\"failed\"", worker->store->hash);
    worker->polls_failed =
        metric_counter("bigfusion_store_polls_total", "Polls of the store", labels);
}

static void worker_init(struct worker *worker, struct workers *all, int store_index)
{
    const struct config_store *store = &all->config->stores[store_index];
    struct round *round = &worker->round;
    char *part = mem_printf("store %s", store->hash);

    log_escape(worker->part, sizeof(worker->part), part, strlen(part));
    free(part);
    worker->all = all;
    worker->store = store;
    worker->store_index = store_index;
    worker->redis = redis_new(&all->config->redis.server, REDIS_TIMEOUT_MS);
    lease_init(&worker->lease, &all->leases, worker->redis, store->hash);
    make_metrics(worker);
    round->asker = (struct asker){
        store->hash,
        bigcommerce_new(store, &all->config->http, bigcommerce_timeout_ms(all->leases.ttl_ms)),
        &worker->lease, all->paused, (size_t)all->config->kafka.max_record_bytes};
    round->with = (struct poll_context){.config = all->config,
                                        .store = store,
                                        .topics = &all->topics,
                                        .batches = all->batches,
                                        .redis = worker->redis,
                                        .asker = &round->asker};
    position_init(&round->position);
    round->reading =
        (struct reading){.asker = &round->asker, .intake = &round->intake, .lane = &round->window};
    round->intake = (struct intake){.with = &round->with,
                                    .timeout_ms = bigcommerce_timeout_ms(all->leases.ttl_ms)};
    intake_init(&round->intake);
    sweep_init(&round->sweep, &round->with);
    contacts_init(&round->contacts, &round->with);
}

static void worker_clear(struct worker *worker)
{
    round_clear(&worker->round);
    bigcommerce_free(worker->round.asker.client);
    lease_clear(&worker->lease);
    redis_free(worker->redis);
}

static int start_all(struct workers *all, struct worker *workers, struct error *err)
{
    for (int i = 0; i < all->config->store_count; i++) {
        worker_init(&workers[i], all, i);
        atomic_fetch_add(&all->running, 1);
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0) {
            atomic_fetch_sub(&all->running, 1);
            return error_set(err, ERROR_TEMPORARY, "no thread for store %s",
                             all->config->stores[i].hash);
        }
        workers[i].started = 1;
    }
    return 0;
}

int workers_run(const struct config *config, struct error *err)
{
    struct workers all = {.config = config};
    struct worker *workers = mem_alloc((size_t)config->store_count * sizeof(*workers));
    struct kafka_advice *advice;
    int64_t published = 0;

    health_set_ready("kafka", 0, "not connected yet");
    topics_init(&all.topics, config);
    advice = kafka_advice_start(config,
                                (const char *const[]){all.topics.lanes[TOPIC_LANE_ORDERS].raw}, 1);
    positions_init(&all.positions, config, &all.topics);
    lease_group_init(&all.leases, config->kafka.topic_prefix, "poller",
                     config->poller.lease_s * 1000, config->store_count);
    all.paused = paused_watch_start(config, err);
    all.batches = all.paused != NULL ? batches_new(config, err) : NULL;
    if (all.batches != NULL && start_all(&all, workers, err) != 0)
        stop_request();
    /* Reports are handled until all workers have ended, because their last rounds wait for them. */
    while (all.batches != NULL && atomic_load(&all.running) > 0) {
        batches_serve(all.batches, SERVE_MS);
        if (batches_check(all.batches, err) != 0)
            stop_request();
    }
    for (int i = 0; i < config->store_count; i++) {
        if (workers[i].started)
            pthread_join(workers[i].thread, NULL);
        if (workers[i].all == NULL)
            continue;
        published += metric_value(workers[i].round.intake.published);
        worker_clear(&workers[i]);
    }
    kafka_advice_free(advice);
    paused_watch_free(all.paused);
    batches_free(all.batches);
    positions_clear(&all.positions);
    topics_clear(&all.topics);
    free(workers);
    log_info("stopped published=%lld", (long long)published);
    return err->kind == ERROR_NONE ? 0 : -1;
}
