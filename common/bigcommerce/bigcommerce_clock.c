/* bigcommerce_clock.c - what answers tell about the store's clock. */
#include "bigcommerce/bigcommerce.h"

#include "base/json.h"
#include "base/text.h"

void bigcommerce_clock_learn(struct bigcommerce_clock *clock, int status, int64_t lead_ms)
{
    int counts = status >= 200 && status < 300;

    /* A 4xx is the store's own answer. Proxies between us and the store mostly answer with 5xx. */
    if (!clock->known)
        counts = counts || (status >= 400 && status < 500);
    if (!counts)
        return;
    clock->before_ms = clock->known ? clock->lead_ms : lead_ms;
    clock->lead_ms = lead_ms;
    clock->known = 1;
}

int64_t bigcommerce_clock_lead_ms(const struct bigcommerce_clock *clock)
{
    return clock->before_ms < clock->lead_ms ? clock->before_ms : clock->lead_ms;
}

int bigcommerce_read_time(struct text body, int64_t *time_ms)
{
    yyjson_doc *doc =
        body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    int64_t seconds = 0;
    int rc = text_to_int(json_text(yyjson_obj_get(yyjson_doc_get_root(doc), "time")), &seconds);

    yyjson_doc_free(doc);
    if (rc != 0 || seconds <= 0 || seconds >= INT64_MAX / 1000)
        return -1;
    *time_ms = seconds * 1000;
    return 0;
}
