/* decide.h - decisions of a delivery that need no I/O: what becomes of a record that failed for
 * now, what an answer to a tag or goal means, and how to ask for a thing by its name. Pure. */
#ifndef PUSHER_DECIDE_H
#define PUSHER_DECIDE_H

#include <stdint.h>

#include <yyjson.h>

#include "base/mem.h"

enum decision {
    DECISION_RETRY = 0,  /* to a retry topic */
    DECISION_GIVE_UP,    /* dead, with the reason gave_up */
    DECISION_INCOMPLETE, /* the order exists: delivered, with a list of what is missing */
};

struct failure {
    int attempt; /* failures of this record so far, this one included: >= 1 */
    int max_attempts;
    int doubt;   /* a step was begun and its outcome is not known */
    int is_made; /* the order, contact or product of the record is at Infusionsoft */
};

/**
 * @brief What becomes of a record after a temporary failure. While a step is in doubt the record is
 * never given up: it is tried again each hour, and looked up, until the outcome is known.
 * @param topic  out, for RETRY: 0 (1 minute), 1 (10 minutes) or 2 (1 hour)
 */
enum decision decide_failure(const struct failure *failure, int *topic);

/* What a 2xx answer says about the goal that was to be achieved. */
enum achieved {
    ACHIEVED_UNKNOWN = 0, /* it has no list of results, so the goal may have been achieved */
    ACHIEVED_YES,
    ACHIEVED_NO, /* no result has `success` true, for example because no campaign has that goal */
};

/** @brief Reads that answer. root: its document, with numbers as text or not; or NULL */
enum achieved decide_achieved(yyjson_val *root);

/* What the answer to a tag that was to be applied says about the contact. */
enum applied {
    APPLIED_UNKNOWN = 0, /* it has no result of the contact */
    APPLIED_YES,
    APPLIED_OTHER, /* a word that is not known to mean yes */
};

/** @brief Reads that answer: {"results": {"42": "SUCCESS"}}. root: its document, or NULL */
enum applied decide_applied(yyjson_val *root, const char *contact_id);

/* How to ask the account for a thing by its name. A filter cannot hold the characters ; , and *. A
 * name that has one of them is asked for by the part before it, as a prefix; what the account lists
 * is compared with the whole name anyway. */
struct lookup {
    struct text value; /* empty: this name cannot be asked for */
    int prefix;        /* value is only the beginning of the name */
};
struct lookup decide_lookup(struct text wanted);

#endif
