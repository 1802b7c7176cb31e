/* store_limit.h - how often a store may be asked for orders that the pipeline never saw. Pure.
 *
 * The pollers need the store's quota. So where the store tells it, questions stop while less than a
 * quarter of it is left. A store that does not answer is left alone for a moment, so that it does not
 * hold up everybody who asks. Times are of the monotonic clock, in ms. */
#ifndef CONSOLE_STORE_LIMIT_H
#define CONSOLE_STORE_LIMIT_H

#include <stdint.h>

#include "bigcommerce/bigcommerce.h"

enum {
    STORE_LIMIT_PER_S = 20, /* questions in a second while at least half of the quota is left */
    STORE_LIMIT_PER_S_UNTOLD = 5, /* where the store does not tell its quota */
    STORE_LIMIT_PER_S_LOW = 1,    /* while less than half of it is left */
    STORE_LIMIT_AT_ONCE = 2,      /* questions under way */
    STORE_LIMIT_ERROR_BYTES = 256,
};

/* One store. Embedded, zero-initialised. */
struct store_limit {
    int64_t second; /* the one in which asked counts */
    int asked;
    int under_way;
    int64_t left, quota; /* of the store's window, as told last; quota 0: not told */
    int64_t window_ends_ms;
    int64_t again_ms;                    /* it is not asked before */
    char error[STORE_LIMIT_ERROR_BYTES]; /* why it is not asked */
};

enum store_turn {
    STORE_TURN_GO = 0,  /* ask now, then call store_limit_end() */
    STORE_TURN_WAIT,    /* look again in a moment */
    STORE_TURN_REFUSED, /* it is not asked now; error says why */
};

/** @brief Whether one more question is allowed now. */
enum store_turn store_limit_begin(struct store_limit *limit, int64_t now_ms);

/** @brief A question that was allowed has ended. told: what its answer says; status 0: there is none.
 * error: of an answer that could not be used */
void store_limit_end(struct store_limit *limit, const struct bigcommerce_quota *told,
                     const char *error, int64_t now_ms);

#endif
