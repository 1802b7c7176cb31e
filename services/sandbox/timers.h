/* timers.h - things to be done later, by one thread. Thread-safe. */
#ifndef SANDBOX_TIMERS_H
#define SANDBOX_TIMERS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due_ms; /* monotonic */
    void (*act)(void *argument);
    void *argument;
};

struct timers {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct timer *heap; /* the first due is heap[0] */
    size_t count;
    size_t capacity;
    int stopping;
};

/** @brief Starts the thread. @returns 0 or -1 */
int timers_start(struct timers *timers);

/** @brief Calls act(argument) in delay_ms from the timers' thread; at once from this one after
 * timers_stop(). */
void timers_add(struct timers *timers, int64_t delay_ms, void (*act)(void *argument),
                void *argument);

/** @brief Ends the thread; what was still to be done is done now. */
void timers_stop(struct timers *timers);

#endif
