/* redis.h - one connection to Redis, on top of hiredis: addresses, timeouts, two kinds of errors,
 * scripts by their SHA. A handle belongs to one thread.
 *
 * A handle connects when it is first used, and again after a failure. A caller that must know about
 * a new connection compares redis_generation(). A connection that failed is closed with a reset
 * (RST), so that a command in our send queue cannot arrive after its repetition on the next
 * connection.
 *
 * Some error replies are about the server and not about the command (a replica, loading, out of
 * memory, not logged in; see redis_fault_of()). They drop the connection too, because the address
 * may lead to another server by the next call. So it is enough for a caller to wait and call again.
 *
 * Error kinds: WRONGTYPE and `DAMAGED ...` from a script are permanent, because that key holds
 * something else than expected. All other faults are temporary, also a refused password: it is not
 * the order's fault. */
#ifndef COMMON_REDIS_H
#define COMMON_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "base/error.h"
#include "settings/redis_url.h"

struct redis; /* opaque */

/**
 * @brief New handle. It does not connect yet. Free with redis_free().
 * @param server      keeps; the settings were checked with redis_url_parse() before
 * @param timeout_ms  for connecting and for each answer, > 0
 */
struct redis *redis_new(const struct redis_server *server, int64_t timeout_ms);
void redis_free(struct redis *redis);

/** @brief Connects, logs in and selects the database, unless there is a connection already. Uses
 * TLS where the url begins with rediss://. */
int redis_connect(struct redis *redis, struct error *err);

/** @brief Drops the connection, for example when commands are queued whose replies nobody will
 * fetch. */
void redis_close(struct redis *redis);

/** @brief Whether there is a connection that has not failed yet. */
int redis_connected(const struct redis *redis);

/** @brief How often this handle has connected. The number differs after each new connection. */
unsigned redis_generation(const struct redis *redis);

/** @brief Whether the last failure was that the other side had closed the connection (and not a
 * timeout). */
int redis_was_closed(const struct redis *redis);

/**
 * @brief Sends one command, in the format of hiredis (%s, %b, %lld).
 * @returns the reply (new, freeReplyObject()), never an error reply; or NULL with err set
 */
redisReply *redis_command(struct redis *redis, struct error *err, const char *format, ...);

/** @brief As redis_command(), with the arguments one by one. */
redisReply *redis_command_argv(struct redis *redis, int count, const char **arguments,
                               const size_t *lengths, struct error *err);

/* A Lua script in two pieces: the prelude stands in front of the body, so several scripts can share
 * it. */
struct redis_script {
    const char *name;    /* the script's name, for error texts */
    const char *prelude; /* or ""; keeps */
    const char *body;    /* keeps */
    char sha[41];        /* filled in by redis_script_init() */
};

/** @brief Computes the SHA by which the server identifies the script. */
void redis_script_init(struct redis_script *script);

/** @brief Loads a script into the server. */
int redis_script_load(struct redis *redis, const struct redis_script *script, struct error *err);

/**
 * @brief Runs a script by its SHA. Where the server does not know it, the script is sent as text.
 * @param arguments  what follows the SHA in EVALSHA: number of keys, keys, arguments
 * @returns as redis_command()
 */
redisReply *redis_script_run(struct redis *redis, const struct redis_script *script, int count,
                             const char **arguments, const size_t *lengths, struct error *err);

/** @brief Queues one command (pipelining). Its reply comes from redis_next(); replies come in the
 * order of the commands. All of them must be fetched before any other call. */
int redis_queue(struct redis *redis, int count, const char **arguments, const size_t *lengths,
                struct error *err);

/** @brief Queues a script; arguments as for redis_script_run(). */
int redis_script_queue(struct redis *redis, const struct redis_script *script, int count,
                       const char **arguments, const size_t *lengths, struct error *err);

/** @brief Whether the reply to a queued script says that the server does not know the script. */
int redis_script_unknown(const redisReply *reply);

/** @brief The reply to the next queued command (new). An error reply is returned as a reply, see
 * redis_reply_check(). NULL: the connection failed or the server cannot be used; the other queued
 * replies are lost too. */
redisReply *redis_next(struct redis *redis, struct error *err);

/** @brief Returns 0, or -1 with err set when it is an error reply. The kinds of errors are those at
 * the top of this file. */
int redis_reply_check(const redisReply *reply, struct error *err);

#endif
