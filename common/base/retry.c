#include "base/retry.h"

#include <stdlib.h>
#include <sys/random.h>

int64_t retry_delay_ms(const struct retry_policy *policy, int attempt, double chance,
                       int64_t retry_after_ms)
{
    int64_t limit_ms = policy->base_ms;

    if (policy->max_attempts > 0 && attempt >= policy->max_attempts)
        return -1;
    for (int i = 1; i < attempt && limit_ms < policy->cap_ms; i++)
        limit_ms = limit_ms > policy->cap_ms / 2 ? policy->cap_ms : limit_ms * 2;
    if (limit_ms > policy->cap_ms)
        limit_ms = policy->cap_ms;
    if (retry_after_ms >= 0)
        return retry_after_ms + (int64_t)(chance * (double)policy->base_ms);
    return (int64_t)(chance * (double)limit_ms);
}

int retry_delay_index(int failures) { return failures <= 3 ? 0 : failures <= 6 ? 1 : 2; }

double retry_chance(void)
{
    uint32_t draw = 0;

    if (getrandom(&draw, sizeof(draw), 0) != (ssize_t)sizeof(draw))
        return 0.5;
    return (double)draw / 4294967296.0;
}

/* In a topic that is no retry topic nothing says how long a sensible wait is. A header that asks
 * for more than this is taken for damaged. */
enum { DUE_LONGEST_MS = 2 * 3600 * 1000 };

int64_t retry_due_in_ms(const struct retry_due *due)
{
    int64_t due_ms = due->not_before_ms;
    int64_t longest_ms = due->delay_ms >= 0 ? due->delay_ms : DUE_LONGEST_MS;
    int64_t left_ms;

    if (due->delay_ms >= 0 && due->produced_ms >= 0)
        due_ms = due->produced_ms + due->delay_ms;
    left_ms = due_ms - due->now_ms;
    if (left_ms <= 0)
        return 0;
    if (left_ms > longest_ms)
        left_ms = longest_ms;
    /* One ms more than the difference. The wait is measured with another clock, and both clocks are
     * cut to whole ms, so without it the record might be handed over too early. */
    return left_ms + 1;
}
