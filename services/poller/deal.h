/* deal.h - the orders of one answer dealt with: completed, published, acknowledged, marked as seen.
 * An order ends in the raw topic, or in `dead` where it can never be published. */
#ifndef POLLER_DEAL_H
#define POLLER_DEAL_H

#include <stdint.h>

#include "config.h"
#include "error.h"
#include "reason.h"
#include "topic.h"

#include "ask.h"
#include "page.h"
#include "publish.h"
#include "seen.h"

enum { FAILING_MAX = 256 }; /* orders of one store whose own calls fail at the same time */

/* An order whose own calls fail, from round to round. */
struct failing {
    int64_t id;
    int failures;
    int64_t reads;  /* the dealer's, when it was last counted */
    int64_t due_ms; /* monotonic: not asked for before */
};

/* One store's dealer; embedded; all pointers but failing borrowed. */
struct dealer {
    const struct config *config;
    const struct config_store *store;
    const struct topics *topics;
    struct publisher *publisher;
    struct redis *redis;
    struct asker *asker;
    char *seen_key;
    int64_t start_from_ms;
    int64_t reads; /* pages with orders that could be read */
    struct failing failing[FAILING_MAX];
    int failing_count;
    struct seen_mark marks[PAGE_ROWS_MAX]; /* of the page in hand */
    struct metric *published;
    struct metric *dead;
    struct metric *unchanged;
};

/* The orders of one answer. */
struct deal {
    const struct page_row *rows;
    int count;
    enum reason reason;       /* NONE, or why the one row is dead whatever it holds */
    const char *detail;       /* with reason */
    int64_t seen_at_ms;       /* store's clock: when these are seen */
    int64_t forget_ms;        /* what was last seen before this instant does not come again */
    char held[PAGE_ROWS_MAX]; /* out: 1 where the order is not dealt with; later rounds must come by
                                 again */
};

void dealer_init(struct dealer *dealer);
void dealer_clear(struct dealer *dealer);

/**
 * @brief Publishes what is new of these orders and waits until Kafka has it.
 * @returns OUTCOME_OK, or what ends the round: nothing is marked then, and all of it comes again
 */
enum outcome deal_orders(struct dealer *dealer, struct deal *deal, struct error *err);

/**
 * @brief Counts one more failure of an order's own calls, if the store let orders be read since the
 * last one, and says when it is due again: [pusher] retry_delays_s, the first delay after failures
 * 1 to 3, the second after 4 to 6, later the third.
 * @param now_ms  monotonic
 * @returns 1 when it is to be given up, at [pusher] max_attempts failures, else 0
 */
int dealer_count_failure(struct dealer *dealer, int64_t id, int64_t now_ms);

/** @brief Whether an order's own calls may be made now (monotonic); held until then. */
int dealer_is_due(const struct dealer *dealer, int64_t id, int64_t now_ms);

/**
 * @brief Produces one record and waits until Kafka has it, keeping the lease.
 * @returns OUTCOME_OK or what ends the round
 */
enum outcome deal_record(struct dealer *dealer, const struct output *output, struct error *err);

#endif
