#include "answer_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history/outside_text.h"

enum { REDIS_TIMEOUT_MS = 1000, AGAIN_MS = 3000 };

struct answers *answers_new(const struct config *config, struct index *index, struct error *err)
{
    struct answers *answers = mem_alloc(sizeof(*answers));

    answers->config = config;
    answers->index = index;
    answers->paused = paused_watch_start(config, err);
    answers->live = answers->paused != NULL ? live_start(config, err) : NULL;
    if (answers->live == NULL) {
        paused_watch_free(answers->paused);
        free(answers);
        return NULL;
    }
    store_ask_group_init(&answers->asks, config);
    return answers;
}

void answers_free(struct answers *answers)
{
    if (answers == NULL)
        return;
    live_stop(answers->live);
    paused_watch_free(answers->paused);
    store_ask_group_clear(&answers->asks);
    free(answers);
}

struct answerer *answerer_new(struct answers *answers, struct error *err)
{
    struct answerer *answerer = mem_alloc(sizeof(*answerer));

    answerer->answers = answers;
    answerer->reader = index_reader_open(answers->index, err);
    if (answerer->reader == NULL) {
        free(answerer);
        return NULL;
    }
    answerer->ledger = ledger_orders_new(answers->config);
    answerer->redis = redis_new(&answers->config->redis.server, REDIS_TIMEOUT_MS);
    answerer->stores = store_ask_new(&answers->asks);
    return answerer;
}

void answerer_free(struct answerer *answerer)
{
    if (answerer == NULL)
        return;
    store_ask_free(answerer->stores);
    redis_free(answerer->redis);
    ledger_orders_free(answerer->ledger);
    index_reader_close(answerer->reader);
    free(answerer);
}

json_t *answer_refuse(struct answer_fault *fault, int status, const char *code, const char *format,
                      ...)
{
    va_list arguments;

    fault->status = status;
    snprintf(fault->code, sizeof(fault->code), "%s", code);
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof(fault->text), format, arguments);
    va_end(arguments);
    return NULL;
}

json_t *answer_no_index(struct answer_fault *fault, struct error *err)
{
    answer_refuse(fault, 503, "index_unavailable", "The index cannot be read now: %s", err->text);
    error_clear(err);
    return NULL;
}

json_t *answer_index(struct answerer *answerer)
{
    struct index_progress progress;

    index_progress(answerer->answers->index, &progress);
    return json_pack(
        "{s:b, s:o, s:o, s:o}", "is_caught_up", progress.is_caught_up, "behind_s",
        progress.behind_ms >= 0 ? json_real((double)progress.behind_ms / 1000) : json_null(),
        "as_of", outside_time_json(progress.as_of_ms), "trouble",
        progress.trouble[0] != '\0' ? outside_text_json(text_of(progress.trouble)) : json_null());
}

int answer_is_paused(struct answerer *answerer, enum paused_kind kind, const char *name)
{
    return name != NULL && paused_watch_state(answerer->answers->paused, kind, name) == PAUSED_YES;
}

static int64_t number_of(const redisReply *reply, size_t i)
{
    const char *text = reply->element[i]->type == REDIS_REPLY_STRING ? reply->element[i]->str : "";
    int64_t number = text[0] != '\0' ? strtoll(text, NULL, 10) : -1;

    return number >= 0 ? number : -1;
}

/* An instant is never 0: that stands for none. */
static int64_t instant_of(const redisReply *reply, size_t i)
{
    int64_t instant = number_of(reply, i);

    return instant > 0 ? instant : -1;
}

void answer_poll_state(struct answerer *answerer, const char *hash, struct poll_state *state)
{
    struct error ignored = {0};
    redisReply *reply;

    *state = (struct poll_state){.polled_ms = -1, .next_ms = -1, .quota_left = -1};
    if (clock_monotonic_ms() < answerer->ledger_again_ms)
        return;
    reply = redis_command(answerer->redis, &ignored,
                          "HMGET %s:poller:%s:state polled_at next_poll_at trouble quota_left",
                          answerer->answers->config->kafka.topic_prefix, hash);
    if (reply == NULL)
        answerer->ledger_again_ms = clock_monotonic_ms() + AGAIN_MS;
    else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 4) {
        state->polled_ms = instant_of(reply, 0);
        state->next_ms = instant_of(reply, 1);
        state->quota_left = number_of(reply, 3);
        if (reply->element[2]->type == REDIS_REPLY_STRING)
            snprintf(state->trouble, sizeof(state->trouble), "%s", reply->element[2]->str);
    }
    if (reply != NULL)
        freeReplyObject(reply);
}
