/* The headers of a vendor's answer: quota, waiting times, dates. */
#include "fuzz.h"

#include <string.h>

#include "base/date.h"
#include "bigcommerce/bigcommerce.h"

const struct fuzz_target fuzz_target = {"headers", 0};

static void read_pause(const struct http_answer *answer, int throttled)
{
    struct bigcommerce_quota quota;
    int64_t pause_ms;

    bigcommerce_read_quota(answer, &quota);
    fuzz_check(quota.left >= -1 && quota.quota >= -1 && quota.reset_ms >= -1 &&
               quota.retry_after_ms >= -1);
    pause_ms = bigcommerce_quota_pause_ms(&quota, throttled, 0.999);
    fuzz_check(pause_ms >= 0 && pause_ms <= 600000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_answer answer = {.status = size % 2 == 0 ? 200 : 429};
    struct bigcommerce_clock clock = {0};
    struct text date;
    int64_t date_ms;

    answer.headers = (struct buffer){.data = (char *)(uintptr_t)data, .length = size};
    read_pause(&answer, (int)(size % 50));
    date = http_answer_header(&answer, "Date");
    if (date_parse_rfc2822(date, &date_ms) == 0) {
        bigcommerce_clock_learn(&clock, answer.status, date_ms - 1000);
        (void)bigcommerce_clock_lead_ms(&clock);
    }
    (void)bigcommerce_classify(200, (struct text){(const char *)data, size}, BIGCOMMERCE_LIST);
    return 0;
}
