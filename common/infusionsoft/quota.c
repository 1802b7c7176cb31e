#include "infusionsoft/quota.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/redis.h"

#include "infusionsoft/turns.h"

enum {
    KEY_COUNT = 9,
    KEY_BYTES = 200,
    ARGUMENTS_MAX = 8,
    WAIT_MAX_MS = 5000, /* longest time between two questions: another caller may have given its
                           place back */
    STEP_MS = 50,       /* one of a lane that can be overtaken looks so often whether it is */
    UNKNOWN_WAIT_MS = 1000,
    PAUSE_MAX_MS = 120000, /* twice the longest wait that the limits of second and minute can
                              cause */
};

static const char text[] = {
#include "infusionsoft/quota.lua.h"
};

/* The windows whose quota is shown. */
enum { MINUTE = 0, DAY, WINDOWS };

enum { DAY_MS = 86400000 };

/* How much of the limits a lane leaves to the lanes before it, in percent. */
static const int64_t reserves[TOPIC_LANE_COUNT] = {0, 10, 20, 30};

struct quota {
    struct quota_settings settings;
    struct redis_script script;
    char keys[KEY_COUNT][KEY_BYTES];
    char owner[24]; /* makes the ids of different processes differ */
    struct metric *alarms;
    struct metric *left[WINDOWS], *limit[WINDOWS]; /* NULL before they are known */
    int64_t day;                                   /* day since 1970 for which left[DAY] holds */
    pthread_mutex_t news;                          /* protects these three */
    pthread_mutex_t door;                          /* protects the members up to line */
    pthread_cond_t next;
    struct turns turns;     /* the threads that wait, each with a turn on its stack */
    struct turn *called;    /* the one of them that is next; it is on its way */
    int is_taken;           /* one thread has its turn and waits until its call is allowed */
    int64_t spare_id;       /* id of a call that was allowed but not made; 0: none */
    int64_t spare_until_ms; /* by clock_monotonic_ms(): until when spare_id may be used */
    pthread_mutex_t line;   /* protects the next members */
    struct redis *redis;
    int64_t last_id;
};

struct quota *quota_new(const struct quota_settings *settings)
{
    static const char *const names[KEY_COUNT] = {"calls",    "next",   "pace",      "pause", "day",
                                                 "day-left", "minute", "announced", "wanted"};
    struct quota *quota;
    char labels[160];

    if (settings->per_s == 0 && settings->per_min == 0 && settings->per_day == 0)
        return NULL;
    quota = mem_alloc(sizeof(*quota));
    quota->settings = *settings;
    quota->redis = redis_new(settings->server, settings->timeout_ms);
    quota->script = (struct redis_script){.name = "quota", .prelude = "", .body = text};
    redis_script_init(&quota->script);
    pthread_mutex_init(&quota->door, NULL);
    pthread_cond_init(&quota->next, NULL);
    pthread_mutex_init(&quota->line, NULL);
    pthread_mutex_init(&quota->news, NULL);
    for (int i = 0; i < KEY_COUNT; i++)
        snprintf(quota->keys[i], KEY_BYTES, "%.60s:quota:%.80s:%s", settings->prefix,
                 settings->name, names[i]);
    snprintf(quota->owner, sizeof(quota->owner), "%08" PRIx64 "%08" PRIx64,
             (uint64_t)(retry_chance() * 4294967296.0), (uint64_t)(retry_chance() * 4294967296.0));
    snprintf(labels, sizeof(labels), "kind=\"day_quota_low\",account=\"%.80s\"", settings->name);
    quota->alarms = metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
    return quota;
}

void quota_free(struct quota *quota)
{
    if (quota == NULL)
        return;
    redis_free(quota->redis);
    pthread_mutex_destroy(&quota->door);
    pthread_cond_destroy(&quota->next);
    pthread_mutex_destroy(&quota->line);
    pthread_mutex_destroy(&quota->news);
    free(quota);
}

