/* groups.h - the names of a store's customer groups. A customer tells only the id of its group, and
 * the tag of the group has its name. The list is read when a customer needs it, and again after a
 * while, or when a customer has a group that is not in it. */
#ifndef POLLER_GROUPS_H
#define POLLER_GROUPS_H

#include <stdint.h>

#include "bigcommerce/ask.h"

struct group {
    int64_t id;
    char *name;
};

/* Embedded, zero-initialised. Release with groups_clear(). */
struct groups {
    struct group *list;
    int count, capacity;
    int was_read;
    int64_t read_ms; /* monotonic: when it was read */
};

void groups_clear(struct groups *groups);

/**
 * @brief Makes sure that the group of that id can be looked up: reads the list where it is old, or
 * where it does not have the id and was read before a customer was seen with it. A group that is new
 * since then is found; one that the store deleted is not, and costs one reading for each page of
 * customers.
 * @param seen_ms  monotonic: when the customers were asked for
 * @param asker  the body of its answer before is gone, where the list is read
 * @returns OUTCOME_OK; CLOSED or TROUBLE: the list cannot be read, err says why; LOST, STOPPED
 */
enum outcome groups_prepare(struct groups *groups, struct asker *asker, int64_t id, int64_t seen_ms,
                            struct error *err);

/** @brief The group's name, or NULL where the store has no such group. Borrowed until the next
 * groups_prepare(). */
const char *groups_name(const struct groups *groups, int64_t id);

#endif
