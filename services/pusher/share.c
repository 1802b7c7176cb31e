#include "share.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    TIMES_FREE = 3,
    /* Records that wait for any worker, so that a worker need not idle until the next offer. */
    WAITING_PER_WORKER = 2,
    /* With several stores each may have half of the pool's room, because the records of the others
     * are behind them. */
    WAITING_PER_WORKER_AND_STORE = 12,
    /* Records in hand for each lane behind that of the orders: its topic is paused at the first number,
     * and read again at half of it. Others of the lane, which come back from retry and waiting topics,
     * have room up to the second one; all lanes together leave a quarter of the pool's room. */
    READ_PER_WORKER = 3,
    HELD_PER_WORKER = 6,
    BULK_WORKERS = 4, /* one of so many */
};

void share_init(struct share *share, int workers, int store_count)
{
    size_t bytes = ((size_t)store_count + 1) * sizeof(int);

    *share = (struct share){.workers = workers, .is_single = store_count <= 1};
    share->in_hand = mem_alloc(bytes);
    share->waiting = mem_alloc(bytes);
}

void share_clear(struct share *share)
{
    free(share->in_hand);
    free(share->waiting);
}

static int is_bulk(enum topic_lane lane) { return lane != TOPIC_LANE_ORDERS; }

static int bulk_workers(const struct share *share)
{
    return share->workers > BULK_WORKERS ? share->workers / BULK_WORKERS : 1;
}

int share_allows(const struct share *share, int store, enum topic_lane lane)
{
    if (is_bulk(lane) && share->bulk_busy >= bulk_workers(share))
        return 0;
    return share->is_single || share->in_hand[store] < TIMES_FREE * (share->workers - share->busy);
}

void share_take(struct share *share, int store, enum topic_lane lane)
{
    share->busy++;
    share->bulk_busy += is_bulk(lane);
    share->in_hand[store]++;
}

void share_give(struct share *share, int store, enum topic_lane lane)
{
    share->busy--;
    share->bulk_busy -= is_bulk(lane);
    share->in_hand[store]--;
}

int share_is_full(const struct share *share, enum topic_lane lane)
{
    return is_bulk(lane) && share->lanes[lane] >= HELD_PER_WORKER * share->workers;
}

int share_has_room(const struct share *share, int store, enum topic_lane lane, int waiting_count)
{
    if (is_bulk(lane))
        return !share_is_full(share, lane);
    return share->is_single
               ? waiting_count - share->bulk_waiting < WAITING_PER_WORKER * share->workers
               : share->waiting[store] < WAITING_PER_WORKER_AND_STORE * share->workers;
}

void share_wait(struct share *share, int store, enum topic_lane lane, int by)
{
    if (is_bulk(lane))
        share->bulk_waiting += by;
    else
        share->waiting[store] += by;
}

void share_hold(struct share *share, enum topic_lane lane, int by) { share->lanes[lane] += by; }

int share_reads(const struct share *share, enum topic_lane lane, int is_read)
{
    int limit = READ_PER_WORKER * share->workers;

    return !is_bulk(lane) || share->lanes[lane] < (is_read ? limit : limit / 2 + 1);
}
