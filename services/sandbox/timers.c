#include "timers.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

static void swap(struct timer *a, struct timer *b)
{
    struct timer other = *a;

    *a = *b;
    *b = other;
}

static void push(struct timers *timers, struct timer timer)
{
    size_t i = timers->count++;

    if (timers->count > timers->capacity) {
        timers->capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
        timers->heap = mem_realloc(timers->heap, timers->capacity * sizeof *timers->heap);
    }
    timers->heap[i] = timer;
    for (; i > 0 && timers->heap[i].due_ms < timers->heap[(i - 1) / 2].due_ms; i = (i - 1) / 2)
        swap(&timers->heap[i], &timers->heap[(i - 1) / 2]);
}

static struct timer pop(struct timers *timers)
{
    struct timer first = timers->heap[0];
    size_t i = 0;

    timers->heap[0] = timers->heap[--timers->count];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= timers->count)
            return first;
        if (child + 1 < timers->count &&
            timers->heap[child + 1].due_ms < timers->heap[child].due_ms)
            child++;
        if (timers->heap[i].due_ms <= timers->heap[child].due_ms)
            return first;
        swap(&timers->heap[i], &timers->heap[child]);
        i = child;
    }
}

/* Waits until the first timer is due, an earlier one is added, or the thread is to end. Called with
 * the lock held. */
static void wait_for_due(struct timers *timers)
{
    int64_t wait_ms = timers->heap[0].due_ms - clock_monotonic_ms();
    struct timespec until;

    if (wait_ms <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&timers->changed, &timers->lock, &until);
}

static void *run(void *argument)
{
    struct timers *timers = argument;

    pthread_mutex_lock(&timers->lock);
    while (!timers->stopping || timers->count > 0) {
        if (timers->count == 0) {
            pthread_cond_wait(&timers->changed, &timers->lock);
        } else if (timers->stopping || timers->heap[0].due_ms <= clock_monotonic_ms()) {
            struct timer timer = pop(timers);
            pthread_mutex_unlock(&timers->lock);
            timer.act(timer.argument);
            pthread_mutex_lock(&timers->lock);
        } else {
            wait_for_due(timers);
        }
    }
    pthread_mutex_unlock(&timers->lock);
    return NULL;
}

int timers_start(struct timers *timers)
{
    pthread_condattr_t attributes;

    *timers = (struct timers){0};
    pthread_mutex_init(&timers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&timers->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return pthread_create(&timers->thread, NULL, run, timers) == 0 ? 0 : -1;
}

void timers_add(struct timers *timers, int64_t delay_ms, void (*act)(void *argument),
                void *argument)
{
    struct timer timer = {clock_monotonic_ms() + delay_ms, act, argument};
    int late;

    pthread_mutex_lock(&timers->lock);
    late = timers->stopping;
    if (!late)
        push(timers, timer);
    pthread_cond_signal(&timers->changed);
    pthread_mutex_unlock(&timers->lock);
    if (late)
        act(argument);
}

void timers_stop(struct timers *timers)
{
    pthread_mutex_lock(&timers->lock);
    timers->stopping = 1;
    pthread_cond_signal(&timers->changed);
    pthread_mutex_unlock(&timers->lock);
    pthread_join(timers->thread, NULL);
    free(timers->heap);
    timers->heap = NULL;
}
