/* server.h - the HTTP server: one thread with epoll. An answer that is to come late holds up no
 * other one. */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "base/error.h"
#include "timers.h"
#include "world.h"

struct server;

/**
 * @brief Listens on HOST:PORT (port 0: any free port) and answers requests.
 * @param world   kept; its base_url is set
 * @param timers  kept
 * @returns new, or NULL with err set
 */
struct server *server_start(const char *listen, struct world *world, struct timers *timers,
                            struct error *err);

/** @brief Ends all connections. Call timers_stop() before. */
void server_stop(struct server *server);

#endif
