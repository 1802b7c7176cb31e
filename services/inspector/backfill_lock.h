/* backfill_lock.h - sees to it that a store has one backfill at a time: a lease in Redis like that of
 * the pollers, under a name of its own. Whoever is killed loses it after `[poller] lease_s`. */
#ifndef INSPECTOR_BACKFILL_LOCK_H
#define INSPECTOR_BACKFILL_LOCK_H

#include "base/error.h"
#include "bigcommerce/lease.h"
#include "net/redis.h"
#include "settings/config.h"

/* Embedded, zero-initialised. */
struct backfill_lock {
    struct redis *redis; /* NULL: it was not asked for */
    struct lease_group group;
    struct lease lease;
};

/** @brief Takes the lease. Where another run has it, it waits as long as one that was killed would
 * keep it. config is kept. Release with backfill_unlock(), also after an error.
 * @returns 0, or -1 with a temporary error */
int backfill_lock(struct backfill_lock *lock, const struct config *config,
                  const struct config_store *store, struct error *err);
void backfill_unlock(struct backfill_lock *lock);

#endif
