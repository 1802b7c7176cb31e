#include "pool.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "deliver.h"
#include "heap.h"
#include "job.h"
#include "share.h"

enum {
    /* Records of one contact that wait for the worker which has it in hand. */
    QUEUE_PER_WORKER = 16,
    ROOM_PER_WORKER = 24,
    ROOM_MIN = 256,
    CROWDED_WAIT_MS = 20,
    IDLE_TICK_MS = 500,
};

/* First in, first out. */
struct queue {
    struct job *head;
    struct job **tail;
    int count;
};

struct worker {
    struct pool *pool;
    pthread_t thread;
    int started;
    pthread_cond_t wake;
    int idle;
    int has_contact;      /* from when it gets a job until it finds none: */
    uint32_t contact;     /* whose records are its own */
    int store;            /* that it counts for in the pool's share, while is_counted */
    enum topic_lane lane; /* the same */
    int is_counted;
    struct queue queue;
    struct worker *next_idle;
};

struct pool {
    struct pusher *pusher;
    pthread_mutex_t lock; /* guards everything below */
    struct heap later;    /* jobs set aside */
    struct queue shared;  /* jobs that wait for any worker */
    struct share share;
    int is_lane_read[TOPIC_LANE_COUNT]; /* the lane's topic is not paused */
    struct worker *workers;
    struct worker *idle;
    int count;
    uint64_t job_count; /* counted by the stage's thread alone */
};

static void queue_init(struct queue *queue) { queue->tail = &queue->head; }

static void queue_push(struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->tail = job;
    queue->tail = &job->next;
    queue->count++;
}

/* Says for which store the worker works from now on; NULL: for none. The lock is held. */
static void count_worker(struct worker *worker, const struct job *job)
{
    struct share *share = &worker->pool->share;

    if (worker->is_counted)
        share_give(share, worker->store, worker->lane);
    worker->is_counted = job != NULL;
    if (job == NULL)
        return;
    worker->store = job->store_index;
    worker->lane = job->lane;
    share_take(share, worker->store, worker->lane);
}

static void wait_for_any(struct pool *pool, struct job *job)
{
    queue_push(&pool->shared, job);
    share_wait(&pool->share, job->store_index, job->lane, 1);
}

/* Moves the jobs of one contact that wait for any worker to the end of a queue, in their order. */
static void take_contact(struct pool *pool, struct queue *to, uint32_t contact)
{
    struct queue *from = &pool->shared;
    struct job **link = &from->head;

    while (*link != NULL) {
        struct job *job = *link;

        if (job->contact_hash != contact) {
            link = &job->next;
            continue;
        }
        *link = job->next;
        from->count--;
        share_wait(&pool->share, job->store_index, job->lane, -1);
        queue_push(to, job);
    }
    from->tail = link;
}

static struct job *queue_pop(struct queue *queue)
{
    struct job *job = queue->head;

    if (job == NULL)
        return NULL;
    queue->head = job->next;
    if (queue->head == NULL)
        queue->tail = &queue->head;
    queue->count--;
    return job;
}

/* Takes a worker off the list of idle ones and wakes it. The lock is held. */
static void wake(struct pool *pool, struct worker *worker)
{
    struct worker **link = &pool->idle;

    while (*link != NULL && *link != worker)
        link = &(*link)->next_idle;
    if (*link == worker)
        *link = worker->next_idle;
    worker->idle = 0;
    pthread_cond_signal(&worker->wake);
}

static void take_in_hand(struct worker *worker, const struct job *job)
{
    worker->has_contact = 1;
    worker->contact = job->contact_hash;
}

static struct worker *find_by_contact(struct pool *pool, uint32_t contact)
{
    for (int i = 0; i < pool->count; i++)
        if (pool->workers[i].has_contact && pool->workers[i].contact == contact)
            return &pool->workers[i];
    return NULL;
}

/* Counts the jobs in hand of a lane, and pauses its topic while they are many: a job that is refused would
 * hold up those of all lanes behind it. The lock is held. */
