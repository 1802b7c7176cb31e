#include "history/ledger_orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/handle.h"
#include "net/redis.h"

enum { TIMEOUT_MS = 5000 };

struct ledger_orders {
    const struct config *config;
    struct redis *redis;
    int64_t now_ms; /* by the clock of Redis; 0: not asked yet */
};

struct ledger_orders *ledger_orders_new(const struct config *config)
{
    struct ledger_orders *ledger = mem_alloc(sizeof(*ledger));

    ledger->config = config;
    ledger->redis = redis_new(&config->redis.server, TIMEOUT_MS);
    return ledger;
}

void ledger_orders_free(struct ledger_orders *ledger)
{
    if (ledger == NULL)
        return;
    redis_free(ledger->redis);
    free(ledger);
}

static const char *element(const redisReply *reply, size_t i)
{
    if (reply->type != REDIS_REPLY_ARRAY || i >= reply->elements ||
        reply->element[i]->type != REDIS_REPLY_STRING)
        return "";
    return reply->element[i]->str;
}

int ledger_orders_is_whole(struct ledger_orders *ledger, struct error *err)
{
    char run[LEDGER_RUN_BYTES] = "";
    redisReply *info = redis_command(ledger->redis, err, "INFO server");
    redisReply *marker;
    int whole;

    if (info == NULL)
        return -1;
    if (info->type == REDIS_REPLY_STRING)
        ledger_info_value(run, sizeof(run), info->str, "run_id");
    freeReplyObject(info);
    marker = redis_command(ledger->redis, err, "HMGET %s:ledger born_at run",
                           ledger->config->kafka.topic_prefix);
    if (marker == NULL)
        return -1;
    whole = element(marker, 0)[0] != '\0' && strcmp(element(marker, 1), run) == 0;
    freeReplyObject(marker);
    return whole;
}

static int read_clock(struct ledger_orders *ledger, struct error *err)
{
    redisReply *reply = redis_command(ledger->redis, err, "TIME");

    if (reply == NULL)
        return -1;
    ledger->now_ms = strtoll(element(reply, 0), NULL, 10) * 1000;
    freeReplyObject(reply);
    return 0;
}

/* @returns 1 when the question is queued; 0: there is no such entry, because its name would be too
 * long (an account's name may come from a record of anybody); -1 with an error */
static int queue(struct ledger_orders *ledger, const struct ledger_order *order, struct error *err)
{
    char key[LEDGER_KEY_BYTES];
    const char *words[] = {"HMGET", key, "state", "doubt", "lease"};
    struct error too_long = {0};

    if (ledger_entry_key(key, ledger->config->kafka.topic_prefix, text_of(order->account),
                         LEDGER_ORDER, text_of(order->key), &too_long) != 0)
        return 0;
    return redis_queue(ledger->redis, 5, words, NULL, err) == 0 ? 1 : -1;
}

static void read_entry(const struct ledger_orders *ledger, const redisReply *reply,
                       struct ledger_order *order)
{
    const char *doubt = element(reply, 1);

    order->is_done = strcmp(element(reply, 0), "done") == 0;
    order->doubt[0] = '\0';
    if (doubt[0] != '\0' && strtoll(element(reply, 2), NULL, 10) <= ledger->now_ms)
        snprintf(order->doubt, sizeof(order->doubt), "%s", doubt);
}

static int read_some(struct ledger_orders *ledger, struct ledger_order *orders, int count,
                     struct error *err)
{
    struct ledger_order *queued[LEDGER_PIPELINE_MAX];
    int queued_count = 0;

    for (int i = 0; i < count; i++) {
        int answer = queue(ledger, &orders[i], err);

        if (answer < 0) {
            redis_close(ledger->redis); /* together with what is queued already */
            return -1;
        }
        orders[i].is_done = 0;
        orders[i].doubt[0] = '\0';
        if (answer > 0)
            queued[queued_count++] = &orders[i];
    }
    for (int i = 0; i < queued_count; i++) {
        redisReply *reply = redis_next(ledger->redis, err);

        if (reply == NULL)
            return -1;
        read_entry(ledger, reply, queued[i]);
        freeReplyObject(reply);
    }
    return 0;
}

int ledger_orders_read(struct ledger_orders *ledger, struct ledger_order *orders, int count,
                       struct error *err)
{
    for (int i = 0; i < count; i += LEDGER_PIPELINE_MAX) {
        int some = count - i < LEDGER_PIPELINE_MAX ? count - i : LEDGER_PIPELINE_MAX;

        if (read_clock(ledger, err) != 0 || read_some(ledger, orders + i, some, err) != 0)
            return -1;
    }
    return 0;
}
