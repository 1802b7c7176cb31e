#include "net/metric.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER = 0, GAUGE, GAUGE_MS, GAUGE_AGE, HISTOGRAM };

/* Each bucket counts only what is above the bucket before it; metric_print_all() adds them up. The
 * last one is for everything above the bounds. The sum is whole milliseconds, so it loses nothing,
 * however much is added. */
struct histogram {
    const struct metric_buckets *buckets;
    atomic_llong sum_ms;
    atomic_llong counts[METRIC_BUCKETS_MAX + 1];
};

struct metric {
    struct metric *next;      /* of the same name */
    struct metric *next_slot; /* in the same slot of the table */
    struct family *family;
    char *labels;
    atomic_llong value;
    struct histogram histogram; /* HISTOGRAM */
};

/* All metrics of one name. */
struct family {
    struct family *next;
    char *name;
    char *help;
    enum kind kind;
    struct metric *first, **end;
};

const struct metric_buckets metric_buckets_call = {
    12, {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000}};
const struct metric_buckets metric_buckets_record = {
    14, {1, 5, 10, 50, 100, 500, 1000, 5000, 10000, 30000, 60000, 300000, 900000, 3600000}};
const struct metric_buckets metric_buckets_order = {14,
                                                    {1000, 2000, 5000, 10000, 20000, 30000, 60000,
                                                     120000, 300000, 600000, 900000, 1800000,
                                                     3600000, 86400000}};

enum { SLOTS = 4096 };

/* There is one of each in a process, because they are about the process. The lock is for the lists,
 * not for the values. With thousands of stores there are tens of thousands of metrics, so they are
 * found through a table. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct family *families; /* sorted by name */
static struct metric *slots[SLOTS];

static unsigned slot_of(const char *name, const char *labels)
{
    unsigned hash = 5381;

    while (*name != '\0')
        hash = hash * 33 + (unsigned char)*name++;
    while (*labels != '\0')
        hash = hash * 33 + (unsigned char)*labels++;
    return hash % SLOTS;
}

static struct family *family_get(const char *name, const char *help, enum kind kind)
{
    struct family **place = &families;
    struct family *family;

    while (*place != NULL && strcmp((*place)->name, name) < 0)
        place = &(*place)->next;
    if (*place != NULL && strcmp((*place)->name, name) == 0)
        return *place;
    family = mem_alloc(sizeof(*family));
    family->name = mem_strdup(name);
    family->help = mem_strdup(help);
    family->kind = kind;
    family->end = &family->first;
    family->next = *place;
    *place = family;
    return family;
}

static struct metric *metric_get(const char *name, const char *help, const char *labels,
                                 enum kind kind, const struct metric_buckets *buckets)
{
    struct metric **slot = &slots[slot_of(name, labels)];
    struct metric *metric;

    pthread_mutex_lock(&lock);
    for (metric = *slot; metric != NULL; metric = metric->next_slot)
        if (strcmp(metric->family->name, name) == 0 && strcmp(metric->labels, labels) == 0)
            break;
    if (metric == NULL) {
        metric = mem_alloc(sizeof(*metric));
        metric->family = family_get(name, help, kind);
        metric->labels = mem_strdup(labels);
        metric->histogram.buckets = buckets;
        metric->next_slot = *slot;
        *slot = metric;
        *metric->family->end = metric;
        metric->family->end = &metric->next;
    }
    pthread_mutex_unlock(&lock);
    return metric;
}

struct metric *metric_counter(const char *name, const char *help, const char *labels)
{
    return metric_get(name, help, labels, COUNTER, NULL);
}

struct metric *metric_gauge(const char *name, const char *help, const char *labels)
{
    return metric_get(name, help, labels, GAUGE, NULL);
}

struct metric *metric_gauge_ms(const char *name, const char *help, const char *labels)
{
    return metric_get(name, help, labels, GAUGE_MS, NULL);
}

struct metric *metric_gauge_age(const char *name, const char *help, const char *labels)
{
    return metric_get(name, help, labels, GAUGE_AGE, NULL);
}