static void hold(struct pool *pool, enum topic_lane lane, int by)
{
    int is_read;

    share_hold(&pool->share, lane, by);
    is_read = share_reads(&pool->share, lane, pool->is_lane_read[lane]);
    if (is_read != pool->is_lane_read[lane])
        stage_set_paused(pool->pusher->stage, pool->pusher->topics.lanes[lane].payloads, !is_read);
    pool->is_lane_read[lane] = is_read;
}

/* Finds the worker or the queue for a new job. The lock is held. */
static enum stage_answer place(struct pool *pool, struct job *job)
{
    struct worker *worker = find_by_contact(pool, job->contact_hash);

    /* Such records come back from a retry or waiting topic, which other lanes share: it cannot be paused
     * for one of them. */
    if (share_is_full(&pool->share, job->lane))
        return STAGE_FULL_FOR_IT;
    if (worker != NULL && worker->queue.count < QUEUE_PER_WORKER) {
        queue_push(&worker->queue, job);
        return STAGE_TAKEN;
    }
    if (worker != NULL) /* many records of one contact must not hold up those of others */
        return heap_push(&pool->later, clock_monotonic_ms() + CROWDED_WAIT_MS, job) == 0
                   ? STAGE_TAKEN
                   : STAGE_FULL;
    if (pool->idle != NULL && share_allows(&pool->share, job->store_index, job->lane)) {
        worker = pool->idle;
        take_in_hand(worker, job);
        count_worker(worker, job);
        take_contact(pool, &worker->queue, worker->contact); /* those are older */
        queue_push(&worker->queue, job);
        wake(pool, worker);
        return STAGE_TAKEN;
    }
    if (!share_has_room(&pool->share, job->store_index, job->lane, pool->shared.count))
        return STAGE_FULL;
    job->queued_ms = clock_monotonic_ms();
    wait_for_any(pool, job);
    return STAGE_TAKEN;
}

enum stage_answer pool_offer(void *context, struct ticket *ticket, const struct event *in)
{
    struct pool *pool = context;
    struct job *job;
    enum stage_answer answer = STAGE_FULL;

    if (stop_requested())
        return STAGE_FULL;
    job = job_new(pool->pusher, ticket, in);
    snprintf(job->owner, sizeof(job->owner), "%s-%" PRIu64, pool->pusher->owner, ++pool->job_count);
    if (job->account_index < 0 ||
        account_state(pool->pusher->accounts[job->account_index]) != ACCOUNT_STARTING) {
        pthread_mutex_lock(&pool->lock);
        answer = place(pool, job);
        if (answer == STAGE_TAKEN)
            hold(pool, job->lane, 1);
        pthread_mutex_unlock(&pool->lock);
    }
    if (answer != STAGE_TAKEN)
        job_free(pool->pusher, job);
    return answer;
}

/* Waits until there may be something to do. The lock is held, except while waiting. */
static void wait_idle(struct pool *pool, struct worker *worker)
{
    int64_t next_ms = heap_next_ms(&pool->later);
    int64_t wait_ms = next_ms < 0 ? IDLE_TICK_MS : next_ms - clock_monotonic_ms();
    struct timespec until;

    if (wait_ms > IDLE_TICK_MS)
        wait_ms = IDLE_TICK_MS;
    if (wait_ms < 1)
        wait_ms = 1;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + until.tv_nsec / 1000000000);
    until.tv_nsec %= 1000000000;
    worker->has_contact = 0;
    worker->idle = 1;
    worker->next_idle = pool->idle;
    pool->idle = worker;
    pthread_cond_timedwait(&worker->wake, &pool->lock, &until);
    if (worker->idle)
        wake(pool, worker); /* nobody woke it: it takes itself off the list */
}

/* The job that waits longest of those that may have one more worker, of the first lane that has one. The
 * lock is held. */
static struct job *find_allowed(const struct pool *pool)
{
    struct job *best = NULL;

