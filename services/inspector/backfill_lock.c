#include "backfill_lock.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/stop.h"

enum { REDIS_TIMEOUT_MS = 5000, LOOK_MS = 500 };

int backfill_lock(struct backfill_lock *lock, const struct config *config,
                  const struct config_store *store, struct error *err)
{
    int64_t ttl_ms = config->poller.lease_s * 1000;
    int64_t until_ms = clock_monotonic_ms() + ttl_ms, wait_ms;
    int is_told = 0;

    lock->redis = redis_new(&config->redis.server, REDIS_TIMEOUT_MS);
    lease_group_init(&lock->group, config->kafka.topic_prefix, "backfill", ttl_ms, 1);
    lease_init(&lock->lease, &lock->group, lock->redis, store->hash);
    for (;;) {
        if (lease_acquire(&lock->lease, &wait_ms, err) != 0)
            return -1;
        if (lock->lease.fence != 0)
            return 0;
        if (clock_monotonic_ms() > until_ms)
            return error_set(err, ERROR_TEMPORARY, "another backfill of store %.40s is running",
                             store->code);
        if (!is_told++)
            fprintf(stderr,
                    "bigfusion: another backfill of %s is running, or was killed less than %" PRId64
                    " s ago: waiting for it so long\n",
                    store->code, config->poller.lease_s);
        if (stop_wait_ms(wait_ms < LOOK_MS ? wait_ms : LOOK_MS))
            return error_set(err, ERROR_TEMPORARY, "stopped while another backfill was running");
    }
}

void backfill_unlock(struct backfill_lock *lock)
{
    if (lock->redis == NULL)
        return;
    lease_release(&lock->lease);
    lease_leave(&lock->lease);
    lease_clear(&lock->lease);
    redis_free(lock->redis);
    lock->redis = NULL;
}
