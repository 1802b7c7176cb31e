/* feed_progress.c - how far the index is. */
#include "feed_internal.h"

#include <stdlib.h>

#include "base/clock.h"

enum { CAUGHT_UP_MS = 5000 };

static const enum order_list on_the_way[] = {ORDER_LIST_QUEUED, ORDER_LIST_RETRYING,
                                             ORDER_LIST_WAITING};

void feed_metrics_init(struct feed_metrics *metrics)
{
    *metrics = (struct feed_metrics){
        .records = metric_counter("bigfusion_console_records_total",
                                  "Records that the console read into its index", ""),
        .left = metric_gauge("bigfusion_console_left_records",
                             "Records that the console has not read yet", ""),
        .behind = metric_gauge("bigfusion_console_behind_seconds",
                               "How old the state is that the index shows", ""),
        .orders = metric_gauge("bigfusion_console_orders", "Orders in the index", ""),
        .file_bytes = metric_gauge("bigfusion_console_file_bytes",
                                   "Size of the index with its write-ahead log", ""),
    };
    for (size_t i = 0; i < sizeof(on_the_way) / sizeof(*on_the_way); i++) {
        char *labels = mem_printf("list=\"%s\"", order_list_name(on_the_way[i]));

        metrics->oldest[on_the_way[i]] =
            metric_gauge_age("bigfusion_console_oldest_order_seconds",
                             "Age of the oldest order without a fate on this list", labels);
        free(labels);
    }
}

/* How old the state of one partition is, in ms; 0: it was read to its end. -1: not known yet.
 * left: receives how many records are not read. */
static int64_t behind_of(struct feed *feed, struct feed_part *part, int64_t now_ms, int64_t *left)
{
    int64_t low = -1, high = -1, seen_ms;

    rd_kafka_get_watermark_offsets(feed->rk, part->topic, part->partition, &low, &high);
    *left = 0;
    if (part->end_ms >= 0 && part->next >= high)
        part->end_ms = now_ms;
    if (high > part->next)
        *left = high - (part->next >= 0 ? part->next : low >= 0 ? low : 0);
    seen_ms = part->last_ms > part->end_ms ? part->last_ms : part->end_ms;
    if (seen_ms < 0)
        return -1;
    return seen_ms < now_ms ? now_ms - seen_ms : 0;
}

void feed_tell(struct feed *feed)
{
    struct index_progress *progress = &feed->progress;
    int64_t now_ms = clock_now_ms(), behind_ms = 0;
    int is_known = feed->part_count > 0, is_whole = feed->part_count > 0;

    progress->left = 0;
    for (int i = 0; i < feed->part_count; i++) {
        int64_t left, behind = behind_of(feed, &feed->parts[i], now_ms, &left);

        progress->left += left;
        is_known &= behind >= 0;
        is_whole &= feed->parts[i].end_ms >= 0;
        if (behind > behind_ms)
            behind_ms = behind;
    }
    progress->behind_ms = is_known ? behind_ms : -1;
    progress->as_of_ms = is_known ? now_ms - behind_ms : -1;
    progress->is_caught_up = is_whole && is_known && behind_ms < CAUGHT_UP_MS &&
                             progress->is_broker_there && progress->trouble[0] == '\0';
    if (progress->is_caught_up && progress->left == 0)
        progress->behind_ms = 0;
    index_measure(feed->index, progress);
    index_set_progress(feed->index, progress);
    metric_set(feed->metrics.left, progress->left);
    metric_set(feed->metrics.behind, is_known ? behind_ms / 1000 : 0);
    metric_set(feed->metrics.orders, progress->orders);
    metric_set(feed->metrics.file_bytes, progress->file_bytes);
    for (size_t i = 0; i < sizeof(on_the_way) / sizeof(*on_the_way) && !progress->is_caught_up; i++)
        metric_set(feed->metrics.oldest[on_the_way[i]], 0);
}

int feed_tell_oldest(struct feed *feed, struct error *err)
{
    for (size_t i = 0; i < sizeof(on_the_way) / sizeof(*on_the_way); i++) {
        int64_t oldest_ms = index_oldest_ms(feed->index, on_the_way[i], err);

        metric_set(feed->metrics.oldest[on_the_way[i]], oldest_ms > 0 ? oldest_ms : 0);
        if (oldest_ms < 0)
            return -1;
    }
    return 0;
}
