/* share.h - how many workers a store may have in hand at once, and how many of its records may wait
 * for one. A store may go on taking workers while it has fewer than three times as many as are free:
 * alone it gets three quarters of them, and some are left for the others at any time, however many
 * stores are busy. Pure: the pool's lock protects it.
 *
 * Source: dynamic queue length thresholds (Choudhury, Hahne 1998). */
#ifndef PUSHER_SHARE_H
#define PUSHER_SHARE_H

/* Embedded; released by share_clear(). Stores have the numbers 0 to store_count; the last one stands
 * for all that are not known. */
struct share {
    int workers;
    int is_single; /* there is one store, and nothing to be shared */
    int busy;
    int *in_hand;
    int *waiting;
};

void share_init(struct share *share, int workers, int store_count);
void share_clear(struct share *share);

/** @brief Whether the store may have one more worker. */
int share_allows(const struct share *share, int store);

/** @brief Counts a worker that the store gets, or gives back. */
void share_take(struct share *share, int store);
void share_give(struct share *share, int store);

/** @brief Whether one more record of the store may wait, where so many records wait in all. */
int share_has_room(const struct share *share, int store, int waiting_count);

/** @brief Counts records of the store that wait: 1 or -1. */
void share_wait(struct share *share, int store, int by);

#endif
