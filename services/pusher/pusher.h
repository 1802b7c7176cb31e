/* pusher.h - what the whole process shares: all workers, the keepers of the accounts and the
 * rebuild. main.c fills it before the first thread starts. */
#ifndef PUSHER_PUSHER_H
#define PUSHER_PUSHER_H

#include "ledger/ledger.h"
#include "net/health.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"
#include "account.h"
#include "claims.h"
#include "publisher.h"
#include "rebuild.h"

/* What became of a goal. The names stand in the ledger, in `delivered` and in the metric. */
enum goal_result {
    GOAL_SENT = 0,
    GOAL_IN_DOUBT,
    GOAL_REFUSED,
    GOAL_NOT_ACHIEVED, /* the account answered 200, and `success` is false */
    GOAL_GAVE_UP,      /* every attempt failed; only the ledger's entry and the metric say so */
    GOAL_RESULT_COUNT
};

struct known_products;

/* What became of a tag. */
enum tag_result { TAG_APPLIED = 0, TAG_REFUSED, TAG_GAVE_UP, TAG_RESULT_COUNT };

struct pusher {
    const struct config *config;
    struct topics topics;
    struct stage_settings stage_settings;
    struct stage *stage;
    struct paused_watch *paused;            /* the accounts that operators paused */
    struct account **accounts;              /* in the order of config's accounts */
    struct known_products **known_products; /* of their products, in the same order */
    struct publisher *publisher;
    struct rebuild *rebuild;
    struct claims *claims; /* the contacts, products and tags that workers have in hand */
    char owner[33];        /* random; the leases of those are taken in this name */
    struct ledger_settings ledger_settings;
    struct ledger_seen *seen; /* shared by all workers and the rebuild; in ledger_settings too */
    struct metric *alarms_double_found;
    struct metric *alarms_fenced;
    struct metric *alarms_total_differs;
    struct metric *calls;
    struct metric *lookups;
    struct metric *tags[TAG_RESULT_COUNT];
    struct metric *goals[GOAL_RESULT_COUNT];
    struct metric *ledger_answers[LEDGER_LOST + 1];
    struct histogram *placed_to_created; /* of the orders that this process made */
    struct histogram *modified_to_created;
};

#endif
