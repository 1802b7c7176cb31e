/* deliver.h - the way of one record from the ledger's grant to its fate. It is straight-line code
 * and runs on a worker's thread. */
#ifndef PUSHER_DELIVER_H
#define PUSHER_DELIVER_H

#include "delivery.h"

enum delivered {
    DELIVERED_RESULT = 0, /* result is filled: complete the ticket with it */
    DELIVERED_LATER, /* set the job aside for wait_ms, then deliver() again; it costs no attempt */
    DELIVERED_STOPPED, /* the process stops, or the record was revoked: hand the ticket back */
};

/**
 * @brief Delivers one record as far as it goes.
 * @param result   out: texts are borrowed from d and the job until the next call
 * @param wait_ms  out: for DELIVERED_LATER
 */
enum delivered deliver(struct delivery *d, struct job *job, struct result *result,
                       int64_t *wait_ms);

/** @brief Gives the order of a job back, so that the next process need not wait for its lease. Only
 * while the process stops, or for a record that was revoked: if Redis does not answer at once, this
 * lease and those of all further jobs are left to run out, until deliver() is called again. */
void deliver_give_back(struct delivery *d, struct job *job);

#endif