    for (struct job *job = pool->shared.head; job != NULL; job = job->next)
        if ((best == NULL || job->lane < best->lane) &&
            share_allows(&pool->share, job->store_index, job->lane)) {
            best = job;
            if (best->lane == TOPIC_LANE_ORDERS)
                break;
        }
    return best;
}

/* Takes a job and its contact: one that was set aside and is due, unless one that waits for any
 * worker has waited longer. Without that comparison, many jobs of one contact, which become due
 * again and again, would never let the others through. A job that was set aside may hold leases, so
 * it is not asked whether its store may have one more worker.
 *
 * All jobs of the contact that wait for any worker become those of this one, whatever their store.
 * So the jobs of a contact wait in one place, and stay in their order: in the queue of the worker
 * that has the contact in hand, or, while nobody has, in the shared one. Only jobs that were set
 * aside can belong to a contact that another worker has in hand: they go there. The lock is held. */
static struct job *take_waiting(struct worker *worker)
{
    struct pool *pool = worker->pool;
    int64_t now_ms = clock_monotonic_ms();

    for (;;) {
        struct job *first = find_allowed(pool), *job = NULL;
        int64_t due_ms = heap_next_ms(&pool->later);
        struct worker *other;

        if (first == NULL || due_ms <= first->queued_ms)
            job = heap_pop_due(&pool->later, now_ms);
        if (job == NULL && first == NULL)
            return NULL;
        if (job != NULL) {
            other = find_by_contact(pool, job->contact_hash);
            if (other != NULL && other != worker && other->queue.count < QUEUE_PER_WORKER) {
                queue_push(&other->queue, job);
                continue;
            }
        }
        take_in_hand(worker, job != NULL ? job : first);
        take_contact(pool, &worker->queue, worker->contact);
        return job != NULL ? job : queue_pop(&worker->queue);
    }
}

/* The next job of this worker; NULL when a stop was requested. */
static struct job *next_job(struct worker *worker)
{
    struct pool *pool = worker->pool;
    struct job *job = NULL;

    pthread_mutex_lock(&pool->lock);
    count_worker(worker, NULL);
    while (!stop_requested()) {
        job = queue_pop(&worker->queue);
        if (job == NULL)
            job = take_waiting(worker);
        if (job != NULL)
            break;
        wait_idle(pool, worker);
    }
    count_worker(worker, job);
    if (pool->idle != NULL && find_allowed(pool) != NULL)
        wake(pool, pool->idle); /* this worker may have made room for more than its own job */
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void set_aside(struct pool *pool, struct job *job, int64_t wait_ms)
{
    pthread_mutex_lock(&pool->lock);
    /* The heap has room, for it holds as many jobs as the stage hands out. */
    job->queued_ms = clock_monotonic_ms() + wait_ms;
    if (heap_push(&pool->later, job->queued_ms, job) != 0)
        wait_for_any(pool, job);
    else if (pool->idle != NULL)
        wake(pool, pool->idle); /* an idle worker has to wait for the new time from now on */
    pthread_mutex_unlock(&pool->lock);
}

/* Any job that is left, due or not. */
static struct job *pop_left(struct worker *worker)
{
    struct pool *pool = worker->pool;
    struct job *job;

