/* redis.h - one connection to Redis, on top of hiredis: addresses, timeouts, errors in two kinds,
 * scripts by their SHA. A handle belongs to one thread. It connects when it is first used and again
 * after a failure; who must know about a new connection watches redis_generation(). A connection
 * that failed is reset (RST), so that a command which is still in our send queue cannot arrive
 * after its repetition on the next connection.
 *
 * An error reply of which redis_fault_of() says that it is about the server (a replica, loading,
 * out of memory, not logged in ...) drops the connection too: the address may lead to another
 * server by the next call. So whoever waits and calls again, with a backoff, has done all there is
 * to do.
 *
 * Error kinds: WRONGTYPE and a script's own `DAMAGED ...` are permanent: that key holds something
 * else. All other faults are temporary, a refused password too: nobody's order is bad because Redis
 * does not let us in. */
#ifndef COMMON_REDIS_H
#define COMMON_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "base/error.h"
#include "settings/redis_url.h"

struct redis; /* opaque */

/**
 * @brief New handle; does not connect. Free with redis_free().
 * @param server      keeps; the settings were checked with redis_url_parse() already
 * @param timeout_ms  for connecting and for each answer, > 0
 */
struct redis *redis_new(const struct redis_server *server, int64_t timeout_ms);
void redis_free(struct redis *redis);

/** @brief Connects, over TLS where the url begins with rediss://, authenticates and selects the
 * database, unless it is connected. */
int redis_connect(struct redis *redis, struct error *err);

/** @brief Drops the connection, e.g. with queued commands whose replies nobody will fetch. */
void redis_close(struct redis *redis);

/** @brief Whether there is a connection that has not failed yet. */
int redis_connected(const struct redis *redis);

/** @brief How often this handle has connected: differs after each new connection. */
unsigned redis_generation(const struct redis *redis);

/** @brief Whether the last failure was a connection that the other side had closed (not a timeout).
 */
int redis_was_closed(const struct redis *redis);

/**
 * @brief One command, hiredis' format (%s, %b, %lld).
 * @returns the reply (new, freeReplyObject()), never an error reply; or NULL with err set
 */
redisReply *redis_command(struct redis *redis, struct error *err, const char *format, ...);

/** @brief The same with the arguments one by one. */
redisReply *redis_command_argv(struct redis *redis, int count, const char **arguments,
                               const size_t *lengths, struct error *err);

/* A Lua script: two pieces of text one after the other, so that scripts can share what stands in
 * front. */
struct redis_script {
    const char *name;    /* for error texts */
    const char *prelude; /* or ""; keeps */
    const char *body;    /* keeps */
    char sha[41];        /* filled in by redis_script_init() */
};

/** @brief Computes the SHA by which the server knows the script. */
void redis_script_init(struct redis_script *script);

/** @brief Loads a script into the server. */
int redis_script_load(struct redis *redis, const struct redis_script *script, struct error *err);

/**
 * @brief Runs a script by its SHA; where the server does not know it, with its text.
 * @param arguments  number of keys, keys, arguments: what follows the SHA in EVALSHA
 * @returns as redis_command()
 */
redisReply *redis_script_run(struct redis *redis, const struct redis_script *script, int count,
                             const char **arguments, const size_t *lengths, struct error *err);

/**
 * @brief Pipelining: queues one command; its reply comes from redis_next(), in the same order. All
 * queued ones must be fetched before any other call.
 */
int redis_queue(struct redis *redis, int count, const char **arguments, const size_t *lengths,
                struct error *err);

/** @brief The same for a script; arguments as redis_script_run(). */
int redis_script_queue(struct redis *redis, const struct redis_script *script, int count,
                       const char **arguments, const size_t *lengths, struct error *err);

/** @brief Whether the reply to a queued script says that the server does not know it. */
int redis_script_unknown(const redisReply *reply);

/** @brief The next queued reply (new); an error reply is a reply here: see redis_reply_check().
 * NULL: the connection failed or the server cannot be used; the other queued replies are gone too.
 */
redisReply *redis_next(struct redis *redis, struct error *err);

/** @brief 0, or -1 with err set when it is an error reply; kinds as above. */
int redis_reply_check(const redisReply *reply, struct error *err);

#endif
