/* reading.h - reads one page of a store's orders: asks for it, gives its orders to the intake, and
 * moves the cursor over them. If a page cannot be read, fewer orders are asked for at once, until
 * the order that cannot be read stands alone. So it does not hold up the others. */
#ifndef POLLER_READING_H
#define POLLER_READING_H

#include "bigcommerce/ask.h"
#include "bigcommerce/cursor.h"

#include "intake.h"

enum { BURIED_MAX = 64, BADS_MAX = 1000, BADS_MAX_BYTES = 16 << 20 };

/* An order that could not be read and was stepped over. It is published as dead when the store
 * shows something readable behind it. Until then the fault may lie with the store instead of the
 * order. */
struct bad {
    char *data;
    size_t length;
    int64_t id; /* -1: unknown */
};

/* One way through the orders of a store. Each store has two, see round.h. Embedded,
 * zero-initialised. */
struct lane {
    struct cursor cursor;
    int failures;        /* how often in a row the query for one single order failed */
    struct buffer tried; /* the answer to that query when it failed last; empty: none came whole */
    struct bad *bads;    /* the orders that were stepped over and are not published yet */
    int bad_count;
    size_t bad_bytes;
};

/** @brief Forgets what was tried and stepped over, because the cursor begins anew. */
void lane_reset(struct lane *lane);
void lane_clear(struct lane *lane);

/* What the two lanes of a store share. Embedded. */
struct reading {
    struct asker *asker; /* borrowed, as is the next one */
    struct intake *intake;
    struct lane *lane; /* the one that is being read */
    int64_t forget_ms; /* marks of orders modified before this instant are not needed any more */
    struct page page;
    struct buffer body; /* what the rows of page point into */
    /* The last orders that were published as dead because they cannot be read, as a ring. The next
     * rounds show them again, because windows overlap. Then they are stepped over at once. */
    struct seen_mark buried[BURIED_MAX];
    int buried_next;
};

/**
 * @brief Asks for one page, gives its orders to the intake and moves the cursor of reading->lane
 * over them.
 * @param query  what cursor_next() gave, perhaps with a smaller limit
 * @returns OUTCOME_OK, also when the page could not be read and the next query asks for fewer
 * orders; or what ends the round
 */
enum outcome reading_page(struct reading *reading, const struct cursor_query *query,
                          struct error *err);

/** @brief Releases buffers that have grown because of a large answer. */
void reading_release(struct reading *reading);
void reading_clear(struct reading *reading);

#endif
