/* quota.h - the governor: it limits the calls that all pushers together make with one credential.
 * It counts calls in rolling windows of a second, a minute and a day, in Redis, and corrects the
 * limits by what the account's x-keap-* headers say.
 *
 * The account may count a call at any moment between its start and its answer. So a call is counted
 * from the moment it is allowed until a second (for the limit of a second) or a minute (for that of
 * a minute) after its answer. We therefore never count less than the account, and it has no reason
 * for a 429, however late a call arrives there.
 *
 * There is one struct quota for each account and process. It is thread-safe: of one process, one
 * thread asks at a time; stores take turns (turns.h). */
#ifndef COMMON_QUOTA_H
#define COMMON_QUOTA_H

#include <stdint.h>

#include "base/error.h"
#include "record/topic.h"
#include "settings/redis_url.h"

struct quota;

struct quota_settings {
    const struct redis_server *server; /* keeps */
    const char *prefix;                /* the keys are <prefix>:quota:<name>:...; keeps */
    const char *name;                  /* name of the account; keeps */
    int64_t per_s;                     /* limits; 0: none */
    int64_t per_min;
    int64_t per_day;
    int64_t call_ms;    /* the longest time that a call may take */
    int64_t timeout_ms; /* timeout of Redis */
};

/** @brief New. It does not connect yet. NULL when there is no limit at all. Free with
 * quota_free(). */
struct quota *quota_new(const struct quota_settings *settings);
void quota_free(struct quota *quota);

enum quota_answer {
    QUOTA_GO = 0,
    QUOTA_DAY_USED_UP, /* the day's quota is used up; wait_ms says for how long */
    QUOTA_LANE_USED_UP, /* what the lane may use of the day's quota is used up; the lanes before it go
                           on */
    QUOTA_PAUSED,       /* the account asked for a pause that is too long to wait for here;
                          wait_ms says how long */
    QUOTA_STOPPED,      /* the process is stopping */
};

/**
 * @brief Waits until one call may be made. It also waits while Redis cannot be reached, because
 * then nothing is delivered anyway. Lanes go in the order of their list: a lane leaves a tenth of each
 * limit to each lane before it, and where a call of a lane before it waits, in whichever process, it
 * waits too.
 * @param since_ms  when the work began that the call is part of: of a flow, work that began first
 *                  goes first
 * @param flow      the store that the work is for, as a number; flows take turns
 * @param id        out, GO: identifies the call for quota_done()
 * @param wait_ms   out, DAY_USED_UP, LANE_USED_UP and PAUSED
 */
enum quota_answer quota_wait(struct quota *quota, enum topic_lane lane, int64_t since_ms,
                             uint32_t flow, int64_t *id, int64_t *wait_ms);

/** @brief Says that a call which was allowed is not made. The next caller of this process may use
 * it instead, for a while. */
void quota_give_back(struct quota *quota, int64_t id);

/* What the headers of an answer say about the quota; -1: nothing. */
struct quota_news {
    int64_t minute_limit;
    int64_t minute_available;
    int64_t day_limit;
    int64_t day_available;
    int64_t pause_ms; /* after a 429: for how long nobody may call; else 0 */
};

/** @brief Says that the call has ended, with or without an answer. Once a day it logs a warning
 * when the day's quota will soon be used up. */
void quota_done(struct quota *quota, int64_t id, const struct quota_news *news);

/** @brief To be called now and then: after midnight (UTC), /metrics shows the whole quota of the new
 * day, also while no call is made. quota: or NULL. now_ms: ms since 1970 */
void quota_mind_day(struct quota *quota, int64_t now_ms);

#endif
