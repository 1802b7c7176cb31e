#include "infusionsoft/measure.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/date.h"
#include "net/metric.h"

enum { HALF_SECOND_MS = 500 };

const char *measure_object(const char *path)
{
    static const struct {
        const char *prefix;
        const char *object;
    } objects[] = {
        {"/contacts", "contacts"},        {"/products", "products"}, {"/orders", "orders"},
        {"/automations/goals", "goals"},  {"/tags", "tags"},         {"/oauth", "user"},
        {"/businessProfile", "business"},
    };

    if (strncmp(path, "/orders/", 8) == 0 && strstr(path, "/payments") != NULL)
        return "payments";
    for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
        if (strncmp(path, objects[i].prefix, strlen(objects[i].prefix)) == 0)
            return objects[i].object;
    return "other";
}

const char *measure_status(int status)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

    if (status == 429)
        return "429";
    return status >= 100 && status < 600 ? classes[status / 100] : "none";
}

static const char *method_word(const char *method)
{
    static const char *const words[] = {"GET", "POST", "PATCH", "PUT", "DELETE"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(words[i], method) == 0)
            return words[i];
    return "other";
}

/* The header is in whole seconds, so on average it is half a second behind. Proxies answer mostly
 * with 5xx, and their clock is not the account's. */
static void measure_clock(const char *account, const struct http_answer *answer)
{
    char labels[128];
    int64_t date_ms;

    if (answer->status >= 500 ||
        date_parse_rfc2822(http_answer_header(answer, "Date"), &date_ms) != 0)
        return;
    snprintf(labels, sizeof(labels), "account=\"%.80s\"", account);
    metric_set(metric_gauge_ms("bigfusion_account_clock_skew_seconds",
                               "How far the account's clock is ahead of ours", labels),
               date_ms + HALF_SECOND_MS - clock_now_ms());
}

void measure_call(const char *account, const char *method, const char *path,
                  const struct http_answer *answer)
{
    char labels[128];

    snprintf(labels, sizeof(labels), "method=\"%s\",object=\"%s\",status=\"%s\"",
             method_word(method), measure_object(path), measure_status(answer->status));
    metric_observe_ms(metric_histogram("bigfusion_infusionsoft_call_seconds",
                                       "Time of calls to Infusionsoft until their answer was whole",
                                       labels, &metric_buckets_call),
                      answer->elapsed_ms);
    if (answer->status != 0)
        measure_clock(account, answer);
}
