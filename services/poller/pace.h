/* pace.h - when the next page of the customers or of the catalogue is read, and how many of them it
 * asks for. Both are read after the orders of a round. What goes wrong with them is put off and does
 * not end the round, so no order waits for them.
 *
 * After an answer that cannot be used fewer are asked for, and more again after each that can. One
 * that cannot be read even when it is asked for alone is stepped over after a few failures. */
#ifndef POLLER_PACE_H
#define POLLER_PACE_H

#include <stdint.h>

#include "bigcommerce/bigcommerce.h"

/* Embedded. Start with pace_init(). */
struct pace {
    const char *what; /* static: "customers", "products" */
    int limit_max;
    int limit;        /* how many are asked for at once */
    int alone;        /* failures in a row at one that was asked for alone */
    int failures;     /* in a row, since fewer were asked for */
    int is_told;      /* the log says that they wait */
    int is_refused;   /* the log says that the store refuses them */
    int64_t due_ms;   /* monotonic: the store is not asked before */
    int64_t paged_ms; /* monotonic: when a page was last asked for */
};

void pace_init(struct pace *pace, const char *what, int limit_max);

/** @brief Whether a page may be read now. The last quarter of the store's quota is left to orders,
 * but for a page a minute.
 * @param until_ms  monotonic: when the next round is due
 * @param pages     how many this round has read; the first one is read even if the time is over */
int pace_may_go_on(const struct pace *pace, const struct bigcommerce *client, int64_t until_ms,
                   int pages);

enum pace_step {
    PACE_WAIT = 0,  /* ask later, see pace_put_off() */
    PACE_AT_ONCE,   /* ask now, for fewer */
    PACE_STEP_OVER, /* the one that was asked for alone cannot be read */
};

/** @brief Takes in that no usable answer came. Pure. */
enum pace_step pace_narrow(struct pace *pace, enum bigcommerce_answer answer);

/** @brief Puts the next page off, for a longer time after each failure, and says once why.
 * @param is_refused  the store refuses the token: a person must act
 * @returns 1 where the refusal begins: the caller raises its alarm; else 0 */
int pace_put_off(struct pace *pace, const char *store, int is_refused, const struct error *err);

/** @brief Takes in that a usable page came. */
void pace_succeed(struct pace *pace, const char *store);

#endif
