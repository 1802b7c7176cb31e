/* delivery.h - one payload on its way into an account: what the steps share. A worker has one
 * struct delivery and uses it for one job after the other. */
#ifndef PUSHER_DELIVERY_H
#define PUSHER_DELIVERY_H

#include <stdint.h>

#include "infusionsoft/infusionsoft.h"
#include "ledger/ledger.h"
#include "record/reason.h"
#include "evidence.h"
#include "job.h"
#include "payload.h"
#include "pusher.h"

enum { DELIVERY_ANSWER_BYTES = 192, DELIVERY_DETAIL_BYTES = 160 };

/* A job is set aside for so long at once; what takes longer is set aside again. */
enum { DELIVERY_LATER_MAX_MS = 120000 };

/* How a step ended. Anything but PROGRESS_OK ends the delivery for now. */
enum progress {
    PROGRESS_OK = 0,
    PROGRESS_AGAIN,     /* the grant is void: acquire again */
    PROGRESS_LATER,     /* set aside for wait_ms, with the grant in hand; no attempt is charged */
    PROGRESS_STOPPED,   /* the process stops; nothing was decided */
    PROGRESS_FAILED,    /* this record failed for now; failed_step and detail say why */
    PROGRESS_CLOSED,    /* the account is closed */
    PROGRESS_NO_ORDERS, /* the account takes no orders: it has no e-commerce module */
    PROGRESS_REFUSED,   /* it never will work; reason, failed_step, detail and answer say why */
};

/* The calls to the account; see call.h. */
struct delivery_calls {
    int are_free;         /* no call has to wait before it is sent, see account_is_free() */
    int64_t count_before; /* calls of the client before this job */
    char last[64];        /* the last call: method and first part of the path */
    int64_t begun_ms;     /* when the ledger was last asked to begin a step; monotonic */
    int throttled_count;  /* answers 429 in a row */
    int throttled_ms;     /* and how long they were waited for */
};

/* A step that was made and whose end the ledger does not know yet: "contact", "order", a tag or a goal.
 * It is recorded together with the begin of the next step, or when the entry is given back. */
struct delivery_pending {
    struct buffer step; /* "": none */
    char result[64];
};

/* Texts that have to live until the next use of the same one; kept for their memory. */
struct delivery_texts {
    struct buffer query;
    struct buffer path;
    struct buffer tag;       /* the tag in hand, named as a step: "tag:VIP" */
    struct buffer note_step; /* the note in hand, named as a step: "note:bc-abc123-7 Refunded" */
    struct buffer goal;      /* the goal in hand, named as a step: "goal:BCORDER/x" */
    struct buffer attempt;
    struct buffer not_before;
    struct buffer ids;
    struct buffer note; /* what the ledger's entry knew when it was given back; "": it was not */
};

struct delivery {
    /* the worker's own, for all its jobs */
    struct pusher *pusher;
    struct ledger *ledger;
    struct http *http;
    struct infusionsoft **clients; /* by account; NULL until needed */
    int gave_up_redis;             /* the process stops, and Redis did not answer */

    /* the job in hand */
    struct job *job;
    struct payload payload;
    struct ledger_grant *grant;       /* the job's */
    const struct config_store *store; /* NULL: the configuration does not have it any more */

    /* its account */
    struct account *account;
    struct infusionsoft *client;
    struct infusionsoft_field field; /* the order's custom field that holds the external key */
    char currency[8];

    /* what is known there; the ids of products and tags are in the payload */
    char contact_id[64]; /* "": not known yet */
    int contact_cached;  /* its id came from the ledger, so the contact may have been deleted */
    char order_id[64];   /* "": not made by this delivery */
    int64_t order_total; /* as the account told this delivery, in the currency's
                            smallest unit; -1: not known */
    struct ledger_peek *peeks; /* the products, then the tags, then the contact */
    int peek_capacity;
    int peeked; /* peeks were answered together with acquire */

    /* how the last step ended, see enum progress */
    int64_t wait_ms;
    enum reason reason;
    const char *failed_step; /* "contact", "order", ...; for people */
    char detail[DELIVERY_DETAIL_BYTES];
    char answer[DELIVERY_ANSWER_BYTES]; /* its status, error word and field names, see
                                           infusionsoft_answer_word(); "": nothing was asked */

    struct delivery_calls calls;
    struct delivery_pending pending;
    struct delivery_texts texts;
};

/** @brief New, for one thread. pusher: keeps. Free with delivery_free(). */
struct delivery *delivery_new(struct pusher *pusher);
void delivery_free(struct delivery *d);

/** @brief Takes a job in hand and forgets everything about the one before, but for what
 * payload_read() has just read. */
void delivery_start(struct delivery *d, struct job *job);

/** @brief Keeps a step of the order's entry whose end is still to be recorded: with the begin of
 * the next step, or when the entry is given back. */
void delivery_set_pending(struct delivery *d, const char *step, const char *result);

/** @brief Lists a step that the order lacks; once each. It stays with the job, also while that is
 * set aside. answer: what the account said to it; NULL: the answer kept in d */
void delivery_add_incomplete(struct delivery *d, const char *step, const char *answer);

/** @brief Takes over why the attempt before this one failed, as the detail. */
void delivery_recall_cause(struct delivery *d);

/** @brief The answer to the call of a step was lost: keeps that in the grant. The ledger has the doubt
 * since the step was begun. */
void delivery_set_doubt(struct delivery *d, const char *step);

/** @brief What was looked up for a doubt is not there, and need not be visible yet: the job is set aside
 * until it is, and the next look decides. @returns LATER */
enum progress delivery_look_later(struct delivery *d);

/** @brief Lists the region of an address that the account refused, so that it was sent without it.
 * address: "billing", "shipping", ... */
void delivery_leave_region_out(struct delivery *d, const char *address);

/** @brief Lists what the mapper left out of this payload, see map_write_left_out(). */
void delivery_leave_out(struct delivery *d);

/** @brief Adds what the ledger's entry knows of earlier deliveries to the evidence of the job; once
 * for each job. */
void delivery_recall(struct delivery *d);

/** @brief The evidence as of now; its list is borrowed from the job. */
struct evidence delivery_evidence(const struct delivery *d);

#endif
