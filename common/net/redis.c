#include "net/redis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "net/redis_fault.h"
#include "net/redis_tls.h"

enum { ARGUMENTS_MAX = 1024 }; /* limit for one script call */

struct redis {
    const struct redis_server *server;
    int64_t timeout_ms;
    redisContext *context;
    unsigned generation;
    int was_closed;
};

/* The connection */

struct redis *redis_new(const struct redis_server *server, int64_t timeout_ms)
{
    struct redis *redis = mem_alloc(sizeof(*redis));

    redis->server = server;
    redis->timeout_ms = timeout_ms;
    return redis;
}

void redis_free(struct redis *redis)
{
    if (redis == NULL)
        return;
    if (redis->context != NULL)
        redisFree(redis->context);
    free(redis);
}

/* Closes with a reset. Otherwise bytes in our send queue could still arrive, after the same command
 * was repeated on the next connection. */
void redis_close(struct redis *redis)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (redis->context == NULL)
        return;
    if (redis->context->fd >= 0)
        setsockopt(redis->context->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    redisFree(redis->context);
    redis->context = NULL;
}

int redis_connected(const struct redis *redis) { return redis->context != NULL; }

unsigned redis_generation(const struct redis *redis) { return redis->generation; }

int redis_was_closed(const struct redis *redis) { return redis->was_closed; }

/* Sets the error and drops the connection, which cannot be used any more. */
static int fail(struct redis *redis, struct error *err)
{
    redisContext *context = redis->context;
    int timed_out = context->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);

    redis->was_closed =
        !timed_out && (context->err == REDIS_ERR_IO || context->err == REDIS_ERR_EOF);
    error_set(err, ERROR_TEMPORARY, "redis: %s",
              timed_out ? "no answer in time"
                        : (context->err != 0 ? context->errstr : "bad answer"));
    redis_close(redis);
    return -1;
}

/* Sends a command on the open connection and returns its reply, which may be an error reply. NULL:
 * the connection failed. */
static redisReply *call(struct redis *redis, int count, const char **arguments,
                        const size_t *lengths, struct error *err)
{
    redisReply *reply = redisCommandArgv(redis->context, count, arguments, lengths);

    if (reply == NULL)
        fail(redis, err);
    return reply;
}

/* Sends one command of the login; only whether it succeeded matters. The server's error text may
 * repeat the password that it was sent, so only its first word is used. */
static int login_step(struct redis *redis, int count, const char **arguments, struct error *err)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    redisReply *reply = call(redis, count, arguments, NULL, err);

    if (reply == NULL)
        return -1;
    if (reply->type != REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        return 0;
    }
    error_set(err, ERROR_TEMPORARY, "redis: %s is refused: %.*s", arguments[0],
              (int)strspn(reply->str, capitals), reply->str);
    freeReplyObject(reply);
    redis_close(redis);
    return -1;
}

static int login(struct redis *redis, const struct redis_url *url, struct error *err)
{
    const char *password = url->password != NULL ? url->password : redis->server->password;

    if (password == NULL)
        password = "";

    if (url->user != NULL) {
        const char *auth[] = {"AUTH", url->user, password};

        if (login_step(redis, 3, auth, err) != 0)
            return -1;
    } else if (password[0] != '\0') {
        const char *auth[] = {"AUTH", password};

        if (login_step(redis, 2, auth, err) != 0)
            return -1;
    }
    if (url->db > 0) {
        char db[16];
        const char *select[] = {"SELECT", db};

        snprintf(db, sizeof(db), "%d", url->db);
        if (login_step(redis, 2, select, err) != 0)
            return -1;
    }
    return 0;
}

int redis_connect(struct redis *redis, struct error *err)
{
    struct timeval timeout = {.tv_sec = redis->timeout_ms / 1000,
                              .tv_usec = (redis->timeout_ms % 1000) * 1000};
    struct redis_url url = {0};
    struct error own = {0};
    int rc = -1;

    if (redis->context != NULL)
        return 0;
    if (redis_url_parse(&url, redis->server->url, &own) !=
        0) /* cannot happen: the settings were checked at start */
        return error_set(err, ERROR_TEMPORARY, "redis url: %s", own.text);
    redis->context =
        mem_check(url.path != NULL ? redisConnectUnixWithTimeout(url.path, timeout)
                                   : redisConnectWithTimeout(url.host, url.port, timeout));
    if (redis->context->err != 0) {
        error_set(err, ERROR_TEMPORARY, "redis: connect: %s", redis->context->errstr);
        redis_close(redis);
        goto out;
    }
    if (redisSetTimeout(redis->context, timeout) != REDIS_OK) {
        fail(redis, err);
        goto out;
    }
    if (url.path == NULL)
        redisEnableKeepAlive(redis->context);
    if (url.tls && redis_tls_start(redis->context, redis->server, url.host, err) != 0) {
        redis_close(redis);
        goto out;
    }
    redis->generation++;
    rc = login(redis, &url, err);
out:
    redis_url_clear(&url);
    return rc;
}

/* Commands */

int redis_reply_check(const redisReply *reply, struct error *err)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return 0;
    if (redis_fault_of(reply->str) != REDIS_FAULT_ENTRY)
        return error_set(err, ERROR_TEMPORARY, "redis: %.200s", reply->str);
    if (strncmp(reply->str, "DAMAGED", 7) == 0)
        return error_set(err, ERROR_PERMANENT, "redis: bad field:%s", reply->str + 7);
    return error_set(err, ERROR_PERMANENT, "redis: the key holds another type");
}

