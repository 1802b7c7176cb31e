/* position.h - how far each store was read: the compacted topic `cursors`, key = store hash. It is
 * the truth; what Redis has is a copy. A record carries the fence of the lease under which it was
 * written: of two, the one with the greater fence counts, whichever stands later, so a poller that
 * was frozen and lost its lease sets nothing back. */
#ifndef POLLER_POSITION_H
#define POLLER_POSITION_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "record/topic.h"
#include "settings/config.h"

#include "held.h"

/* Some 70 KB, most of them untouched. */
struct position {
    int64_t cursor_ms; /* every order modified up to here was published, or is history or held; -1:
                          none yet */
    int64_t start_from_ms; /* the resolved start_from, 0: all */
    int64_t history_ms;    /* orders modified up to here that are still to be walked; -1: none */
    int64_t history_id;    /* of these everything up to this id was published; -1: none yet */
    int64_t fence;         /* of the lease; 0: there is no record */
    struct held held;      /* orders that the cursor passed, though they wait for their own calls */
};

/** @brief A position of which nothing is known. */
void position_init(struct position *position);

/** @brief What an assignment does, without touching the places of orders that are not held. */
void position_copy(struct position *position, const struct position *from);

/**
 * @brief Writes a record's value: {"cursor":ms or null,"start_from":ms,"fence":n,"saved_at":ms}
 * and, where there are such, "held":[[id, modified_ms, failures, due_ms],...].
 */
void position_print(struct buffer *target, const struct position *position, int64_t now_ms);

/** @brief Reads a record's value. @returns 0, or -1 when it is none */
int position_parse(struct text value, struct position *position);

/** @brief Takes a record of the topic in: a tombstone forgets, an older fence changes nothing.
 * Pure. */
void position_merge(struct position *position, struct text value);

/* The positions of all stores as the topic has them; shared by all threads. */
struct positions {
    const struct config *config;
    const struct topics *topics;
    pthread_mutex_t lock;
    int64_t read_ms;      /* monotonic: when the last reading began; 0: never */
    struct position *all; /* one for each store, in config's order */
};

/** @brief config and topics are kept. */
void positions_init(struct positions *positions, const struct config *config,
                    const struct topics *topics);
void positions_clear(struct positions *positions);

/**
 * @brief The position of a store, read after an instant (when its lease was taken); one reading
 * serves all stores.
 * @param since_ms  monotonic clock
 * @param position  out; fence 0 where the store was never polled
 * @returns 0, or -1 with a temporary error
 */
int positions_read(struct positions *positions, int store_index, int64_t since_ms,
                   struct position *position, struct error *err);

#endif
