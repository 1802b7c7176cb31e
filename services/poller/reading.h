/* reading.h - one page of a store's orders: asked for, dealt with, passed. What cannot be read is
 * narrowed down to single orders, so that none holds up the others. */
#ifndef POLLER_READING_H
#define POLLER_READING_H

#include "ask.h"
#include "cursor.h"
#include "intake.h"

enum { BURIED_MAX = 64, BADS_MAX = 1000, BADS_MAX_BYTES = 16 << 20 };

/* An order that was stepped over. It is dead once the store shows one behind it: else the store is
 * to blame. */
struct bad {
    char *data;
    size_t length;
    int64_t id; /* -1: cannot be told */
};

/* One way through the orders of a store; a store is read on two, see round.h. Embedded,
 * zero-initialised. */
struct lane {
    struct cursor cursor;
    int failures;        /* of the query in hand, at one order, in a row */
    struct buffer tried; /* what came for it the last time */
    struct bad *bads;
    int bad_count;
    size_t bad_bytes;
};

/** @brief Forgets what was tried and stepped over: the cursor begins anew. */
void lane_reset(struct lane *lane);
void lane_clear(struct lane *lane);

/* What the lanes of a store share. Embedded. */
struct reading {
    struct asker *asker; /* borrowed, as is the next one */
    struct intake *intake;
    struct lane *lane; /* in hand */
    int64_t forget_ms; /* marks of what was modified before this instant are not needed any more */
    struct page page;
    struct buffer body; /* of the page in hand */
    /* Dead for being unreadable, a ring: the overlap shows them again, and nothing has to be tried
     * then. */
    struct seen_mark buried[BURIED_MAX];
    int buried_next;
};

/**
 * @brief Asks for one page, deals with its orders and moves the cursor of reading->lane over them.
 * @param query  what cursor_next() gave, perhaps with a smaller limit
 * @returns OUTCOME_OK, also when the next query has to be a smaller one; or what ends the round
 */
enum outcome reading_page(struct reading *reading, const struct cursor_query *query,
                          struct error *err);

/** @brief Lets go of memory that only a large answer needed. */
void reading_release(struct reading *reading);
void reading_clear(struct reading *reading);

#endif
