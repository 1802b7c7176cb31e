/* limits.h - how many calls the two APIs allow. Pure: the time is an argument (monotonic ms). */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* 0 is no limit. */
struct limits {
    int per_s;
    int per_min;
    int per_day;
};

/* The times of the calls of the last span_ms, in a ring. */
struct limits_window {
    int64_t *moments;
    size_t head;
    size_t count;
    size_t capacity;
};

/* Zero-initialised. */
struct limits_used {
    struct limits_window second;
    struct limits_window minute;
    struct limits_window day;
    int64_t accepted;
    int64_t refused;
};

enum limits_answer { LIMITS_OK = 0, LIMITS_SPIKE, LIMITS_MINUTE, LIMITS_DAY };

/** @brief Counts one call, or refuses it. A refused call is not counted. */
enum limits_answer limits_take(struct limits_used *quota, const struct limits *limits,
                               int64_t now_ms);
void limits_clear(struct limits_used *quota);

/* BigCommerce: a fixed window that begins with the first call in it. */
struct limits_fixed {
    int64_t started_ms;
    int used;
};

#define LIMITS_FIXED_MS 30000

/**
 * @brief Counts one call of a store.
 * @param limit     calls in a window, 0: no limit
 * @param left      receives how many remain
 * @param reset_ms  receives in how many ms the window ends
 * @returns 0, or -1 when the call is refused
 */
int limits_fixed_take(struct limits_fixed *quota, int limit, int64_t now_ms, int *left,
                      int64_t *reset_ms);

#endif
