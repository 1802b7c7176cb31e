/* decide.h - what becomes of a record whose delivery failed for now, and how things are looked up.
 * Pure. */
#ifndef PUSHER_DECIDE_H
#define PUSHER_DECIDE_H

#include <stdint.h>

#include <yyjson.h>

#include "base/mem.h"

enum decision {
    DECISION_RETRY = 0,  /* to a retry topic */
    DECISION_GIVE_UP,    /* dead, gave_up */
    DECISION_INCOMPLETE, /* the order is there: delivered, with what is missing listed */
};

struct failure {
    int attempt; /* failures of its own, this one included: >= 1 */
    int max_attempts;
    int doubt;      /* a step's outcome is not known */
    int order_done; /* the order exists at Infusionsoft */
};

/**
 * @brief After a temporary failure of one record.
 * @param topic  out, RETRY: 0 (1 min), 1 (10 min) or 2 (1 h)
 * A doubt is never given up: it is looked up again each hour until the answer is known.
 */
enum decision decide_failure(const struct failure *failure, int *topic);

/* What a 2xx to an achieve says. */
enum achieved {
    ACHIEVED_UNKNOWN = 0, /* no list of results: it may have been achieved */
    ACHIEVED_YES,
    ACHIEVED_NO, /* `success` of no result is true, as where no campaign has such a goal */
};

/** @param root  the answer's document, numbers as texts or not; or NULL */
enum achieved decide_achieved(yyjson_val *root);

/* How to ask for a thing whose name may hold characters that a filter cannot (; , *): by the part
 * before the first of them and a trailing wildcard; an empty part cannot be asked for. The answers
 * are compared in code either way. */
struct lookup {
    struct text value;
    int prefix;
};
struct lookup decide_lookup(struct text wanted);

#endif
