/* redis_watch.h - reports to /readyz, as the part "redis", whether Redis can be used. It does so
 * also while nothing else uses Redis, and it notices a Redis that answers but takes no writes (a
 * replica, a full disk or memory).
 * A thread with a connection of its own writes one small key each second. A Redis Cluster is
 * refused here, for all users of Redis in the process. */
#ifndef COMMON_REDIS_WATCH_H
#define COMMON_REDIS_WATCH_H

#include "base/error.h"

struct config;
struct redis_watch; /* opaque */

/**
 * @brief Looks once and starts the thread. A Redis that cannot be reached is no error; /readyz says
 * so until it can be.
 * @returns new, redis_watch_free(); NULL: a Redis Cluster (permanent), or no thread could be
 * started
 */
struct redis_watch *redis_watch_start(const struct config *config, struct error *err);

/**
 * @brief To be called after the program's loop has ended: whether the watch ended it, because the
 * server at this address is a Redis Cluster now.
 * @returns 0, or -1 with that permanent error
 */
int redis_watch_error(struct redis_watch *watch, struct error *err);

/** @brief Ends the thread. NULL is accepted. */
void redis_watch_free(struct redis_watch *watch);

/** @brief For commands that run once: returns -1 with a permanent error where the server is a Redis
 * Cluster. Where it cannot be reached, the first call that needs it will fail. */
int redis_refuse_cluster(const struct config *config, struct error *err);

#endif
