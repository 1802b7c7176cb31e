/* held.h - the orders of one store that wait for calls of their own: what a list leaves out in them
 * is still to be asked for, or the store failed when it was asked. They are saved beside the
 * cursor, so the cursor passes them and a restart forgets none. Pure: no clock, no I/O. */
#ifndef POLLER_HELD_H
#define POLLER_HELD_H

#include <stdint.h>

#include "seen.h"

/* HELD_BYTES: of one in the record of the topic `cursors`, at most. */
enum { HELD_MAX = 1000, HELD_BYTES = 70 };

struct held_order {
    int64_t id;
    int64_t modified_ms;            /* date_modified, as the list has it */
    int64_t due_ms;                 /* wall clock: not asked for before */
    int failures;                   /* of its own calls */
    char digest[SEEN_DIGEST_BYTES]; /* of its bytes in the list; "" when unknown. Not saved */
};

/* Embedded. In the order of arrival, but for removals. */
struct held {
    int count;
    int changed; /* since it was last saved */
    struct held_order orders[HELD_MAX];
};

/** @brief What an assignment does, without touching the places that are free. */
void held_copy(struct held *held, const struct held *from);

/** @brief How many may be held so that their record is not larger than its topic takes. */
int held_room(int64_t max_record_bytes);

/** @brief The order with this id, or NULL. Borrowed until the next change. */
struct held_order *held_find(struct held *held, int64_t id);

/**
 * @brief Holds an order, due at once; of one that is held already the version is noted, its
 * schedule goes on.
 * @param room    see held_room()
 * @param digest  of its bytes in the list, or ""
 * @returns 0, or -1 when so many are held already
 */
int held_add(struct held *held, int room, int64_t id, int64_t modified_ms, const char *digest,
             int64_t now_ms);

void held_remove(struct held *held, int64_t id);

/**
 * @brief The next one to be asked for: of those that are due one with the fewest failures, of these
 * the one that was modified last, so that a new order waits for none of the history. NULL when none
 * is due.
 * @param longest_ms  no delay is longer: a later due time comes from another clock
 */
struct held_order *held_next(struct held *held, int64_t now_ms, int64_t longest_ms);

/**
 * @brief Counts a failure and says when the order is due again: the first delay after failures 1 to
 * 3, the second after 4 to 6, later the third.
 * @returns 1 when it is to be given up, else 0
 */
int held_fail(struct held *held, struct held_order *order, const int64_t delays_s[3],
              int64_t max_attempts, int64_t now_ms);

/**
 * @brief How long one call of this order may take: at first a sixth of the poll interval, later a
 * tenth of the time that the order waited for it, so that orders whose calls hang take little of
 * the time that the others need; a second at least, at most limit_ms.
 */
int64_t held_allowance_ms(const struct held_order *order, const int64_t delays_s[3],
                          int64_t interval_ms, int64_t limit_ms);

#endif
