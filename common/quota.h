/* quota.h - one governor per credential, shared by all pushers: rolling windows in Redis (second,
 * minute, day), corrected by what the account's x-keap-* headers say is left. Nothing is asked when
 * no ceiling is set. A handle is one connection and belongs to one thread. */
#ifndef COMMON_QUOTA_H
#define COMMON_QUOTA_H

#include <stdint.h>

#include "error.h"

struct quota;

struct quota_settings {
    const char *url;    /* of Redis, as in ledger.h; keeps */
    const char *prefix; /* keys are <prefix>:quota:<name>:...; keeps */
    const char *name;   /* of the credential; keeps */
    int64_t per_s;      /* ceilings; 0: none */
    int64_t per_min;
    int64_t per_day;
    int64_t timeout_ms;
};

/** @brief New; does not connect yet. NULL when there is no ceiling at all. Free with quota_free().
 */
struct quota *quota_new(const struct quota_settings *settings);
void quota_free(struct quota *quota);

/**
 * @brief Asks for one call.
 * @param wait_ms  out: 0: take it, it is counted; else nothing was counted, ask again after that
 * long
 * @returns 0, or -1 with a temporary error when Redis did not answer
 */
int quota_take(struct quota *quota, int64_t *wait_ms, struct error *err);

/** @brief What the headers of an answer say; -1: nothing was said. Kept only when it is less than
 * we think. */
struct quota_left {
    int64_t minute_available;
    int64_t day_available;
};
int quota_correct(struct quota *quota, const struct quota_left *left, struct error *err);

#endif
