/* timers.h - calls functions later, from one thread. Thread-safe. */
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
    struct timer *heap; /* heap[0] is the one that is due first */
    size_t count;
    size_t capacity;
    int stopping;
};

/** @brief Starts the thread. @returns 0 or -1 */
int timers_start(struct timers *timers);

/** @brief Calls act(argument) after delay_ms, from the timers' thread. After timers_stop() it is
 * called at once, from the caller's thread. */
void timers_add(struct timers *timers, int64_t delay_ms, void (*act)(void *argument),
                void *argument);

/** @brief Ends the thread. Whatever still waits is called now. */
void timers_stop(struct timers *timers);

#endif
