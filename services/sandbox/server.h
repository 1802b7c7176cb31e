/* server.h - HTTP in front of the world: one thread with epoll; late answers wait without holding
 * anybody up. */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "base/error.h"
#include "timers.h"
#include "world.h"

struct server;

/**
 * @brief Listens on HOST:PORT (port 0: a free one) and answers.
 * @param world   kept; its base_url is set
 * @param timers  kept
 * @returns new, or NULL with err set
 */
struct server *server_start(const char *listen, struct world *world, struct timers *timers,
                            struct error *err);

/** @brief Ends all connections. timers_stop() comes first. */
void server_stop(struct server *server);

#endif
