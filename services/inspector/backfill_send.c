/* backfill_send.c - what a backfill writes into Kafka, and how far it may be ahead of the pushers. */
#include "backfill.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/stop.h"
#include "history/spot.h"
#include "record/trace.h"

#include "whole_order.h"

enum { NUMBER_BYTES = 24, IN_FRONT_MAX = 4000, ASK_AGAIN_MS = 500 };

/* The texts of one record. */
struct texts {
    char key[EVENT_STORE_BYTES_MAX + DIGEST_BYTES + 16];
    char modified_at[NUMBER_BYTES], polled_at[NUMBER_BYTES], start_from[NUMBER_BYTES];
    char size[80];
    char trace[TRACE_BYTES];
};

static void print_ms(char *target, int64_t at_ms)
{
    snprintf(target, NUMBER_BYTES, "%" PRId64, at_ms);
}

/* Fills in what each record has. The key is in texts. version: of the order, as text */
static void fill(const struct backfill *backfill, struct texts *texts, struct text version,
                 struct output *output)
{
    struct text parts[] = {text_of(texts->key), version};

    *output = (struct output){.key = parts[0], .partition_hash = event_hash(0, parts[0])};
    trace_begin(texts->trace, parts, 2);
    print_ms(texts->polled_at, clock_now_ms());
    print_ms(texts->start_from, backfill->start_from_ms);
    output->headers[HEADER_KIND] = text_of("order");
    output->headers[HEADER_STORE] = text_of(backfill->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(backfill->store->account);
    output->headers[HEADER_SOURCE] = text_of("backfill");
    output->headers[HEADER_LANE] = text_of(topic_lane_names[TOPIC_LANE_HISTORY]);
    if (backfill->position.leave_out[0] != '\0')
        output->headers[HEADER_LEAVE_OUT] = text_of(backfill->position.leave_out);
    output->headers[HEADER_POLLED_AT] = text_of(texts->polled_at);
    output->headers[HEADER_START_FROM] = text_of(texts->start_from);
    output->headers[HEADER_TRACEPARENT] = text_of(texts->trace);
}

/* Says in the output why the order is dead, as the poller would. */
static void make_dead(struct backfill *backfill, enum reason reason, const char *detail,
                      struct output *output)
{
    output->topic = backfill->survey->topics.dead;
    output->headers[HEADER_REASON] = text_of(reason_name(reason));
    output->headers[HEADER_DETAIL] = text_of(detail);
    output->headers[HEADER_STAGE] = text_of("poller");
    backfill->dead++;
}

int backfill_send(struct backfill *backfill, const struct whole_order *order, struct error *err)
{
    struct texts texts;
    struct output output;
    size_t bytes = order->bytes.length;

    if (order->reason == REASON_ARCHIVED) {
        backfill->gone++;
        return 0;
    }
    snprintf(texts.key, sizeof(texts.key), "%s/order/%" PRId64, backfill->store->hash, order->id);
    print_ms(texts.modified_at, order->modified_ms);
    fill(backfill, &texts, text_of(texts.modified_at), &output);
    if (order->modified_ms >= 0)
        output.headers[HEADER_MODIFIED_AT] = text_of(texts.modified_at);
    output.value = order->bytes;
    if (order->reason == REASON_TOO_LARGE ||
        (int64_t)bytes + TOPIC_ENVELOPE_BYTES > backfill->config->kafka.max_record_bytes) {
        snprintf(texts.size, sizeof(texts.size), "{\"id\":%" PRId64 ",\"size\":%zu}", order->id,
                 bytes);
        output.value = text_of(texts.size);
        make_dead(backfill, REASON_TOO_LARGE, "larger than max_record_bytes", &output);
    } else if (order->reason != REASON_NONE) {
        make_dead(backfill, order->reason, order->detail, &output);
    } else {
        output.topic = backfill->survey->topics.lanes[TOPIC_LANE_HISTORY].raw;
        backfill->published++;
    }
    return send_queue(backfill->act->send, &output, err);
}

int backfill_send_unreadable(struct backfill *backfill, struct text bytes, struct error *err)
{
    char digest[DIGEST_BYTES];
    struct texts texts;
    struct output output;

    digest_hex(digest, &bytes, 1);
    snprintf(texts.key, sizeof(texts.key), "%s/unreadable/%s", backfill->store->hash, digest);
    fill(backfill, &texts, text_of(digest), &output);
    output.value = bytes;
    make_dead(backfill, REASON_MALFORMED, "the store's answer about the order cannot be read",
              &output);
    return send_queue(backfill->act->send, &output, err);
}

enum outcome backfill_save(struct backfill *backfill, int is_end, struct error *err)
{
    struct buffer value = {0};
    struct output output = {.topic = backfill->survey->topics.cursors,
                            .key = text_of(backfill->key),
                            .partition_hash = event_hash(0, text_of(backfill->key))};
    enum outcome outcome;

    if (send_wait(backfill->act->send, err) != 0)
        return OUTCOME_TROUBLE;
    outcome = ask_wait(&backfill->asker, 0, err); /* the position of the run that has the lease */
    if (outcome == OUTCOME_LOST)
        return outcome;
    if (!is_end)
        backfill_position_print(&backfill->position, clock_now_ms(), &value);
    output.value = (struct text){value.data, value.length};
    if (send_one(backfill->act->send, &output, err) != 0)
        outcome = OUTCOME_TROUBLE;
    buffer_clear(&value);
    return outcome;
}

/* How many orders of the history the services have not finished, and how many records wait for the
 * account, where those of the history are put while it is closed. */
static int count_in_front(const struct backfill *backfill, int64_t *in_front, struct error *err)
{
    const struct topics *topics = &backfill->survey->topics;
    const struct lane_topics *lane = &topics->lanes[TOPIC_LANE_HISTORY];
    int account = backfill->store->account_index;
    const char *const of_filter[] = {lane->raw}, *const of_mapper[] = {lane->eligible};
    const char *const of_pusher[] = {lane->payloads, topics->waiting[account],
                                     topics->waiting_orders[account]};
    const char *const *const inputs[SPOT_GROUP_COUNT] = {of_filter, of_mapper, of_pusher};

    *in_front = 0;
    for (int i = 0; i < SPOT_GROUP_COUNT; i++)
        if (survey_unread(backfill->config, spot_groups[i], inputs[i], i == 2 ? 3 : 1, in_front,
                          err) != 0)
            return -1;
    return 0;
}

enum outcome backfill_wait_for_room(struct backfill *backfill, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    while (backfill->room <= 0 && outcome == OUTCOME_OK) {
        int64_t in_front;

        backfill->is_cancelled |= act_is_cancelled();
        if (backfill->is_cancelled)
            return OUTCOME_OK;
        if (count_in_front(backfill, &in_front, err) != 0)
            return OUTCOME_TROUBLE;
        backfill->room = IN_FRONT_MAX - in_front;
        if (backfill->room > 0)
            break;
        backfill->way.in_front = in_front;
        backfill->way.run_ms = clock_monotonic_ms() - backfill->begun_ms;
        backfill_progress_show(&backfill->progress, &backfill->way);
        outcome = ask_wait(&backfill->asker, ASK_AGAIN_MS, err);
    }
    backfill->way.in_front = 0;
    return outcome;
}
