/* lease.h - which poller polls which store: one lease for each store in Redis, on Redis' clock.
 * Several pollers share the stores evenly: none takes more than ceil(stores / living pollers), and
 * one that has more gives one back.
 *
 * Keys: `<prefix>:poller:<hash>:lease` (hash: owner, fence, until), `<prefix>:pollers` (sorted set:
 * who lives),
 * `<prefix>:poller:<hash>:state` (hash: a copy of the cursor and what the inspector shows).
 * A fence is greater than every earlier one, also over an emptied Redis or a clock that was set
 * back: it is made from Redis' clock, and raised above the one saved beside the cursor where that
 * is ahead. */
#ifndef POLLER_LEASE_H
#define POLLER_LEASE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"
#include "net/redis.h"

/* What the leases of one process have in common. */
struct lease_group {
    const char *prefix; /* topic_prefix */
    int64_t ttl_ms;
    int store_count;
    char owner[33]; /* by lease_group_init(): random */
    atomic_int held;
};

/* One store's lease. Belongs to one thread. */
struct lease {
    struct lease_group *group;
    struct redis *redis; /* borrowed */
    char *lease_key;
    char *state_key;
    char *pollers_key;
    int64_t fence;      /* 0: not held */
    int64_t renewed_ms; /* monotonic: when the last renewal was asked for */
    int crowded;        /* others have fewer: give it back after the round */
};

void lease_group_init(struct lease_group *group, const char *prefix, int64_t ttl_ms,
                      int store_count);

/** @brief group and redis are kept. Release with lease_clear(), which does not give the lease back.
 */
void lease_init(struct lease *lease, struct lease_group *group, struct redis *redis,
                const char *hash);
void lease_clear(struct lease *lease);

/**
 * @brief Tries to take the lease.
 * @param wait_ms      out: when it is worth trying again; 0 when taken
 * @returns 0 (also when another has it), or -1 with a temporary error
 */
int lease_acquire(struct lease *lease, int64_t *wait_ms, struct error *err);

/** @brief Whether the lease is held, as far as can be told without asking. */
int lease_held(const struct lease *lease);

/** @brief Renews when a third of the time is over. @returns 1 held, 0 lost, -1 with a temporary
 * error */
int lease_keep(struct lease *lease, struct error *err);

/** @brief Renews now. @returns as lease_keep() */
int lease_renew(struct lease *lease, struct error *err);

/**
 * @brief Renews and takes a fence greater than a saved one, whatever Redis' clock says.
 * @param floor  the saved fence
 * @returns as lease_keep()
 */
int lease_raise(struct lease *lease, int64_t floor, struct error *err);

/* What the inspector shows about a store. */
struct lease_state {
    int64_t cursor_ms;
    int64_t start_from_ms;
    int64_t polled_at_ms;    /* wall clock: end of the last complete round */
    int64_t next_poll_at_ms; /* wall clock */
    const char *trouble;     /* one line for people; "" when the last round was complete */
};

/** @brief Renews and writes the state, in one step: a poller that lost its lease writes nothing.
 * @returns as lease_keep() */
int lease_tell(struct lease *lease, const struct lease_state *state, struct error *err);

/** @brief Gives the lease back; errors do not matter, it runs out. */
void lease_release(struct lease *lease);

/** @brief At the end of the process: this poller does not count any more. */
void lease_leave(struct lease *lease);

#endif
