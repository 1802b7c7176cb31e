#include "net/redis_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/redis.h"
#include "settings/config.h"

enum {
    LOOK_EVERY_MS = 1000,
    TIMEOUT_MS = 2000, /* together with LOOK_EVERY_MS less than the 5 s that docs/operations.md
                          promises */
    TICK_MS = 100,
    KEY_BYTES = 64,
};

/* The look is a script, because the other users call scripts, and a server may refuse only
 * those. */
static const char script_text[] = "return redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000)\n";

struct redis_watch {
    struct redis *redis;
    struct redis_script script;
    char key[KEY_BYTES];
    unsigned generation; /* of the connection whose server was asked whether it is a cluster */
    pthread_t thread;
    int started;
    atomic_int ending;
    struct error fatal; /* belongs to the thread until it has ended */
};

/* Looks once whether Redis can be used. @returns 0, or -1 with err set; permanent: a Redis
 * Cluster */
static int look(struct redis_watch *watch, struct error *err)
{
    const char *arguments[] = {"1", watch->key, "alive"};
    redisReply *reply;

    if (redis_connect(watch->redis, err) != 0)
        return -1;
    if (watch->generation != redis_generation(watch->redis)) {
        const char *info[] = {"INFO", "cluster"};
        struct error own = {0};
        int cluster;

        reply = redis_command_argv(watch->redis, 2, info, NULL, &own);
        if (reply == NULL && !redis_connected(watch->redis))
            return error_set(err, own.kind, "%s", own.text);
        cluster = reply != NULL && reply->str != NULL && strstr(reply->str, "cluster_enabled:1");
        freeReplyObject(reply); /* where INFO is forbidden, the server is taken for no cluster */
        if (cluster)
            return error_set(
                err, ERROR_PERMANENT,
                "[redis] url leads to a Redis Cluster, which is not supported: use one "
                "Redis server, with replicas where wanted");
        watch->generation = redis_generation(watch->redis);
    }
    reply = redis_script_run(watch->redis, &watch->script, 3, arguments, NULL, err);
    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    return 0;
}

/* Looks again when the server had closed the connection while it was idle, because that says
 * nothing about the server. */
static int look_twice(struct redis_watch *watch, struct error *err)
{
    int idle = redis_connected(watch->redis);

    if (look(watch, err) == 0)
        return 0;
    if (!idle || redis_connected(watch->redis) || !redis_was_closed(watch->redis))
        return -1;
    error_clear(err);
    return look(watch, err);
}

static struct redis_watch *watch_new(const struct config *config)
{
    struct redis_watch *watch = mem_alloc(sizeof(*watch));

    watch->redis = redis_new(&config->redis.server, TIMEOUT_MS);
    watch->script = (struct redis_script){.name = "watch", .prelude = "", .body = script_text};
    redis_script_init(&watch->script);
    snprintf(watch->key, sizeof(watch->key), "%.40s:watch", config->kafka.topic_prefix);
    atomic_init(&watch->ending, 0);
    return watch;
}

static void tell(int answer, const struct error *err)
{
    health_set_ready("redis", answer == 0, answer == 0 ? NULL : err->text);
}

static void *keep(void *context)
{
    struct redis_watch *watch = context;

    while (!atomic_load(&watch->ending)) {
        struct error err = {0};
        int answer;

        for (int waited = 0; waited < LOOK_EVERY_MS && !atomic_load(&watch->ending);
             waited += TICK_MS)
            stop_wait_ms(TICK_MS);
        if (atomic_load(&watch->ending) || stop_requested())
            break;
        answer = look_twice(watch, &err);
        tell(answer, &err);
        if (answer != 0 && err.kind == ERROR_PERMANENT) {
            watch->fatal = err;
            stop_request();
        }
    }
    return NULL;
}

struct redis_watch *redis_watch_start(const struct config *config, struct error *err)
{
    struct redis_watch *watch = watch_new(config);
    struct error own = {0};
    int answer = look(watch, &own);

    tell(answer, &own);
    if (answer != 0 && own.kind == ERROR_PERMANENT)
        *err = own;
    else if (pthread_create(&watch->thread, NULL, keep, watch) != 0)
        error_set(err, ERROR_TEMPORARY, "the watch over Redis cannot be started");
    else
        watch->started = 1;
    if (watch->started)
        return watch;
    redis_watch_free(watch);
    return NULL;
}

/* Ends the thread. After that its results may be read. */
static void join(struct redis_watch *watch)
{
    atomic_store(&watch->ending, 1);
    if (watch->started)
        pthread_join(watch->thread, NULL);
    watch->started = 0;
}

int redis_watch_error(struct redis_watch *watch, struct error *err)
{
    join(watch);
    if (watch->fatal.kind == ERROR_NONE)
        return 0;
    return error_set(err, watch->fatal.kind, "%s", watch->fatal.text);
}

void redis_watch_free(struct redis_watch *watch)
{
    if (watch == NULL)
        return;
    join(watch);
    redis_free(watch->redis);
    free(watch);
}

int redis_refuse_cluster(const struct config *config, struct error *err)
{
    struct redis_watch *watch = watch_new(config);
    struct error own = {0};
    int refused = look(watch, &own) != 0 && own.kind == ERROR_PERMANENT;

    redis_watch_free(watch);
    if (refused)
        *err = own;
    return refused ? -1 : 0;
}
