#include "lanes.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

enum { JOBS_MAX = 64, THREADS_MAX = 5 };

/* How many threads each lane has. */
static const int thread_counts[LANE_COUNT] = {2, 2, 1};

struct queue {
    struct lane_job *first;
    struct lane_job *last;
    int count;
};

struct thread {
    struct lanes *lanes;
    struct queue *queue;
    pthread_t id;
};

struct lanes {
    struct lanes_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int is_stopping;
    struct queue queues[LANE_COUNT];
    struct thread threads[THREADS_MAX];
    int thread_count;
};

/* The next job, or NULL when the lane is empty and stopping. */
static struct lane_job *take(struct lanes *lanes, struct queue *queue, int *is_stopping)
{
    struct lane_job *job;

    pthread_mutex_lock(&lanes->lock);
    while (queue->first == NULL && !lanes->is_stopping)
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    job = queue->first;
    if (job != NULL) {
        queue->first = job->next;
        queue->count--;
    }
    *is_stopping = lanes->is_stopping;
    pthread_mutex_unlock(&lanes->lock);
    return job;
}

static void *run_thread(void *data)
{
    struct thread *thread = data;
    const struct lanes_settings *settings = &thread->lanes->settings;
    void *worker = settings->worker_new(settings->context);
    struct lane_job *job;
    int is_stopping;

    while ((job = take(thread->lanes, thread->queue, &is_stopping)) != NULL)
        settings->run(settings->context, job, worker, is_stopping);
    settings->worker_free(worker);
    return NULL;
}

struct lanes *lanes_start(const struct lanes_settings *settings, struct error *err)
{
    struct lanes *lanes = mem_alloc(sizeof(*lanes));

    lanes->settings = *settings;
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->changed, NULL);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        for (int i = 0; i < thread_counts[lane]; i++) {
            struct thread *thread = &lanes->threads[lanes->thread_count];

            thread->lanes = lanes;
            thread->queue = &lanes->queues[lane];
            if (pthread_create(&thread->id, NULL, run_thread, thread) != 0) {
                error_set(err, ERROR_TEMPORARY, "no more threads can be started");
                lanes_stop(lanes);
                lanes_free(lanes);
                return NULL;
            }
            lanes->thread_count++;
        }
    return lanes;
}

int lanes_add(struct lanes *lanes, enum lane lane, struct lane_job *job)
{
    struct queue *queue = &lanes->queues[lane];
    int is_refused;

    job->next = NULL;
    pthread_mutex_lock(&lanes->lock);
    is_refused = lanes->is_stopping || queue->count == JOBS_MAX;
    if (!is_refused) {
        if (queue->first == NULL)
            queue->first = job;
        else
            queue->last->next = job;
        queue->last = job;
        queue->count++;
        pthread_cond_broadcast(&lanes->changed);
    }
    pthread_mutex_unlock(&lanes->lock);
    return is_refused ? -1 : 0;
}

void lanes_stop(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    pthread_mutex_lock(&lanes->lock);
    lanes->is_stopping = 1;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    for (int i = 0; i < lanes->thread_count; i++)
        pthread_join(lanes->threads[i].id, NULL);
    lanes->thread_count = 0;
}

void lanes_free(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    pthread_cond_destroy(&lanes->changed);
    pthread_mutex_destroy(&lanes->lock);
    free(lanes);
}
