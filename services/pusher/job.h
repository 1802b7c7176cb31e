/* job.h - one record in the pusher's hands, from the stage's offer to its fate. It stays the same
 * job while it is set aside and taken up again, maybe by another worker. */
#ifndef PUSHER_JOB_H
#define PUSHER_JOB_H

#include <stdint.h>

#include "ledger/ledger.h"
#include "record/event.h"
#include "stage/stage.h"
#include "account.h"
#include "evidence.h"
#include "payload.h"
#include "pusher.h"

struct job {
    struct job *next;  /* in a queue of the pool */
    char owner[64];    /* the lease of this record's order is taken in this name */
    int64_t queued_ms; /* since when it waits for any worker; monotonic */
    struct ticket *ticket;
    const struct event *event; /* borrowed from the ticket */
    enum topic_lane lane;
    struct log_about about; /* what the log says of it; borrowed from the event */

    struct payload_head head; /* of the record; borrowed from its own document */
    uint32_t contact_hash;    /* of account and head.together: chooses the worker */
    int store_index;          /* into config's stores; store_count: the record names none of them */
    int account_index;        /* into config's accounts; -1: the record names none of them */

    /* how far its delivery is */
    int held; /* the order's lease is still ours, in grant: go on without acquiring it again */
    int was_answered; /* the ledger had an entry of the order when this job asked for it */
    struct ledger_grant grant;
    int64_t begun_ms;         /* when a worker first took it in hand; monotonic */
    int64_t call_count;       /* calls that this process made for it */
    struct evidence evidence; /* of earlier deliveries and, as far as it is known, of this one */
    int recalled;             /* the evidence of the ledger's entry was read; it is read once */
    int look_later;           /* the order was looked up and not found: look again in an hour */
    int payment_missed;       /* its payment was in doubt, was looked up and is not there */
    struct account_trial trials[ACCOUNT_PART_COUNT];
};

/** @brief New: opens a record that the stage offers. Free with job_free(). owner is still empty. */
struct job *job_new(const struct pusher *pusher, struct ticket *ticket, const struct event *event);

/** @brief Releases the job and its place at the account. It says nothing to the ledger. */
void job_free(const struct pusher *pusher, struct job *job);

#endif
