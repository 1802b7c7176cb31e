#include "store_limit.h"

#include <stdio.h>

enum { SILENT_MS = 3000, THROTTLED_MS = 15000, WAIT_MAX_MS = 60000 };

static int allowed_per_s(const struct store_limit *limit, int64_t now_ms)
{
    if (limit->quota <= 0 || now_ms >= limit->window_ends_ms)
        return STORE_LIMIT_PER_S_UNTOLD;
    if (limit->left * 2 >= limit->quota)
        return STORE_LIMIT_PER_S;
    return limit->left * 4 >= limit->quota ? STORE_LIMIT_PER_S_LOW : 0;
}

enum store_turn store_limit_begin(struct store_limit *limit, int64_t now_ms)
{
    int allowed = allowed_per_s(limit, now_ms);

    if (now_ms < limit->again_ms)
        return STORE_TURN_REFUSED;
    if (allowed == 0) {
        snprintf(limit->error, sizeof(limit->error),
                 "little is left of its quota, which the polls need");
        return STORE_TURN_REFUSED;
    }
    if (limit->second != now_ms / 1000) {
        limit->second = now_ms / 1000;
        limit->asked = 0;
    }
    if (limit->asked >= allowed || limit->under_way >= STORE_LIMIT_AT_ONCE)
        return STORE_TURN_WAIT;
    limit->asked++;
    limit->under_way++;
    return STORE_TURN_GO;
}

/* How long the store is left alone after that answer. */
static int64_t pause_ms(const struct bigcommerce_quota *told)
{
    int64_t wait_ms = told->reset_ms > told->retry_after_ms ? told->reset_ms : told->retry_after_ms;

    if (told->status == 429) {
        if (wait_ms < 0)
            wait_ms = THROTTLED_MS;
        return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
    }
    if (told->status == 0 || told->status >= 500 || told->status == 401 || told->status == 403)
        return SILENT_MS;
    return 0;
}

void store_limit_end(struct store_limit *limit, const struct bigcommerce_quota *told,
                     const char *error, int64_t now_ms)
{
    int64_t again_ms = now_ms + pause_ms(told);

    limit->under_way--;
    if (told->quota > 0 && told->left >= 0 && told->reset_ms >= 0) {
        limit->quota = told->quota;
        limit->left = told->left;
        limit->window_ends_ms =
            now_ms + (told->reset_ms < WAIT_MAX_MS ? told->reset_ms : WAIT_MAX_MS);
    }
    if (again_ms > now_ms && again_ms > limit->again_ms) {
        limit->again_ms = again_ms;
        snprintf(limit->error, sizeof(limit->error), "%s", error);
    }
}
