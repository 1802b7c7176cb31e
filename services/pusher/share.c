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

int share_allows(const struct share *share, int store)
{
    return share->is_single || share->in_hand[store] < TIMES_FREE * (share->workers - share->busy);
}

void share_take(struct share *share, int store)
{
    share->busy++;
    share->in_hand[store]++;
}

void share_give(struct share *share, int store)
{
    share->busy--;
    share->in_hand[store]--;
}

int share_has_room(const struct share *share, int store, int waiting_count)
{
    return share->is_single ? waiting_count < WAITING_PER_WORKER * share->workers
                            : share->waiting[store] < WAITING_PER_WORKER_AND_STORE * share->workers;
}

void share_wait(struct share *share, int store, int by) { share->waiting[store] += by; }