/* Returns the reply, unless it says that this server cannot be used. In that case the connection is
 * dropped, the reply is freed and err is set. */
static redisReply *usable(struct redis *redis, redisReply *reply, struct error *err)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ERROR ||
        redis_fault_of(reply->str) != REDIS_FAULT_SERVER)
        return reply;
    redis_reply_check(reply, err);
    freeReplyObject(reply);
    redis->was_closed = 0;
    redis_close(redis);
    return NULL;
}

/* Returns the reply, unless it is an error reply. */
static redisReply *checked(struct redis *redis, redisReply *reply, struct error *err)
{
    reply = usable(redis, reply, err);
    if (reply != NULL && redis_reply_check(reply, err) != 0) {
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

redisReply *redis_command(struct redis *redis, struct error *err, const char *format, ...)
{
    redisReply *reply;
    va_list args;

    if (redis_connect(redis, err) != 0)
        return NULL;
    va_start(args, format);
    reply = redisvCommand(redis->context, format, args);
    va_end(args);
    if (reply == NULL) {
        fail(redis, err);
        return NULL;
    }
    return checked(redis, reply, err);
}

redisReply *redis_command_argv(struct redis *redis, int count, const char **arguments,
                               const size_t *lengths, struct error *err)
{
    if (redis_connect(redis, err) != 0)
        return NULL;
    return checked(redis, call(redis, count, arguments, lengths, err), err);
}

int redis_queue(struct redis *redis, int count, const char **arguments, const size_t *lengths,
                struct error *err)
{
    if (redis_connect(redis, err) != 0)
        return -1;
    if (redisAppendCommandArgv(redis->context, count, arguments, lengths) != REDIS_OK)
        return fail(redis, err);
    return 0;
}

redisReply *redis_next(struct redis *redis, struct error *err)
{
    void *reply = NULL;

    if (redis->context == NULL) {
        error_set(err, ERROR_TEMPORARY, "redis: not connected");
        return NULL;
    }
    if (redisGetReply(redis->context, &reply) != REDIS_OK) {
        fail(redis, err);
        return NULL;
    }
    return usable(redis, reply, err);
}

/* Scripts */

void redis_script_init(struct redis_script *script)
{
    EVP_MD_CTX *context = mem_check(EVP_MD_CTX_new());
    unsigned char digest[EVP_MAX_MD_SIZE];

    EVP_DigestInit_ex(context, EVP_sha1(), NULL);
    EVP_DigestUpdate(context, script->prelude, strlen(script->prelude));
    EVP_DigestUpdate(context, script->body, strlen(script->body));
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (int i = 0; i < 20; i++)
        snprintf(script->sha + 2 * i, 3, "%02x", digest[i]);
}

int redis_script_load(struct redis *redis, const struct redis_script *script, struct error *err)
{
    char *text = mem_printf("%s%s", script->prelude, script->body);
    const char *load[] = {"SCRIPT", "LOAD", text};
    redisReply *reply = redis_command_argv(redis, 3, load, NULL, err);

    free(text);
    if (reply == NULL)
        return error_prefix(err, "script %s: ", script->name);
    freeReplyObject(reply);
    return 0;
}

/* Writes EVALSHA and its arguments into arrays that have room for ARGUMENTS_MAX + 2. */
static int script_command(const struct redis_script *script, int count, const char **arguments,
                          const size_t *lengths, const char **all, size_t *all_lengths,
                          struct error *err)
{
    if (count > ARGUMENTS_MAX)
        return error_set(err, ERROR_PERMANENT, "script %s: more than %d arguments", script->name,
                         ARGUMENTS_MAX);
    all[0] = "EVALSHA";
    all_lengths[0] = 7;
    all[1] = script->sha;
    all_lengths[1] = 40;
    memcpy(all + 2, arguments, (size_t)count * sizeof(*all));
    for (int i = 0; i < count; i++)
        all_lengths[2 + i] = lengths != NULL ? lengths[i] : strlen(arguments[i]);
    return 0;
}

int redis_script_queue(struct redis *redis, const struct redis_script *script, int count,
                       const char **arguments, const size_t *lengths, struct error *err)
{
    const char *all[ARGUMENTS_MAX + 2]; /* not initialised, because that would clear 16 KB at
                                           each call */
    size_t all_lengths[ARGUMENTS_MAX + 2];

    if (script_command(script, count, arguments, lengths, all, all_lengths, err) != 0)
        return -1;
    return redis_queue(redis, count + 2, all, all_lengths, err);
}

int redis_script_unknown(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

redisReply *redis_script_run(struct redis *redis, const struct redis_script *script, int count,
                             const char **arguments, const size_t *lengths, struct error *err)
{
    const char *all[ARGUMENTS_MAX + 2];
    size_t all_lengths[ARGUMENTS_MAX + 2];
    redisReply *reply;

    if (script_command(script, count, arguments, lengths, all, all_lengths, err) != 0 ||
        redis_connect(redis, err) != 0)
        return NULL;
    reply = call(redis, count + 2, all, all_lengths, err);
    if (reply != NULL && redis_script_unknown(reply)) {
        char *text = mem_printf("%s%s", script->prelude, script->body);

        freeReplyObject(reply);
        all[0] = "EVAL";
        all_lengths[0] = 4;
        all[1] = text;
        all_lengths[1] = strlen(text);
        reply = call(redis, count + 2, all, all_lengths, err);
        free(text);
    }
    return checked(redis, reply, err);
}
