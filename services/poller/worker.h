/* worker.h - one thread for each store. It takes the store's lease, runs a round every
 * poll_interval_s, and waits longer while the store is in trouble. So a slow or broken store delays
 * no other store. */
#ifndef POLLER_WORKER_H
#define POLLER_WORKER_H

#include "base/error.h"
#include "settings/config.h"

/**
 * @brief Polls all stores of the settings until a stop is asked for, then gives the leases back.
 * @returns 0, or -1 with an error after which the program has to end (exit status 111 or 100)
 */
int workers_run(const struct config *config, struct error *err);

#endif
