/* worker.h - one thread for each store: takes its lease, polls it each poll_interval_s, backs off
 * when it is in trouble. A slow or broken store delays no other one. */
#ifndef POLLER_WORKER_H
#define POLLER_WORKER_H

#include "base/error.h"
#include "settings/config.h"

/**
 * @brief Polls all stores of the settings until a stop is asked for, then gives the leases back.
 * @returns 0, or -1 with an error that nobody here can heal (exit 111 or 100)
 */
int workers_run(const struct config *config, struct error *err);

#endif