    pthread_mutex_lock(&pool->lock);
    job = queue_pop(&worker->queue);
    if (job == NULL)
        job = queue_pop(&pool->shared);
    if (job == NULL)
        job = heap_pop_due(&pool->later, INT64_MAX);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* Hands the jobs back that nobody will deliver any more, so that the stage need not wait for them.
 * A job that was set aside in the middle of its delivery also gives back its lease. delivery: NULL
 * where no job can be in the middle. */
static void abandon_rest(struct worker *worker, struct delivery *delivery)
{
    struct pool *pool = worker->pool;
    struct job *job;

    while ((job = pop_left(worker)) != NULL) {
        if (delivery != NULL)
            deliver_give_back(delivery, job);
        stage_abandon(pool->pusher->stage, job->ticket);
        job_free(pool->pusher, job);
    }
}

/* Delivers a job as far as it goes. @returns whether the job is done with, and to be freed */
static int work_on(struct pool *pool, struct delivery *delivery, struct job *job)
{
    struct result result = {0};
    enum delivered delivered;
    int64_t wait_ms = 0;

    /* The record's new owner may have it in hand, or may have written it to another topic and
     * committed it: then no mark tells of what is begun here (docs/ledger.md, rule 9). */
    if (stage_is_revoked(pool->pusher->stage, job->ticket)) {
        deliver_give_back(delivery, job);
        stage_abandon(pool->pusher->stage, job->ticket);
        return 1;
    }
    stage_begin(pool->pusher->stage, job->ticket);
    delivered = deliver(delivery, job, &result, &wait_ms);
    stage_end(pool->pusher->stage, job->ticket, delivered == DELIVERED_LATER);
    if (delivered == DELIVERED_LATER)
        set_aside(pool, job, wait_ms);
    else if (delivered == DELIVERED_STOPPED)
        stage_abandon(pool->pusher->stage, job->ticket);
    else
        stage_complete(pool->pusher->stage, job->ticket, &result);
    return delivered != DELIVERED_LATER;
}

static void end_job(struct pool *pool, struct job *job)
{
    if (job->lane != TOPIC_LANE_ORDERS) {
        pthread_mutex_lock(&pool->lock);
        hold(pool, job->lane, -1);
        pthread_mutex_unlock(&pool->lock);
    }
    job_free(pool->pusher, job);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct pool *pool = worker->pool;
    struct delivery *delivery = delivery_new(pool->pusher);
    struct job *job;

    while ((job = next_job(worker)) != NULL) {
        int is_done;

        log_set_about(&job->about);
        is_done = work_on(pool, delivery, job);
        log_set_about(NULL);
        if (is_done)
            end_job(pool, job);
    }
    abandon_rest(worker, delivery);
    delivery_free(delivery);
    return NULL;
}

struct pool *pool_new(struct pusher *pusher)
{
    struct pool *pool = mem_alloc(sizeof(*pool));

    pool->pusher = pusher;
    pool->count = (int)pusher->config->pusher.workers;
    pool->workers = mem_alloc((size_t)pool->count * sizeof(*pool->workers));
    pthread_mutex_init(&pool->lock, NULL);
    queue_init(&pool->shared);
    share_init(&pool->share, pool->count, pusher->config->store_count);
    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        pool->is_lane_read[i] = 1;
    heap_init(&pool->later, pool_room(pool));
    for (int i = 0; i < pool->count; i++) {
        pool->workers[i].pool = pool;
        queue_init(&pool->workers[i].queue);
        pthread_cond_init(&pool->workers[i].wake, NULL);
    }
    return pool;
}

int pool_room(const struct pool *pool)
{
    return pool->count * ROOM_PER_WORKER > ROOM_MIN ? pool->count * ROOM_PER_WORKER : ROOM_MIN;
}

int pool_start(struct pool *pool, struct error *err)
{
    for (int i = 0; i < pool->count; i++) {
        if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0)
            return error_set(err, ERROR_TEMPORARY, "worker %d cannot be started", i);
        pool->workers[i].started = 1;
    }
    return 0;
}

void pool_stop(struct pool *pool)
{
    for (int i = 0; i < pool->count; i++) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->workers[i].wake);
        pthread_mutex_unlock(&pool->lock);
        if (pool->workers[i].started)
            pthread_join(pool->workers[i].thread, NULL);
        pool->workers[i].started = 0;
        abandon_rest(&pool->workers[i], NULL);
    }
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    for (int i = 0; i < pool->count; i++)
        pthread_cond_destroy(&pool->workers[i].wake);
    heap_clear(&pool->later);
    share_clear(&pool->share);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}
