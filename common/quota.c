#include "quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "redis.h"
#include "retry.h"

enum {
    KEY_COUNT = 5,
    KEY_BYTES = 200,
    MINUTE_NEWS_MS =
        1500, /* how long a header's word about the minute is believed: its window rolls */
    DAY_NEWS_MS = 60000,
    WAIT_MAX_MS = 60000, /* ask again at least this often */
};

static const char text[] = {
#include "quota.lua.h"
};

struct quota {
    struct quota_settings settings;
    struct redis *redis;
    struct redis_script script;
    char keys[KEY_COUNT][KEY_BYTES];
    char limits[3][24];
};

struct quota *quota_new(const struct quota_settings *settings)
{
    static const char *const names[KEY_COUNT] = {"second", "minute", "day", "minute-left",
                                                 "day-left"};
    struct quota *quota;

    if (settings->per_s == 0 && settings->per_min == 0 && settings->per_day == 0)
        return NULL;
    quota = mem_alloc(sizeof(*quota));
    quota->settings = *settings;
    quota->redis = redis_new(settings->url, settings->timeout_ms);
    quota->script = (struct redis_script){.name = "quota", .prelude = "", .body = text};
    redis_script_init(&quota->script);
    for (int i = 0; i < KEY_COUNT; i++)
        snprintf(quota->keys[i], KEY_BYTES, "%.60s:quota:%.80s:%s", settings->prefix,
                 settings->name, names[i]);
    snprintf(quota->limits[0], sizeof(quota->limits[0]), "%" PRId64, settings->per_s);
    snprintf(quota->limits[1], sizeof(quota->limits[1]), "%" PRId64, settings->per_min);
    snprintf(quota->limits[2], sizeof(quota->limits[2]), "%" PRId64, settings->per_day);
    return quota;
}

void quota_free(struct quota *quota)
{
    if (quota == NULL)
        return;
    redis_free(quota->redis);
    free(quota);
}

int quota_take(struct quota *quota, int64_t *wait_ms, struct error *err)
{
    const char *arguments[1 + KEY_COUNT + 3] = {"5"};
    size_t lengths[1 + KEY_COUNT + 3];
    redisReply *reply;

    for (int i = 0; i < KEY_COUNT; i++)
        arguments[1 + i] = quota->keys[i];
    for (int i = 0; i < 3; i++)
        arguments[1 + KEY_COUNT + i] = quota->limits[i];
    for (int i = 0; i < 1 + KEY_COUNT + 3; i++)
        lengths[i] = strlen(arguments[i]);
    reply =
        redis_script_run(quota->redis, &quota->script, 1 + KEY_COUNT + 3, arguments, lengths, err);
    if (reply == NULL)
        return -1;
    *wait_ms = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    if (*wait_ms > WAIT_MAX_MS)
        *wait_ms = WAIT_MAX_MS;
    if (*wait_ms > 0) /* many wait for the same moment: not all of them at once */
        *wait_ms += (int64_t)(retry_chance() * 10);
    return 0;
}

/* Written unless something smaller is believed already. */
static int set_left(struct quota *quota, const char *key, int64_t left, int news_ms,
                    struct error *err)
{
    redisReply *reply = redis_command(quota->redis, err, "GET %s", key);
    int known;

    if (reply == NULL)
        return -1;
    known = reply->type == REDIS_REPLY_STRING && strtoll(reply->str, NULL, 10) <= left;
    freeReplyObject(reply);
    if (known)
        return 0;
    reply = redis_command(quota->redis, err, "SET %s %lld PX %d", key, (long long)left, news_ms);
    freeReplyObject(reply);
    return reply == NULL ? -1 : 0;
}

int quota_correct(struct quota *quota, const struct quota_left *left, struct error *err)
{
    if (left->minute_available >= 0 &&
        set_left(quota, quota->keys[3], left->minute_available, MINUTE_NEWS_MS, err) != 0)
        return -1;
    if (left->day_available >= 0 &&
        set_left(quota, quota->keys[4], left->day_available, DAY_NEWS_MS, err) != 0)
        return -1;
    return 0;
}
