/* share.h - how many workers a store may have in hand at once, and how many of its records may wait
 * for one. A store may go on taking workers while it has fewer than three times as many as are free:
 * alone it gets three quarters of them, and some are left for the others at any time, however many
 * stores are busy. The lanes behind that of the orders together get a quarter of the workers at
 * most, so that no bulk fills them.
 * Pure: the pool's lock protects it.
 *
 * Source: dynamic queue length thresholds (Choudhury, Hahne 1998). */
#ifndef PUSHER_SHARE_H
#define PUSHER_SHARE_H

#include "record/topic.h"

/* Embedded; released by share_clear(). Stores have the numbers 0 to store_count; the last one stands
 * for all that are not known. */
struct share {
    int workers;
    int is_single; /* there is one store, and nothing to be shared */
    int busy;
    int bulk_busy;               /* of them, with a record of a lane behind that of the orders */
    int lanes[TOPIC_LANE_COUNT]; /* records of the lane in hand: waiting, set aside or in work */
    int bulk_waiting;            /* of those lanes, how many wait for any worker */
    int *in_hand;
    int *waiting;
};

void share_init(struct share *share, int workers, int store_count);
void share_clear(struct share *share);

/** @brief Whether the store may have one more worker for a record of the lane. */
int share_allows(const struct share *share, int store, enum topic_lane lane);

/** @brief Counts a worker that the store gets, or gives back. */
void share_take(struct share *share, int store, enum topic_lane lane);
void share_give(struct share *share, int store, enum topic_lane lane);

/** @brief Whether no further record of the lane may be taken in hand, also where a worker is idle: those
 * that a worker sets aside stay in hand. Never for the lane of the orders. */
int share_is_full(const struct share *share, enum topic_lane lane);

/** @brief Whether one more record may wait, where so many records wait in all. */
int share_has_room(const struct share *share, int store, enum topic_lane lane, int waiting_count);

/** @brief Counts records that wait: 1 or -1. */
void share_wait(struct share *share, int store, enum topic_lane lane, int by);

/** @brief Counts records in hand: 1 or -1. */
void share_hold(struct share *share, enum topic_lane lane, int by);

/** @brief Whether the topic of a lane is to be read. Between the two limits it stays as it is.
 * is_read: whether it is read now */
int share_reads(const struct share *share, enum topic_lane lane, int is_read);

#endif
