#include "history/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, LONGEST_DAYS = 36500 };

static int64_t seconds_of(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return MINUTE_S;
    case 'h':
        return HOUR_S;
    case 'd':
        return DAY_S;
    default:
        return 0;
    }
}

int64_t duration_parse(const char *text)
{
    struct text number = text_of(text);
    int64_t value, unit_s;

    if (number.length < 2 || text[0] < '0' || text[0] > '9')
        return -1;
    unit_s = seconds_of(text[--number.length]);
    if (unit_s == 0 || text_to_int(number, &value) != 0)
        return -1;
    if (value > (int64_t)LONGEST_DAYS * DAY_S / unit_s)
        return -1;
    return value * unit_s * 1000;
}

int64_t since_parse(const char *text, int64_t now_ms)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"};
    int64_t duration_ms = duration_parse(text), at_ms = -1;

    if (duration_ms >= 0)
        return now_ms > duration_ms ? now_ms - duration_ms : 0;
    for (size_t i = 0; at_ms < 0 && i < sizeof(formats) / sizeof(*formats); i++) {
        struct tm parts = {0};
        const char *end = strptime(text, formats[i], &parts);

        /* strptime() takes blanks and short numbers as well; these forms have one length each */
        if (end != NULL && *end == '\0' && text_of(text).length == (i == 0 ? 10 : i == 1 ? 17 : 20))
            at_ms = (int64_t)timegm(&parts) * 1000;
    }
    return at_ms;
}

const char *duration_print(int64_t duration_ms, char text[DURATION_TEXT_BYTES])
{
    static const struct {
        int64_t great_s, small_s;
        const char *great, *small;
    } scales[] = {
        {DAY_S, HOUR_S, "d", "h"}, {HOUR_S, MINUTE_S, "h", "min"}, {MINUTE_S, 1, "min", "s"}};
    int64_t duration_s = duration_ms > 0 ? duration_ms / 1000 : 0;

    for (size_t i = 0; i < sizeof(scales) / sizeof(*scales); i++)
        if (duration_s >= scales[i].great_s) {
            snprintf(text, DURATION_TEXT_BYTES, "%" PRId64 " %s %" PRId64 " %s",
                     duration_s / scales[i].great_s, scales[i].great,
                     duration_s % scales[i].great_s / scales[i].small_s, scales[i].small);
            return text;
        }
    snprintf(text, DURATION_TEXT_BYTES, "%" PRId64 " s", duration_s);
    return text;
}