struct histogram *metric_histogram(const char *name, const char *help, const char *labels,
                                   const struct metric_buckets *buckets)
{
    return &metric_get(name, help, labels, HISTOGRAM, buckets)->histogram;
}

void metric_add(struct metric *metric, int64_t amount)
{
    atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metric_observe_ms(struct histogram *histogram, int64_t ms)
{
    const struct metric_buckets *buckets = histogram->buckets;
    int i = 0;

    if (ms < 0)
        ms = 0;
    while (i < buckets->count && ms > buckets->bounds_ms[i])
        i++;
    atomic_fetch_add_explicit(&histogram->sum_ms, ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
}

/* Appends milliseconds as seconds without needless zeros: 0.005, 2.5, 30. */
static void print_seconds(struct buffer *page, int64_t ms)
{
    int64_t rest = ms < 0 ? -(ms % 1000) : ms % 1000;
    int digits = 3;

    buffer_printf(page, "%s%" PRId64, ms < 0 && ms > -1000 ? "-" : "", ms / 1000);
    if (rest == 0)
        return;
    while (rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    buffer_printf(page, ".%0*" PRId64, digits, rest);
}

/* The buckets are added up here, and the count is the sum of all buckets. So a scrape that falls
 * between two observations is consistent in itself. */
static void print_histogram(struct buffer *page, const struct metric *metric)
{
    const struct histogram *histogram = &metric->histogram;
    const char *comma = metric->labels[0] ? "," : "";
    int64_t count = 0;

    for (int i = 0; i <= histogram->buckets->count; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        buffer_printf(page, "%s_bucket{%s%sle=\"", metric->family->name, metric->labels, comma);
        if (i < histogram->buckets->count)
            print_seconds(page, histogram->buckets->bounds_ms[i]);
        else
            buffer_printf(page, "+Inf");
        buffer_printf(page, "\"} %" PRId64 "\n", count);
    }
    for (int i = 0; i < 2; i++) {
        buffer_printf(page, "%s_%s%s%s%s ", metric->family->name, i == 0 ? "sum" : "count",
                      metric->labels[0] ? "{" : "", metric->labels, metric->labels[0] ? "}" : "");
        if (i == 0)
            print_seconds(page, atomic_load_explicit(&histogram->sum_ms, memory_order_relaxed));
        else
            buffer_printf(page, "%" PRId64, count);
        buffer_printf(page, "\n");
    }
}

static void print_value(struct buffer *page, const struct metric *metric, int64_t now_ms)
{
    enum kind kind = metric->family->kind;
    int64_t value = metric_value(metric);

    buffer_printf(page, "%s%s%s%s ", metric->family->name, metric->labels[0] ? "{" : "",
                  metric->labels, metric->labels[0] ? "}" : "");
    if (kind == GAUGE_AGE)
        value = value == 0 || value > now_ms ? 0 : now_ms - value;
    if (kind == GAUGE_AGE || kind == GAUGE_MS)
        print_seconds(page, value);
    else
        buffer_printf(page, "%" PRId64, value);
    buffer_printf(page, "\n");
}

static void print_family(struct buffer *page, const struct family *family, int64_t now_ms)
{
    buffer_printf(page, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                  family->kind == COUNTER     ? "counter"
                  : family->kind == HISTOGRAM ? "histogram"
                                              : "gauge");
    for (const struct metric *metric = family->first; metric != NULL; metric = metric->next) {
        if (family->kind == HISTOGRAM)
            print_histogram(page, metric);
        else
            print_value(page, metric, now_ms);
    }
}

void metric_print_all(struct buffer *page, int64_t now_ms)
{
    pthread_mutex_lock(&lock);
    for (const struct family *family = families; family != NULL; family = family->next)
        print_family(page, family, now_ms);
    pthread_mutex_unlock(&lock);
}

void metric_clear_all(void)
{
    struct family *family;
    struct metric *metric;

    while ((family = families) != NULL) {
        families = family->next;
        while ((metric = family->first) != NULL) {
            family->first = metric->next;
            free(metric->labels);
            free(metric);
        }
        free(family->name);
        free(family->help);
        free(family);
    }
    memset(slots, 0, sizeof(slots));
}
