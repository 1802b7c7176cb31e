/* store_position.h - how far each store was read, from the topic `cursors`. Pure. */
#ifndef COMMON_STORE_POSITION_H
#define COMMON_STORE_POSITION_H

#include <stdint.h>

#include "record/event.h"

struct store_position {
    const char *hash;      /* of the store; the caller sets it. Borrowed */
    int64_t fence;         /* -1: there is no record */
    int64_t cursor_ms;     /* orders modified up to here were read; -1: none yet */
    int64_t start_from_ms; /* 0: all */
    int64_t saved_ms;      /* when the position was saved, by the poller's clock; -1: not known */
    int64_t history_id;    /* the history was read up to this order; -1: not begun, or no history */
    int has_history;       /* older orders are still to be read */
    int held;              /* orders that wait for calls of their own */
};

/** @brief Makes a position of which nothing is known. */
void store_position_init(struct store_position *position, const char *hash);

/** @brief Takes a record of `cursors` into account. Of two records the one with the greater fence
 * counts, and of equal ones the later; a tombstone makes the position unknown. */
void store_position_add(struct store_position *position, const struct event *event);

#endif