/* Runs the script with a word and numbers. line must be locked. The reply is new, or NULL. */
static redisReply *run(struct quota *quota, const char *word, int64_t id, const int64_t *numbers,
                       int count, struct error *err)
{
    const char *arguments[1 + KEY_COUNT + ARGUMENTS_MAX] = {"9"};
    size_t lengths[1 + KEY_COUNT + ARGUMENTS_MAX];
    char texts[ARGUMENTS_MAX][24], name[64];
    int used = 1;

    for (int i = 0; i < KEY_COUNT; i++)
        arguments[used++] = quota->keys[i];
    snprintf(name, sizeof(name), "%s-%" PRId64, quota->owner, id);
    arguments[used++] = word;
    arguments[used++] = name;
    for (int i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%" PRId64, numbers[i]);
        arguments[used++] = texts[i];
    }
    for (int i = 0; i < used; i++)
        lengths[i] = strlen(arguments[i]);
    return redis_script_run(quota->redis, &quota->script, used, arguments, lengths, err);
}

static int64_t reply_number(const redisReply *reply, size_t index)
{
    return reply->type == REDIS_REPLY_ARRAY && index < reply->elements &&
                   reply->element[index]->type == REDIS_REPLY_INTEGER
               ? reply->element[index]->integer
               : 0;
}

/* Asks once whether a call may be made. *wait_ms 0: it may. @returns -1: Redis did not answer */
static int ask(struct quota *quota, enum topic_lane lane, int64_t *id, int64_t *wait_ms,
               enum quota_answer *answer, struct error *err)
{
    const struct quota_settings *settings = &quota->settings;
    int64_t numbers[] = {settings->per_s, settings->per_min, settings->per_day, reserves[lane],
                         settings->call_ms};
    redisReply *reply;

    pthread_mutex_lock(&quota->line);
    *id = ++quota->last_id;
    reply = run(quota, "take", *id, numbers, 5, err);
    pthread_mutex_unlock(&quota->line);
    if (reply == NULL)
        return -1;
    *wait_ms = reply_number(reply, 0);
    *answer = reply_number(reply, 1) == 1   ? QUOTA_DAY_USED_UP
              : reply_number(reply, 1) == 2 ? QUOTA_LANE_USED_UP
                                            : QUOTA_GO;
    freeReplyObject(reply);
    return 0;
}

/* Returns the id of a call that was allowed but not made, while it may still be used, or 0. */
static int64_t take_spare(struct quota *quota)
{
    int64_t id;

    pthread_mutex_lock(&quota->door);
    id = clock_monotonic_ms() < quota->spare_until_ms ? quota->spare_id : 0;
    quota->spare_id = 0;
    pthread_mutex_unlock(&quota->door);
    return id;
}

void quota_give_back(struct quota *quota, int64_t id)
{
    pthread_mutex_lock(&quota->door);
    quota->spare_id = id; /* an id that nobody takes is counted as a call for as long as a call
                             can take */
    quota->spare_until_ms = clock_monotonic_ms() + quota->settings.call_ms / 2;
    pthread_mutex_unlock(&quota->door);
}

/* Waits, but no longer than until one of a lane before this one wants the turn. @returns 1: a stop was
 * requested */
static int wait_in_turn(struct quota *quota, enum topic_lane lane, int64_t wait_ms, int *overtaken)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;

    if (lane == TOPIC_LANE_ORDERS)
        return stop_wait_ms(wait_ms);
    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();

        pthread_mutex_lock(&quota->door);
        *overtaken = turns_has_before(&quota->turns, lane);
        pthread_mutex_unlock(&quota->door);
        if (*overtaken || left_ms <= 0)
            return 0;
        if (stop_wait_ms(left_ms < STEP_MS ? left_ms : STEP_MS))
            return 1;
    }
}

/* overtaken: out, the turn is to be given to another one; the answer means nothing then */
static enum quota_answer wait_turn(struct quota *quota, enum topic_lane lane, int64_t *id,
                                   int64_t *wait_ms, int *overtaken)
{
    enum quota_answer answer = QUOTA_GO;
    int warned = 0;

    *overtaken = 0;

    while (!stop_requested()) {
        struct error err = {0};
        int64_t spare = take_spare(quota);

        if (spare != 0) {
            *id = spare;
            return QUOTA_GO;
        }
        if (ask(quota, lane, id, wait_ms, &answer, &err) != 0) {
            if (!warned++)
                log_warn("quota unknown account=%s error=\"%s\"", quota->settings.name, err.text);
            *wait_ms = UNKNOWN_WAIT_MS;
        } else if (answer != QUOTA_GO) {
            return answer;
        } else if (*wait_ms == 0) {
            return QUOTA_GO;
        } else if (*wait_ms > PAUSE_MAX_MS) {
            return QUOTA_PAUSED;
        }
        if (*wait_ms > WAIT_MAX_MS)
            *wait_ms = WAIT_MAX_MS;
        if (wait_in_turn(quota, lane, *wait_ms, overtaken) || *overtaken)
            break;
    }
    return QUOTA_STOPPED;
}

