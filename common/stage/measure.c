#include "stage/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* "lane" is the lane of the orders: it had its name before there were others. */
static const char *const kind_names[INPUT_KIND_COUNT] = {"lane",    "contacts", "products",
                                                         "history", "retry",    "waiting"};

static enum input_kind kind_of(const struct stage_settings *settings, const char *input)
{
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        if (strcmp(settings->topics->retry[i], input) == 0)
            return INPUT_RETRY;
    for (int i = 0; i < settings->config->account_count; i++)
        if (strcmp(settings->topics->waiting[i], input) == 0 ||
            strcmp(settings->topics->waiting_orders[i], input) == 0)
            return INPUT_WAITING;
    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        const struct lane_topics *lane = &settings->topics->lanes[i];

        if (strcmp(lane->raw, input) == 0 || strcmp(lane->eligible, input) == 0 ||
            strcmp(lane->payloads, input) == 0)
            return (enum input_kind)(INPUT_LANE + i);
    }
    return INPUT_LANE;
}

static struct metric *records_metric(const struct stage *stage, enum verdict verdict,
                                     enum reason reason)
{
    char labels[160];

    snprintf(labels, sizeof(labels), "stage=\"%s\",verdict=\"%s\",reason=\"%s\"",
             stage->settings.service, verdict_name(verdict), reason_name(reason));
    return metric_counter("bigfusion_records_total", "Records finished", labels);
}

static void init_inputs(struct stage *stage)
{
    const struct stage_settings *settings = &stage->settings;
    char labels[320];

    stage->lags = mem_alloc((size_t)settings->input_count * sizeof(*stage->lags));
    for (int i = 0; i < settings->input_count; i++) {
        struct lag *lag = &stage->lags[i];

        lag->kind = kind_of(settings, settings->inputs[i]);
        snprintf(labels, sizeof(labels), "stage=\"%s\",topic=\"%s\",kind=\"%s\"", settings->service,
                 settings->inputs[i], kind_names[lag->kind]);
        lag->records = metric_gauge("bigfusion_lag_records", "Records not finished yet", labels);
        lag->age = metric_gauge_age("bigfusion_lag_seconds",
                                    "Age of the oldest record that is not finished, since its "
                                    "order was read from the store",
                                    labels);
    }
}

void measure_init(struct stage *stage)
{
    char labels[160];

    snprintf(labels, sizeof(labels), "stage=\"%s\"", stage->settings.service);
    stage->bytes =
        metric_counter("bigfusion_consumed_bytes_total", "Bytes of records read", labels);
    stage->commits_done = metric_counter("bigfusion_commits_total", "Offset commits", labels);
    stage->rewinds = metric_counter("bigfusion_rewinds_total",
                                    "Times a partition was read again from further back", labels);
    stage->assigned = metric_gauge("bigfusion_assigned_partitions",
                                   "Partitions that this process reads; 0: it is no member, or "
                                   "there are more members than partitions",
                                   labels);
    stage->watch = kafka_watch_new(stage->consumer, labels);
    stage->processing =
        metric_histogram("bigfusion_record_processing_seconds",
                         "Time from the handing over of a record until Kafka has its outcome",
                         labels, &metric_buckets_record);
    init_inputs(stage);
    /* A counter that is there from the start can be seen to grow from 0 to 1. */
    for (enum reason reason = REASON_MALFORMED; reason <= REASON_POISON; reason++)
        stage->records[VERDICT_DEAD][reason] = records_metric(stage, VERDICT_DEAD, reason);
}

void measure_handed(struct stage *stage, struct ticket *ticket)
{
    enum input_kind kind = stage->lags[ticket->partition->input].kind;
    struct histogram **waiting = &stage->waiting[kind];

    if (*waiting == NULL) {
        char labels[160];

        snprintf(labels, sizeof(labels), "stage=\"%s\",kind=\"%s\"", stage->settings.service,
                 kind_names[kind]);
        *waiting = metric_histogram("bigfusion_record_waiting_seconds",
                                    "Time that a record waited in its topic before it was handed "
                                    "over",
                                    labels, &metric_buckets_record);
    }
    ticket->handed_ms = clock_monotonic_ms();
    if (ticket->event.timestamp_ms > 0)
        metric_observe_ms(*waiting, clock_now_ms() - ticket->event.timestamp_ms);
}

void measure_finished(struct stage *stage, const struct ticket *ticket)
{
    struct metric **metric = &stage->records[ticket->verdict][ticket->reason];

    if (*metric == NULL)
        *metric = records_metric(stage, ticket->verdict, ticket->reason);
    metric_add(*metric, 1);
    metric_observe_ms(stage->processing, clock_monotonic_ms() - ticket->handed_ms);
}

/* Since when a record is on its way: since its order was read from the store. A replay begins anew,
 * so that of it, and of a record that does not say it, the time counts at which Kafka took it. */
static int64_t since_ms(const struct event *event)
{
    int64_t polled_ms;

    if (!text_is(event->headers[HEADER_SOURCE], "replay") &&
        text_to_int(event->headers[HEADER_POLLED_AT], &polled_ms) == 0 && polled_ms > 0)
        return polled_ms;
    return event->timestamp_ms;
}

/* Finds the oldest record of each input that is under way; 0: none is. */
static void find_oldest(struct stage *stage)
{
    for (int i = 0; i < stage->settings.input_count; i++)
        stage->lags[i].oldest_ms = 0;
    for (const struct ticket *ticket = stage->all; ticket != NULL; ticket = ticket->all_next) {
        struct lag *lag;
        int64_t since;

        if (ticket->partition == NULL || ticket->partition->revoked)
            continue;
        lag = &stage->lags[ticket->partition->input];
        since = since_ms(&ticket->event);
        if (since > 0 && (lag->oldest_ms == 0 || since < lag->oldest_ms))
            lag->oldest_ms = since;
    }
}

static int64_t count_lag(const struct stage *stage, int input)
{
    int64_t lag = 0;

    for (const struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next) {
        int64_t low = 0, high = -1, done = window_committable(&partition->window);

        if (partition->input != input || done < 0)
            continue;
        rd_kafka_get_watermark_offsets(stage->consumer, stage->settings.inputs[input],
                                       partition->id, &low, &high);
        if (high > done)
            lag += high - done;
    }
    return lag;
}

void measure_lag(struct stage *stage)
{
    int assigned = 0;

    for (const struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next)
        assigned++;
    metric_set(stage->assigned, assigned);
    find_oldest(stage);
    for (int i = 0; i < stage->settings.input_count; i++) {
        struct lag *lag = &stage->lags[i];
        int64_t count = count_lag(stage, i);

        /* Records may be there that do not come, while Kafka is down, say. Their age is counted
         * from the moment at which they were first missed. */
        if (lag->oldest_ms != 0)
            lag->since_ms = lag->oldest_ms;
        else if (count == 0)
            lag->since_ms = 0;
        else if (lag->since_ms == 0)
            lag->since_ms = clock_now_ms();
        metric_set(lag->records, count);
        metric_set(lag->age, lag->since_ms);
    }
}
