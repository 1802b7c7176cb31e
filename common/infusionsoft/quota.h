/* quota.h - one governor per credential, shared by all pushers: rolling windows in Redis (second,
 * minute, day), corrected by what the account's x-keap-* headers say. A call holds its place from
 * the moment it is let through until a second, a minute after its answer came, so the account never
 * counts more than we do and no 429 follows, however late calls arrive.
 * One struct quota per account and process; thread-safe: of a process one thread asks at a time,
 * the one whose work began first. */
#ifndef COMMON_QUOTA_H
#define COMMON_QUOTA_H

#include <stdint.h>

#include "base/error.h"
#include "settings/redis_url.h"

struct quota;

struct quota_settings {
    const struct redis_server *server; /* keeps */
    const char *prefix;                /* keys are <prefix>:quota:<name>:...; keeps */
    const char *name;                  /* of the account; keeps */
    int64_t per_s;                     /* ceilings; 0: none */
    int64_t per_min;
    int64_t per_day;
    int64_t call_ms;    /* no call takes longer */
    int64_t timeout_ms; /* of Redis */
};

/* Each lane leaves a part of minute and day to the ones above it. */
enum quota_lane {
    QUOTA_ORDERS = 0,
    QUOTA_CONTACTS,
    QUOTA_PRODUCTS,
    QUOTA_HISTORY,
};

/** @brief New; does not connect yet. NULL when there is no ceiling at all. Free with quota_free().
 */
struct quota *quota_new(const struct quota_settings *settings);
void quota_free(struct quota *quota);

enum quota_answer {
    QUOTA_GO = 0,
    QUOTA_DAY_USED_UP, /* wait_ms: how long */
    QUOTA_PAUSED,      /* the account asked for a pause that is too long to wait here; wait_ms */
    QUOTA_STOPPED,     /* the process stops */
};

/**
 * @brief Waits until one call may be made. Without Redis it waits too: nothing is delivered then.
 * @param since_ms  when the work began that the call is part of: what began first is finished first
 * @param id       out, GO: names the call for quota_done()
 * @param wait_ms  out, DAY_USED_UP and PAUSED
 */
enum quota_answer quota_wait(struct quota *quota, enum quota_lane lane, int64_t since_ms,
                             int64_t *id, int64_t *wait_ms);

/** @brief The call that was let through is not made after all: its place goes to the next one of
 * this process that waits, while it is fresh. */
void quota_give_back(struct quota *quota, int64_t id);

/* What an answer says; -1: nothing was said. */
struct quota_news {
    int64_t minute_limit;
    int64_t minute_available;
    int64_t day_limit;
    int64_t day_available;
    int64_t pause_ms; /* after a 429: nobody calls for so long; else 0 */
};

/** @brief The call ended: its answer came, or none will. Announces (a warning, once a day) that the
 * day's quota will be used up. */
void quota_done(struct quota *quota, int64_t id, const struct quota_news *news);

#endif
