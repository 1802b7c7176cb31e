/* held.h - the held orders of one store. An order is held when the list of orders does not show all
 * of it, so that it needs requests of its own (see own.h). It stays held until these succeed, or
 * until it is given up. Held orders are saved together with the cursor. So the cursor may move past
 * them, and a restart forgets none. Pure: no clock, no I/O. */
#ifndef POLLER_HELD_H
#define POLLER_HELD_H

#include <stdint.h>

#include "seen.h"

enum {
    HELD_MAX = 1000,
    HELD_BYTES = 70, /* what one held order takes at most in the record of the topic `cursors` */
};

struct held_order {
    int64_t id;
    int64_t modified_ms;            /* date_modified, as the list shows it */
    int64_t due_ms;                 /* wall clock: it is not asked for before */
    int failures;                   /* how often its own requests failed */
    char digest[SEEN_DIGEST_BYTES]; /* of its bytes in the list; "" if unknown. Not saved */
};

/* Embedded. The orders stand in no certain order. */
struct held {
    int count;
    int changed; /* 1: something changed since it was saved */
    struct held_order orders[HELD_MAX];
};

/** @brief Copies like an assignment, but leaves free places alone, so that they need no memory. */
void held_copy(struct held *held, const struct held *from);

/** @brief How many orders may be held without making the record of `cursors` too large. */
int held_room(int64_t max_record_bytes);

/** @brief The order with this id, or NULL. Borrowed until the next change. */
struct held_order *held_find(struct held *held, int64_t id);

/**
 * @brief Holds an order, which is due at once. If it is held already, its new date and digest are
 * noted, and it stays due when it was.
 * @param room    how many may be held, see held_room()
 * @param digest  of its bytes in the list, or ""
 * @returns 0, or -1 when there is no room for it
 */
int held_add(struct held *held, int room, int64_t id, int64_t modified_ms, const char *digest,
             int64_t now_ms);

void held_remove(struct held *held, int64_t id);

/**
 * @brief The held order to ask for next: of those that are due, one with the fewest failures; of
 * these the one that was modified last, so that new orders go before those of the history. NULL
 * when none is due.
 * @param longest_ms  the longest delay that a failure leads to. An order whose due time is further
 * away counts as due: its time was set by a host whose clock is ahead
 */
struct held_order *held_next(struct held *held, int64_t now_ms, int64_t longest_ms);

/**
 * @brief Counts a failure and sets when the order is due again: after the first delay for failures
 * 1 to 3, after the second delay for failures 4 to 6, after the third delay later on.
 * @returns 1 when the order is to be given up, else 0
 */
int held_fail(struct held *held, struct held_order *order, const int64_t delays_s[3],
              int64_t max_attempts, int64_t now_ms);

/**
 * @brief How long one request for this order may take: at first a sixth of the poll interval, after
 * failures a tenth of the delay before this attempt if that is longer. It is a second at least and
 * limit_ms at most. So an order whose requests hang takes little of the time of the other orders.
 */
int64_t held_allowance_ms(const struct held_order *order, const int64_t delays_s[3],
                          int64_t interval_ms, int64_t limit_ms);

#endif
