/* poll.h - one round of one store: ask, publish, then advance the cursor. */
#ifndef POLLER_POLL_H
#define POLLER_POLL_H

#include "ask.h"
#include "cursor.h"
#include "deal.h"
#include "position.h"

enum { BURIED_MAX = 64, BADS_MAX = 1000, BADS_MAX_BYTES = 16 << 20 };

/* An order that was stepped over. It is dead once the store shows one behind it: else the store is
 * to blame. */
struct bad {
    char *data;
    size_t length;
    int64_t id; /* -1: cannot be told */
};

/* One store under its lease. Belongs to one thread; some 200 KB, so not for the stack. */
struct poll {
    const struct config *config; /* borrowed, as are the next two */
    const struct config_store *store;
    const struct topics *topics;
    struct asker asker;
    struct dealer dealer;
    struct cursor cursor;
    struct position position; /* as saved */
    struct page page;
    struct buffer body;  /* of the page in hand */
    int failures;        /* of the query in hand, at one order, in a row */
    struct buffer tried; /* what came for it the last time */
    struct bad *bads;
    int bad_count;
    size_t bad_bytes;
    /* Dead for being unreadable, a ring: the overlap shows them again, and nothing has to be tried
     * then. */
    struct seen_mark buried[BURIED_MAX];
    int buried_next;
};

/**
 * @brief Finds out where to go on, right after the lease was taken: the saved position; at a
 * store's very first time start_from is resolved to a whole second of the store's clock and saved.
 */
enum outcome poll_begin(struct poll *poll, struct positions *positions, int store_index,
                        struct error *err);

/**
 * @brief One round: everything modified since the position, up to now; then the calls that held
 * orders need for themselves.
 * @param until_ms  monotonic: when the next round is due
 * @returns OUTCOME_OK when it is complete
 */
enum outcome poll_round(struct poll *poll, int64_t until_ms, struct error *err);

void poll_clear(struct poll *poll);

#endif
