/* group_members.h - how many processes read as members of a consumer group. */
#ifndef COMMON_GROUP_MEMBERS_H
#define COMMON_GROUP_MEMBERS_H

#include "base/error.h"
#include "settings/config.h"

struct group_members {
    const char *group; /* its name; the caller sets it. Borrowed */
    int count;         /* out: -1: the broker does not tell */
    char state[32];    /* out: "Stable", "Empty", "PreparingRebalance", ...; "" where not told */
};

/**
 * @brief Asks for the members of groups. A group that never was has none.
 * @returns 0; -1 with a temporary error when no broker answers. A broker that does not know the
 * question (an in-memory one) is no error
 */
int group_members_read(const struct config *config, struct group_members *groups, int count,
                       struct error *err);

#endif