static void take_turn(struct quota *quota, enum topic_lane lane, int64_t since_ms, uint32_t flow)
{
    struct turn me = {.since_ms = since_ms, .lane = lane, .flow = flow};

    pthread_mutex_lock(&quota->door);
    turns_add(&quota->turns, &me);
    if (!quota->is_taken && quota->called == NULL)
        quota->called = turns_take(&quota->turns);
    while (quota->called != &me)
        pthread_cond_wait(&quota->next, &quota->door);
    quota->called = NULL;
    quota->is_taken = 1;
    pthread_mutex_unlock(&quota->door);
}

static void end_turn(struct quota *quota)
{
    pthread_mutex_lock(&quota->door);
    quota->is_taken = 0;
    quota->called = turns_take(&quota->turns);
    pthread_cond_broadcast(&quota->next);
    pthread_mutex_unlock(&quota->door);
}

enum quota_answer quota_wait(struct quota *quota, enum topic_lane lane, int64_t since_ms,
                             uint32_t flow, int64_t *id, int64_t *wait_ms)
{
    enum quota_answer answer;
    int overtaken;

    do {
        take_turn(quota, lane, since_ms, flow);
        answer = wait_turn(quota, lane, id, wait_ms, &overtaken);
        end_turn(quota);
    } while (overtaken);
    return answer;
}

/* Shows what is left of a window; news must be locked. Nothing is shown of what is not known. */
static void show(struct quota *quota, int window, int64_t left, int64_t limit)
{
    if (left < 0 || limit <= 0)
        return;
    if (quota->left[window] == NULL) {
        char labels[160];

        snprintf(labels, sizeof(labels), "account=\"%.80s\",window=\"%s\"", quota->settings.name,
                 window == DAY ? "day" : "minute");
        quota->left[window] = metric_gauge("bigfusion_account_quota_left",
                                           "Calls that may still be made in this window", labels);
        quota->limit[window] = metric_gauge("bigfusion_account_quota_limit",
                                            "Calls that may be made in this window", labels);
    }
    metric_set(quota->left[window], left);
    metric_set(quota->limit[window], limit);
}

void quota_mind_day(struct quota *quota, int64_t now_ms)
{
    if (quota == NULL)
        return;
    pthread_mutex_lock(&quota->news);
    if (quota->left[DAY] != NULL && now_ms / DAY_MS > quota->day)
        metric_set(quota->left[DAY], metric_value(quota->limit[DAY]));
    pthread_mutex_unlock(&quota->news);
}

void quota_done(struct quota *quota, int64_t id, const struct quota_news *news)
{
    int64_t numbers[] = {news->minute_limit,  news->minute_available, news->day_limit,
                         news->day_available, news->pause_ms,         quota->settings.per_day};
    struct error err = {0};
    redisReply *reply;
    int64_t left = -1;

    pthread_mutex_lock(&quota->line);
    reply = run(quota, "done", id, numbers, 6, &err);
    pthread_mutex_unlock(&quota->line);
    /* Without a reply the call counts for as long as a call can take, which may be too long, but
     * never too short. */
    if (reply != NULL) {
        left = reply_number(reply, 0);
        pthread_mutex_lock(&quota->news);
        quota->day = clock_now_ms() / DAY_MS;
        show(quota, MINUTE, news->minute_available, news->minute_limit);
        show(quota, DAY, reply_number(reply, 1), reply_number(reply, 2));
        pthread_mutex_unlock(&quota->news);
    }
    freeReplyObject(reply);
    if (left < 0)
        return;
    metric_add(quota->alarms, 1);
    log_warn("day_quota_low account=%s left=%" PRId64
             " orders wait once it is used up, until 00:00 UTC",
             quota->settings.name, left);
}
