/* position.h - how far each store was read. This is kept in the compacted topic `cursors`, one
 * record for each store, whose key is the store hash. Redis has only a copy. A record carries the
 * fence of the lease under which it was written. Of two records the one with the greater fence
 * counts, even if the other one was written later. So a poller that was frozen, and lost its lease
 * meanwhile, cannot move a position back. */
#ifndef POLLER_POSITION_H
#define POLLER_POSITION_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "record/topic.h"
#include "settings/config.h"

#include "held.h"

/* Its size is about 70 KB. Most of it is the array of held orders. Unused elements of the array are
 * neither set nor copied, so that they need no memory. */
struct position {
    /* Every order modified up to here was published, or is held, or belongs to the history; -1:
     * none yet. */
    int64_t cursor_ms;
    int64_t start_from_ms; /* the resolved start_from; 0: all */
    int64_t history_ms; /* the history: orders modified up to here are still to be read; -1: none */
    int64_t history_id; /* every order of the history up to this id was published; -1: none yet */
    int64_t contacts_ms; /* every customer modified up to here was published; -1: none yet */
    int64_t fence;       /* of the lease; 0: there is no record */
    struct held held;    /* orders that the cursor has passed although they are not published yet */
};

/** @brief Makes a position of which nothing is known. */
void position_init(struct position *position);

/** @brief Copies like an assignment, but leaves the free places for held orders alone. */
void position_copy(struct position *position, const struct position *from);

/**
 * @brief Appends a record's value: {"cursor":ms or null,"start_from":ms,"fence":n,"saved_at":ms};
 * with customers that were read also "contacts":ms; with a history also "history":[history_ms, history_id or null], and with held orders
 * "held":[[id, modified_ms, failures, due_ms],...].
 */
void position_print(struct buffer *target, const struct position *position, int64_t now_ms);

/** @brief Reads a record's value. @returns 0, or -1 when it is not such a value */
int position_parse(struct text value, struct position *position);

/** @brief Takes the next record of the topic into account. A tombstone makes the position unknown;
 * a record with a smaller fence changes nothing. Pure. */
void position_merge(struct position *position, struct text value);

/* The positions of all stores, as they were last read from the topic. Shared by all threads. */
struct positions {
    const struct config *config;
    const struct topics *topics;
    pthread_mutex_t lock;
    int64_t read_ms;      /* monotonic: when the last reading began; 0: never */
    struct position *all; /* one for each store, in the order of config->stores */
};

/** @brief config and topics are kept. */
void positions_init(struct positions *positions, const struct config *config,
                    const struct topics *topics);
void positions_clear(struct positions *positions);

/**
 * @brief The position of a store. The topic is read again unless it was read after since_ms. One
 * reading serves all stores.
 * @param since_ms  monotonic: when the store's lease was taken
 * @param position  out; its fence is 0 where the store was never polled
 * @returns 0, or -1 with a temporary error
 */
int positions_read(struct positions *positions, int store_index, int64_t since_ms,
                   struct position *position, struct error *err);

#endif
