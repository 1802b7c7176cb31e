/* health.h - what a program reports over HTTP: GET /healthz (it runs), /readyz (what it needs can
 * be used), /metrics (Prometheus text format 0.0.4). Metrics can be counted also where the server
 * is off. Thread-safe. Nothing in it is personal. */
#ifndef COMMON_HEALTH_H
#define COMMON_HEALTH_H

#include "base/error.h"
#include "base/mem.h"
#include "net/metric.h"

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

/**
 * @brief The same answers for a program that has an HTTP server of its own: the text for /healthz,
 * /readyz or /metrics is appended to page.
 * @returns the HTTP status: 200, 503 (not ready), or 404 for any other path, with nothing appended
 */
int health_answer(const char *path, struct buffer *page);

/* The Content-Type of these answers. */
#define HEALTH_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
