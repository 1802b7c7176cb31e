/* bigcommerce_quota.c - what the headers of an answer say about the store's quota, and how long to
 * leave the store alone. */
#include "bigcommerce/bigcommerce.h"

#include "base/retry.h"
#include "base/text.h"

enum {
    THROTTLED_FIRST_MS = 30000,
    PAUSE_MAX_MS = 600000,
    JITTER_MS = 1000,
};

int64_t bigcommerce_quota_pause_ms(const struct bigcommerce_quota *quota, int throttled,
                                   double chance)
{
    const struct retry_policy policy = {0, THROTTLED_FIRST_MS / 2, PAUSE_MAX_MS / 2};
    int64_t pause_ms = 0;

    if (quota->status == 429) {
        if (quota->reset_ms >= 0)
            pause_ms = quota->reset_ms + (int64_t)(chance * JITTER_MS);
        else if (quota->retry_after_ms >= 0)
            pause_ms = quota->retry_after_ms + (int64_t)(chance * JITTER_MS);
        else /* at least 15 s, and up to 15 s more by chance; both twice as long each time */
            pause_ms = retry_delay_ms(&policy, throttled, 1, -1) +
                       retry_delay_ms(&policy, throttled, chance, -1);
    } else if (quota->left >= 0 && quota->reset_ms > 0 && quota->left * 10 < quota->quota) {
        pause_ms = quota->reset_ms / (quota->left > 0 ? quota->left : 1);
    }
    return pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
}

int bigcommerce_quota_is_scarce(const struct bigcommerce_quota *quota)
{
    return quota->status == 429 || (quota->left >= 0 && quota->left * 4 < quota->quota);
}

/* A header's value as a whole number from 0 to INT32_MAX, or -1. */
static int64_t header_int(const struct http_answer *answer, const char *name)
{
    int64_t value;

    if (text_to_int(http_answer_header(answer, name), &value) != 0 || value < 0 ||
        value > INT32_MAX)
        return -1;
    return value;
}

void bigcommerce_read_quota(const struct http_answer *answer, struct bigcommerce_quota *quota)
{
    *quota = (struct bigcommerce_quota){
        .status = answer->status,
        .left = header_int(answer, "X-Rate-Limit-Requests-Left"),
        .quota = header_int(answer, "X-Rate-Limit-Requests-Quota"),
        .reset_ms = header_int(answer, "X-Rate-Limit-Time-Reset-Ms"),
        .retry_after_ms = header_int(answer, "X-Retry-After"),
    };

    if (quota->retry_after_ms < 0)
        quota->retry_after_ms = header_int(answer, "Retry-After");
    if (quota->retry_after_ms > 0)
        quota->retry_after_ms *= 1000;
}
