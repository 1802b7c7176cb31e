#include "limits.h"

#include <stdlib.h>

#include "base/mem.h"

#define DAY_MS ((int64_t)86400000)

static void forget_older(struct limits_window *window, int64_t limit_ms)
{
    while (window->count > 0 && window->moments[window->head] <= limit_ms) {
        window->head = (window->head + 1) % window->capacity;
        window->count--;
    }
}

static void note(struct limits_window *window, int64_t now_ms)
{
    if (window->count == window->capacity) {
        size_t capacity = window->capacity == 0 ? 64 : window->capacity * 2;
        int64_t *moments = mem_alloc(capacity * sizeof *moments);
        for (size_t i = 0; i < window->count; i++)
            moments[i] = window->moments[(window->head + i) % window->capacity];
        free(window->moments);
        window->moments = moments;
        window->capacity = capacity;
        window->head = 0;
    }
    window->moments[(window->head + window->count++) % window->capacity] = now_ms;
}

static int full(const struct limits_window *window, int limit)
{
    return limit > 0 && window->count >= (size_t)limit;
}

enum limits_answer limits_take(struct limits_used *quota, const struct limits *limits,
                               int64_t now_ms)
{
    enum limits_answer answer = LIMITS_OK;

    forget_older(&quota->second, now_ms - 1000);
    forget_older(&quota->minute, now_ms - 60000);
    forget_older(&quota->day, now_ms - DAY_MS);
    if (full(&quota->second, limits->per_s))
        answer = LIMITS_SPIKE;
    else if (full(&quota->minute, limits->per_min))
        answer = LIMITS_MINUTE;
    else if (full(&quota->day, limits->per_day))
        answer = LIMITS_DAY;
    if (answer != LIMITS_OK) {
        quota->refused++;
        return answer;
    }
    quota->accepted++;
    if (limits->per_s > 0)
        note(&quota->second, now_ms);
    if (limits->per_min > 0)
        note(&quota->minute, now_ms);
    if (limits->per_day > 0)
        note(&quota->day, now_ms);
    return LIMITS_OK;
}

void limits_clear(struct limits_used *quota)
{
    free(quota->second.moments);
    free(quota->minute.moments);
    free(quota->day.moments);
    *quota = (struct limits_used){0};
}

int limits_fixed_take(struct limits_fixed *quota, int limit, int64_t now_ms, int *left,
                      int64_t *reset_ms)
{
    if (quota->used == 0 || now_ms - quota->started_ms >= LIMITS_FIXED_MS) {
        quota->started_ms = now_ms;
        quota->used = 0;
    }
    *reset_ms = quota->started_ms + LIMITS_FIXED_MS - now_ms;
    if (limit > 0 && quota->used >= limit) {
        *left = 0;
        return -1;
    }
    quota->used++;
    *left = limit > 0 ? limit - quota->used : 1000000;
    return 0;
}
