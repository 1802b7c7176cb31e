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

enum { DELIVERY_ANSWER_BYTES = 1025, DELIVERY_DETAIL_BYTES = 160 };

/* A job is set aside for so long at once; what takes longer is set aside again. */
enum { DELIVERY_LATER_MAX_MS = 120000 };

struct delivery {
    struct pusher *pusher;
    struct ledger *ledger;
    struct http *http;
    struct infusionsoft **clients; /* by account; NULL until needed */

    int gave_up_redis; /* while stopping */

    /* of the job in hand */
    struct job *job;
    struct account *account;
    struct infusionsoft *client;
    struct ledger_grant *grant; /* the job's */
    const struct config_store *store;
    struct payload payload;
    char contact_id[64];
    int contact_cached; /* the id came from the cache, not from the account */
    int products_cached;
    struct ledger_peek *peeks; /* contact, then the products */
    int peek_capacity;
    int peeked; /* they were answered together with acquire */
    struct infusionsoft_field field;
    char currency[8];
    int64_t wait_ms;         /* PROGRESS_LATER */
    enum reason reason;      /* PROGRESS_REFUSED, PROGRESS_FAILED */
    const char *failed_step; /* for people: "contact", "order", ... */
    char detail[DELIVERY_DETAIL_BYTES];
    char answer[DELIVERY_ANSWER_BYTES];
    int64_t calls_before;
    char called[64];     /* the last call: method and first part of the path */
    int64_t begun_ms;    /* monotonic: when the ledger was last asked to begin a step */
    int throttled_count; /* 429s in a row */
    int throttled_ms;    /* and how long they were waited for */
    int combines; /* end and begin may be one round trip: nothing to be waited for in between */
    char order_id[64]; /* "": not made yet */
    struct buffer
        pending_step; /* made, and its end not recorded yet: order, contact or a goal; "": none */
    char pending_result[64];
    struct buffer query;
    struct buffer path;
    struct buffer step;
    struct buffer attempt_text;
    struct buffer not_before_text;
    struct buffer note; /* what the ledger's entry knew when it was given back; "": it was not */
};

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

/** @brief Adds what the ledger's entry knows of earlier deliveries to the evidence of the job; once
 * for each job. */
void delivery_recall(struct delivery *d);

/** @brief The evidence as of now; its list is borrowed from the job. */
struct evidence delivery_evidence(const struct delivery *d);

#endif
