/* live.h - what the services do right now: lag, age, rates and members of each stage. A thread of its
 * own measures them again and again, so that a question to the console never waits for Kafka. */
#ifndef CONSOLE_LIVE_H
#define CONSOLE_LIVE_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "settings/config.h"

struct live;

/** @brief Starts the thread. config is kept. New; end with live_stop(). @returns NULL with an error */
struct live *live_start(const struct config *config, struct error *err);
void live_stop(struct live *live);

/* What was measured last. Embedded; release with live_view_clear(). */
struct live_view {
    json_t *stages;   /* list of {"service", "stage", "members", "lag_records", "lag_s", "oldest",
                            "in_s", "done_s"}; empty until the first measurement. New */
    json_t *accounts; /* list of {"name", "waiting", "waiting_orders", "why", "oldest"}. New */
    int64_t measured_ms; /* when; -1: never yet */
    char trouble[320];   /* why the last try gave nothing; "": it did */
};

/** @brief A copy of what was measured last. Thread-safe. */
void live_view(struct live *live, struct live_view *view);
void live_view_clear(struct live_view *view);

#endif
