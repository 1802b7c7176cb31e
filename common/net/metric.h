/* metric.h - counters, gauges and histograms, and how /metrics prints them (Prometheus text format
 * 0.0.4). They can be counted also where no server runs. Thread-safe: to count, set or observe
 * takes no lock and no memory. docs/metrics.md lists every metric.
 *
 * A name has the base unit in it (seconds, bytes), a counter's name ends in _total. Inside, times
 * are whole milliseconds; they are printed as seconds. Labels have few values: names out of the
 * settings, and words of lists in the code. Nothing in them is personal. */
#ifndef COMMON_METRIC_H
#define COMMON_METRIC_H

#include <stdint.h>

#include "base/mem.h"

struct metric;

/** @brief Returns a counter (or gauge) by name and labels, e.g.
 * metric_counter("bigfusion_records_total", "Records finished",
 * "stage=\"filter\",verdict=\"pass\""). The same name and labels give the same metric. It lives
 * until metric_clear_all(). */
struct metric *metric_counter(const char *name, const char *help, const char *labels);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);

/** @brief A gauge that is set to milliseconds and printed in seconds: a duration, or an instant in
 * ms since 1970. */
struct metric *metric_gauge_ms(const char *name, const char *help, const char *labels);

/** @brief A gauge that is set to an instant (ms since 1970) and printed as its age in seconds at
 * the time of the scrape, so that it grows by itself. 0: there is nothing that grows old, and 0 is
 * printed. */
struct metric *metric_gauge_age(const char *name, const char *help, const char *labels);

void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
int64_t metric_value(const struct metric *metric);

enum { METRIC_BUCKETS_MAX = 16 };

/* Upper bounds of a histogram's buckets in ms, ascending. The bucket for everything above the last
 * one is not in the list. */
struct metric_buckets {
    int count; /* <= METRIC_BUCKETS_MAX */
    int64_t bounds_ms[METRIC_BUCKETS_MAX];
};

extern const struct metric_buckets metric_buckets_call;   /* one HTTP call: 5 ms to 30 s */
extern const struct metric_buckets metric_buckets_record; /* one record in one stage: 1 ms to 1 h */
extern const struct metric_buckets metric_buckets_order;  /* an order's whole way: 1 s to 1 day */

struct histogram;

/** @brief Returns a histogram of times by name and labels, as metric_counter() does.
 * buckets: keeps */
struct histogram *metric_histogram(const char *name, const char *help, const char *labels,
                                   const struct metric_buckets *buckets);

/** @brief Counts one time. A negative one, which a clock that was set back gives, counts as 0. */
void metric_observe_ms(struct histogram *histogram, int64_t ms);

/** @brief Appends all metrics. now_ms: ms since 1970, for ages */
void metric_print_all(struct buffer *page, int64_t now_ms);

/** @brief Forgets all metrics. Pointers to them are invalid after this. */
void metric_clear_all(void);

#endif
