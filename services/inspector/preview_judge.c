/* preview_judge.c - what poller, filter and mapper would make of one order, by their own functions. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "history/order_name.h"

#include "preview.h"

enum { NUMBER_BYTES = 24 };

const char *preview_kind_name(enum preview_kind kind)
{
    static const char *const names[] = {"synced", "skipped", "parked"};

    return names[kind];
}

void preview_judge_init(struct preview_judge *judge, const struct config *config,
                        const struct config_store *store, int64_t start_from_ms,
                        const struct regions *regions)
{
    *judge =
        (struct preview_judge){.config = config, .store = store, .start_from_ms = start_from_ms};
    topics_init(&judge->topics, config);
    judge->filter_settings =
        (struct stage_settings){.config = config, .service = "filter", .topics = &judge->topics};
    judge->mapper_settings =
        (struct stage_settings){.config = config, .service = "mapper", .topics = &judge->topics};
    filter_init(&judge->filter, &judge->filter_settings);
    mapper_init(&judge->mapper, &judge->mapper_settings, regions);
}

void preview_judge_clear(struct preview_judge *judge)
{
    filter_clear(&judge->filter);
    mapper_clear(&judge->mapper);
    topics_clear(&judge->topics);
}

static void say(struct preview_answer *answer, enum preview_kind kind, enum reason reason,
                const char *detail)
{
    answer->kind = kind;
    answer->reason = reason;
    snprintf(answer->detail, sizeof(answer->detail), "%s", detail != NULL ? detail : "");
}

static void release(struct result *result)
{
    for (int i = 0; i < result->output_count; i++)
        free(result->outputs[i].owned_value);
}

/* An order that does not pass: a stage's result as an answer. */
static void take_verdict(struct preview_answer *answer, const struct result *result)
{
    say(answer, result->verdict == VERDICT_SKIP ? PREVIEW_SKIPPED : PREVIEW_PARKED, result->reason,
        result->detail);
}

/* What the filter passed on goes through the mapper. */
static void map(struct preview_judge *judge, const struct output *eligible,
                struct preview_answer *answer)
{
    struct event in = {.key = eligible->key,
                       .value = eligible->value,
                       .topic = judge->topics.lanes[TOPIC_LANE_ORDERS].eligible};
    struct result mapped = {0};

    for (int i = 0; i < HEADER_COUNT; i++)
        in.headers[i] = eligible->headers[i];
    mapper_handle(&judge->mapper, &in, &mapped);
    if (mapped.verdict != VERDICT_PASS)
        take_verdict(answer, &mapped);
    else if (text_is(mapped.outputs[0].headers[HEADER_KIND], "withdrawn"))
        /* The pusher skips it, unless an older version was delivered; this one makes nothing. */
        say(answer, PREVIEW_SKIPPED, REASON_STATUS, "refunded, cancelled or the like");
    else
        buffer_append(&answer->payload, mapped.outputs[0].value.data,
                      mapped.outputs[0].value.length);
    release(&mapped);
}

/* The record that the poller would publish goes through filter and mapper. */
static void judge_record(struct preview_judge *judge, const struct whole_order *order,
                         struct preview_answer *answer)
{
    char key[ORDER_KEY_BYTES], modified_at[NUMBER_BYTES], start_from[NUMBER_BYTES];
    struct event in = {.value = order->bytes, .topic = judge->topics.lanes[TOPIC_LANE_ORDERS].raw};
    struct result filtered = {0};

    snprintf(key, sizeof(key), "%s/order/%lld", judge->store->hash, (long long)order->id);
    snprintf(modified_at, sizeof(modified_at), "%lld", (long long)order->modified_ms);
    snprintf(start_from, sizeof(start_from), "%lld", (long long)judge->start_from_ms);
    in.key = text_of(key);
    in.headers[HEADER_KIND] = text_of("order");
    in.headers[HEADER_STORE] = text_of(judge->store->hash);
    in.headers[HEADER_ACCOUNT] = text_of(judge->store->account);
    in.headers[HEADER_SOURCE] = text_of("poll");
    in.headers[HEADER_START_FROM] = text_of(start_from);
    in.headers[HEADER_MODIFIED_AT] = text_of(modified_at);
    filter_handle(&judge->filter, &in, &filtered);
    if (filtered.verdict == VERDICT_PASS)
        map(judge, &filtered.outputs[0], answer);
    else
        take_verdict(answer, &filtered);
    release(&filtered);
}

void preview_judge_order(struct preview_judge *judge, const struct whole_order *order,
                         struct preview_answer *answer)
{
    buffer_reset(&answer->payload);
    say(answer, PREVIEW_SYNCED, REASON_NONE, NULL);
    if (order->reason != REASON_NONE)
        say(answer, order->reason == REASON_ARCHIVED ? PREVIEW_SKIPPED : PREVIEW_PARKED,
            order->reason, order->detail);
    else if ((int64_t)order->bytes.length + TOPIC_ENVELOPE_BYTES >
             judge->config->kafka.max_record_bytes)
        say(answer, PREVIEW_PARKED, REASON_TOO_LARGE, "larger than max_record_bytes");
    else
        judge_record(judge, order, answer);
}
