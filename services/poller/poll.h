/* poll.h - one round of one store: ask, publish, then advance the cursor. */
#ifndef POLLER_POLL_H
#define POLLER_POLL_H

#include "ask.h"
#include "cursor.h"
#include "deal.h"
#include "position.h"

/* One store under its lease. Belongs to one thread; some 50 KB, so not for the stack. */
struct poll {
    const struct config *config; /* borrowed, as are the next two */
    const struct config_store *store;
    const struct topics *topics;
    struct asker asker;
    struct dealer dealer;
    struct cursor cursor;
    struct position position; /* as saved */
    struct page page;
    struct buffer body; /* of the page in hand */
    int failures;       /* of the query in hand at one order, in a row */
    /* The order that was stepped over, until the one behind it proves that it alone is unreadable.
     */
    struct buffer bad;
    int64_t bad_id;
    int is_bad;
};

/**
 * @brief Finds out where to go on, right after the lease was taken: the saved position; at a
 * store's very first time start_from is resolved to a whole second of the store's clock and saved.
 */
enum outcome poll_begin(struct poll *poll, struct positions *positions, int store_index,
                        struct error *err);

/** @brief One round: everything modified since the position, up to now. @returns OUTCOME_OK when it
 * is complete */
enum outcome poll_round(struct poll *poll, struct error *err);

void poll_clear(struct poll *poll);

#endif
