/* quota.h - how many calls the two sides allow. Pure: the time is an argument (monotonic ms). */
#ifndef SANDBOX_QUOTA_H
#define SANDBOX_QUOTA_H

#include <stddef.h>
#include <stdint.h>

/* 0 is no limit. */
struct quota_limits {
    int per_s;
    int per_min;
    int per_day;
};

/* Moments of the calls of the last span_ms, in a ring. */
struct quota_window {
    int64_t *moments;
    size_t head;
    size_t count;
    size_t capacity;
};

/* Zero-initialised. */
struct quota {
    struct quota_window second;
    struct quota_window minute;
    struct quota_window day;
    int64_t accepted;
    int64_t refused;
};

enum quota_answer { QUOTA_OK = 0, QUOTA_SPIKE, QUOTA_MINUTE, QUOTA_DAY };

/** @brief Counts one call, or refuses it (then it is not counted against the windows). */
enum quota_answer quota_take(struct quota *quota, const struct quota_limits *limits,
                             int64_t now_ms);
void quota_clear(struct quota *quota);

/* BigCommerce: a fixed window that starts with its first call. */
struct quota_fixed {
    int64_t started_ms;
    int used;
};

#define QUOTA_FIXED_MS 30000

/**
 * @brief Counts one call of a store.
 * @param limit     calls a window, 0 is no limit
 * @param left      receives how many remain
 * @param reset_ms  receives when the window ends, from now
 * @returns 0, or -1 when the call is refused
 */
int quota_fixed_take(struct quota_fixed *quota, int limit, int64_t now_ms, int *left,
                     int64_t *reset_ms);

#endif
