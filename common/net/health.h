/* health.h - what a program reports over HTTP: GET /healthz (it runs), /readyz (what it needs can
 * be used), /metrics (Prometheus text format 0.0.4). Metrics can be counted also where the server
 * is off. Thread-safe. Nothing in it is personal. */
#ifndef COMMON_HEALTH_H
#define COMMON_HEALTH_H

#include <stdint.h>

#include "base/error.h"

/** @brief Starts the server on listen ("host:port"; with port 0 any free port is taken and logged).
 * "off": does nothing. */
int health_start(const char *listen, struct error *err);
/** @brief Stops the server and forgets all parts and metrics. Pointers to metrics are invalid after
 * this. */
void health_stop(void);

/**
 * @brief Says whether a part (e.g. "kafka", "redis", "store abc123") can be used. /readyz answers
 * 200 only when every part that was ever named can be. A change to not ready and the change back
 * are logged, one line each.
 * @param why  one line for people when not ready, or NULL
 */
void health_set_ready(const char *part, int ready, const char *why);

struct metric;

/** @brief Returns a counter (or gauge) by name and labels, e.g.
 * metric_counter("bigfusion_records_total", "Records finished",
 * "stage=\"filter\",verdict=\"pass\""). The same name and labels give the same metric. It lives
 * until health_stop(). */
struct metric *metric_counter(const char *name, const char *help, const char *labels);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);
void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
int64_t metric_value(const struct metric *metric);

#endif
