/* lanes.h - threads that answer requests, so that the thread with the connections never waits.
 * A lane is a queue with a limit and one or more threads. Slow work has a lane of its own, so that
 * it does not hold up the rest. */
#ifndef CONSOLE_LANES_H
#define CONSOLE_LANES_H

#include "base/error.h"

enum lane {
    LANE_INDEX = 0, /* answers from the index: milliseconds */
    LANE_OUTSIDE,   /* may ask a store: seconds */
    LANE_ACT,       /* retry, drop, pause, resume: one at a time */
    LANE_COUNT
};

/* Something that waits for a thread. The caller has it in a struct of its own. */
struct lane_job {
    struct lane_job *next;
};

struct lanes_settings {
    /* Carries a job out. is_stopping: there is no time for it any more, answer that. */
    void (*run)(void *context, struct lane_job *job, void *worker, int is_stopping);
    /* What each thread needs for itself, e.g. a connection to the index. May return NULL. */
    void *(*worker_new)(void *context);
    void (*worker_free)(void *worker);
    void *context; /* kept */
};

struct lanes;

/** @brief Starts the threads. New; end with lanes_stop(). @returns NULL with a temporary error */
struct lanes *lanes_start(const struct lanes_settings *settings, struct error *err);

/** @brief Puts a job into a lane. @returns 0, or -1 when the lane is full or stopping: the job was
 * not taken */
int lanes_add(struct lanes *lanes, enum lane lane, struct lane_job *job);

/** @brief Runs what still waits, as stopping, and ends the threads. After it lanes_add() refuses
 * everything. */
void lanes_stop(struct lanes *lanes);
void lanes_free(struct lanes *lanes);

#endif
