/* deliver.h - one record, from acquire to its fate, as straight-line code on a worker's thread. */
#ifndef PUSHER_DELIVER_H
#define PUSHER_DELIVER_H

#include "delivery.h"

enum delivered {
    DELIVERED_RESULT = 0, /* result is filled: complete the ticket with it */
    DELIVERED_LATER,   /* set the job aside for wait_ms, then deliver() again; nothing is charged */
    DELIVERED_STOPPED, /* the process stops: abandon the ticket */
};

/**
 * @brief Delivers one record as far as it goes.
 * @param result   out: texts are borrowed from d and the job until the next call
 * @param wait_ms  out: for DELIVERED_LATER
 */
enum delivered deliver(struct delivery *d, struct job *job, struct result *result,
                       int64_t *wait_ms);

/** @brief Frees the order of a job for the next start. Only while the process stops: where Redis
 * does not answer at once, the lease of this and of all further jobs runs out by itself. */
void deliver_give_back(struct delivery *d, struct job *job);

#endif
