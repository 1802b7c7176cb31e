/* lease.h - decides which poller polls which store. Each store has one lease in Redis, which runs
 * out by Redis' clock. Several pollers share the stores evenly: no poller takes more than
 * ceil(stores / living pollers) leases, and one that has more gives one back after its round.
 * `bigfusion backfill` has leases of its own, in the role "backfill" instead of "poller", so that a
 * store has one backfill at a time.
 *
 * Keys in Redis:
 *     <prefix>:poller:<hash>:lease   hash: owner, fence, until
 *     <prefix>:poller:<hash>:state   hash: a copy of the cursor, and how the last round went
 *     <prefix>:pollers               sorted set: the living pollers
 *
 * Each grant of a lease has a fence, a number greater than those of all earlier grants. It is made
 * from Redis' clock. When Redis was emptied, or its clock set back, that may be too small: then the
 * fence is raised above the one that was saved together with the cursor. */
#ifndef COMMON_LEASE_H
#define COMMON_LEASE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"
#include "net/redis.h"

/* What all leases of one process share. */
struct lease_group {
    const char *prefix; /* topic_prefix */
    const char *role;   /* "poller", "backfill" */
    int64_t ttl_ms;
    int store_count;
    char owner[33];  /* the name of this process in Redis, random */
    atomic_int held; /* how many leases this process holds */
};

/* One store's lease. Belongs to one thread. */
struct lease {
    struct lease_group *group;
    struct redis *redis; /* borrowed */
    char *lease_key;
    char *state_key;
    char *pollers_key;
    int64_t fence;      /* 0: the lease is not held */
    int64_t renewed_ms; /* monotonic: when the last successful renewal was sent */
    int crowded;        /* this process has more than its share: give the lease back */
};

/** @brief prefix and role are kept. */
void lease_group_init(struct lease_group *group, const char *prefix, const char *role,
                      int64_t ttl_ms, int store_count);

/** @brief group and redis are kept. Release with lease_clear(), which does not give the lease back.
 */
void lease_init(struct lease *lease, struct lease_group *group, struct redis *redis,
                const char *hash);
void lease_clear(struct lease *lease);

/**
 * @brief Tries to take the lease.
 * @param wait_ms  out: how long to wait before trying again; 0 when the lease was taken
 * @returns 0 (also when another has it), or -1 with a temporary error
 */
int lease_acquire(struct lease *lease, int64_t *wait_ms, struct error *err);

/** @brief Whether the lease is held, as far as this can be told without asking Redis. */
int lease_held(const struct lease *lease);

/** @brief Renews the lease if a third of its time is over. @returns 1 when it is held, 0 when it is
 * lost, -1 with a temporary error */
int lease_keep(struct lease *lease, struct error *err);

/** @brief Renews the lease now. @returns as lease_keep() */
int lease_renew(struct lease *lease, struct error *err);

/**
 * @brief Renews the lease with a new fence that is greater than a saved one, whatever Redis' clock
 * says.
 * @param floor  the saved fence
 * @returns as lease_keep()
 */
int lease_raise(struct lease *lease, int64_t floor, struct error *err);

/* How a store is doing. It is written for people who look at it in Redis. */
struct lease_state {
    int64_t cursor_ms;
    int64_t start_from_ms;
    int64_t polled_at_ms;    /* wall clock: end of the last complete round */
    int64_t next_poll_at_ms; /* wall clock */
    int64_t quota_left;      /* requests that the store still allowed; -1: not known */
    const char *trouble;     /* one line for people; "" after a complete round */
};

/** @brief Renews the lease and writes the state, in one step, so that a poller that lost its lease
 * writes nothing. @returns as lease_keep() */
int lease_tell(struct lease *lease, const struct lease_state *state, struct error *err);

/** @brief Gives the lease back. Errors are ignored, because the lease runs out by itself. */
void lease_release(struct lease *lease);

/** @brief Takes this process off the list of living pollers, when it ends. */
void lease_leave(struct lease *lease);

#endif
