/* health.h - what a program says about itself over HTTP: GET /healthz (alive), /readyz (connected),
 * /metrics (Prometheus text format 0.0.4). Metrics work whether or not the server listens.
 * Thread-safe. No personal data. */
#ifndef COMMON_HEALTH_H
#define COMMON_HEALTH_H

#include <stdint.h>

#include "base/error.h"

/** @brief Starts the server on listen ("host:port", port 0 picks one and logs it); "off" does
 * nothing. */
int health_start(const char *listen, struct error *err);
/** @brief Stops the server and forgets all parts and metrics: pointers to metrics are invalid from
 * here on. */
void health_stop(void);

/**
 * @brief Says whether a part (e.g. "kafka", "redis", "store abc123") is usable. /readyz answers 200
 * only when all parts that were ever named are. The first change to unusable and the change back
 * are logged, one line each.
 * @param why  one line for people when not ready, or NULL
 */
void health_set_ready(const char *part, int ready, const char *why);

struct metric;

/**
 * @brief A counter (or gauge) by name and labels, e.g. metric_counter("bigfusion_records_total",
 * "Records finished", "stage=\"filter\",verdict=\"pass\""). The same name and labels give the same
 * metric. Lives until the process ends.
 */
struct metric *metric_counter(const char *name, const char *help, const char *labels);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);
void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
int64_t metric_value(const struct metric *metric);

#endif
