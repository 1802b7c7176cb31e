#include "pace.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"

enum {
    SCARCE_PAGE_MS = 60000, /* a page is read this often even if the store's quota is scarce */
    PUT_OFF_BASE_MS = 2000,
    PUT_OFF_CAP_MS = 300000,
    SHRINK_BY = 4,
    GIVE_UP_AFTER = 4, /* failures at one that is asked for alone */
};

void pace_init(struct pace *pace, const char *what, int limit_max)
{
    *pace = (struct pace){.what = what, .limit_max = limit_max, .limit = limit_max};
}

int pace_may_go_on(const struct pace *pace, const struct bigcommerce *client, int64_t until_ms,
                   int pages)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < pace->due_ms || (pages > 0 && now_ms >= until_ms))
        return 0;
    return !bigcommerce_is_scarce(client) || now_ms - pace->paged_ms >= SCARCE_PAGE_MS;
}

enum pace_step pace_narrow(struct pace *pace, enum bigcommerce_answer answer)
{
    if (answer != BIGCOMMERCE_TROUBLE && answer != BIGCOMMERCE_TOO_LARGE)
        return PACE_WAIT;
    if (pace->limit > 1) {
        pace->limit = pace->limit < SHRINK_BY ? 1 : pace->limit / SHRINK_BY;
        pace->failures = 0; /* the store may be well but for one of them: the wait is short */
        return answer == BIGCOMMERCE_TOO_LARGE ? PACE_AT_ONCE : PACE_WAIT;
    }
    if (answer == BIGCOMMERCE_TOO_LARGE || ++pace->alone >= GIVE_UP_AFTER)
        return PACE_STEP_OVER;
    return PACE_WAIT;
}

int pace_put_off(struct pace *pace, const char *store, int is_refused, const struct error *err)
{
    const struct retry_policy policy = {0, PUT_OFF_BASE_MS, PUT_OFF_CAP_MS};
    int begins = is_refused && !pace->is_refused;

    if (!is_refused && !pace->is_told)
        log_warn("%s wait store=%s error=\"%s\"", pace->what, store, err->text);
    pace->is_told = 1;
    pace->is_refused |= is_refused;
    pace->due_ms =
        clock_monotonic_ms() + retry_delay_ms(&policy, ++pace->failures, retry_chance(), -1);
    return begins;
}

void pace_succeed(struct pace *pace, const char *store)
{
    if (pace->is_told)
        log_info("%s are read again store=%s", pace->what, store);
    pace->failures = pace->alone = pace->is_told = pace->is_refused = 0;
    pace->limit =
        pace->limit < pace->limit_max / SHRINK_BY ? pace->limit * SHRINK_BY : pace->limit_max;
}
