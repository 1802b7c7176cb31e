#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/stop.h"

enum {
    FAILURE_LOG_MS = 10000,
    STOP_ROOM_MS = 2000,
};

int ticket_is_stale(const struct ticket *ticket)
{
    return ticket->partition->revoked || ticket->generation != ticket->partition->window.generation;
}

struct ticket *ticket_new(struct stage *stage, struct partition *partition,
                          rd_kafka_message_t *message)
{
    struct ticket *ticket = stage->pool;

    if (ticket != NULL) {
        stage->pool = ticket->next;
    } else {
        ticket = mem_alloc(sizeof(*ticket));
        ticket->stage = stage;
        ticket->all_next = stage->all;
        stage->all = ticket;
    }
    kafka_event_of(message, &ticket->event);
    ticket->event.topic = stage->settings.inputs[partition->input];
    ticket->message = message;
    ticket->copy = NULL;
    ticket->partition = partition;
    ticket->bytes = message->len + message->key_len;
    ticket->handed = ticket->abandoned = ticket->is_too_large = 0;
    ticket->deaths = ticket->offered = 0;
    window_add(&partition->window, message->offset);
    ticket->generation = partition->window.generation;
    partition->ticket_count++;
    metric_add(stage->bytes, (int64_t)ticket->bytes);
    return ticket;
}

static void drop_bytes(struct ticket *ticket)
{
    if (ticket->message != NULL)
        rd_kafka_message_destroy(ticket->message);
    free(ticket->copy);
    ticket->message = NULL;
    ticket->copy = NULL;
}

static char *copy_text(char *target, struct text *text)
{
    if (text->data == NULL)
        return target;
    if (text->length > 0)
        memcpy(target, text->data, text->length);
    text->data = target;
    return target + text->length;
}

/* A message keeps the whole answer of the broker alive that it came in, up to 2 MB: one that stays
 * longer is copied. */
void ticket_own_bytes(struct ticket *ticket)
{
    struct event *event = &ticket->event;
    size_t size = event->key.length + event->value.length + 1;
    char *target;

    if (ticket->message == NULL)
        return;
    for (int i = 0; i < HEADER_COUNT; i++)
        size += event->headers[i].length;
    target = mem_check(malloc(size));
    ticket->copy = target;
    target = copy_text(target, &event->key);
    target = copy_text(target, &event->value);
    for (int i = 0; i < HEADER_COUNT; i++)
        target = copy_text(target, &event->headers[i]);
    rd_kafka_message_destroy(ticket->message);
    ticket->message = NULL;
}

void ticket_release(struct stage *stage, struct ticket *ticket)
{
    drop_bytes(ticket);
    if (ticket->deaths > 0) {
        stage->suspects--;
        atomic_store(&stage->is_alone, 0);
    }
    if (ticket->handed) {
        stage->inflight--;
        stage->inflight_bytes -= (int64_t)ticket->bytes;
    }
    if (--ticket->partition->ticket_count == 0 && ticket->partition->revoked)
        partition_release(ticket->partition);
    ticket->partition = NULL;
    ticket->next = stage->pool;
    stage->pool = ticket;
}

static void log_fate(const struct event *event, const struct result *result)
{
    char key[128], detail[2 * sizeof(result->detail)], place[320];
    int dead = result->verdict == VERDICT_DEAD;

    if (result->verdict != VERDICT_SKIP && !dead && !log_enabled(LOG_DEBUG))
        return;
    log_escape(key, sizeof(key), event->key.data, event->key.length);
    snprintf(place, sizeof(place), "%s/%d/%lld", event->topic, event->partition,
             (long long)event->offset);
    log_escape(detail, sizeof(detail), result->detail, strlen(result->detail));
    if (result->verdict == VERDICT_SKIP)
        log_info("skipped key=%s reason=%s detail=\"%s\"", key, reason_name(result->reason),
                 detail);
    else if (dead)
        log_warn("dead key=%s reason=%s detail=\"%s\" origin=%s", key, reason_name(result->reason),
                 detail, place);
    else
        log_debug("%s key=%s reason=%s detail=\"%s\"", verdict_name(result->verdict), key,
                  reason_name(result->reason), detail);
}

static int is_within(struct text part, struct text whole)
{
    return part.data != NULL && whole.data != NULL && part.data >= whole.data &&
           part.data + part.length <= whole.data + whole.length;
}

/* After a stop was asked for, room is waited for a moment only: it may never come, where a topic
 * was deleted. What was not sent is not committed, so it is read again. */
static int is_over(struct stage *stage)
{
    int64_t now_ms;

    if (atomic_load(&stage->ended) || atomic_load(&stage->is_fatal))
        return 1;
    if (!stop_requested() || !pthread_equal(pthread_self(), stage->thread))
        return 0;
    now_ms = clock_monotonic_ms();
    if (stage->stop_seen_ms == 0)
        stage->stop_seen_ms = now_ms;
    return now_ms - stage->stop_seen_ms > STOP_ROOM_MS;
}

/* The producer's queue is full: the stage's thread makes room by serving reports, others wait for
 * it. */
static int wait_for_room(struct stage *stage)
{
    if (is_over(stage))
        return -1;
    if (pthread_equal(pthread_self(), stage->thread)) {
        stage_breathe(stage, 10);
    } else {
        struct timespec pause = {.tv_nsec = 2000000};

        nanosleep(&pause, NULL);
    }
    return 0;
}

static void send_output(struct stage *stage, struct ticket *ticket, struct output *output)
{
    int borrow = output->owned_value == NULL && is_within(output->value, ticket->event.value);
    struct error err = {0};

    for (;;) {
        enum producer_answer answer;

        atomic_fetch_add(&ticket->waits, 1);
        answer = producer_send(stage->producer, output, borrow, ticket, &err);
        if (answer == PRODUCER_QUEUED)
            return;
        atomic_fetch_sub(&ticket->waits, 1);
        if (answer == PRODUCER_FULL && wait_for_room(stage) == 0)
            continue;
        if (answer == PRODUCER_TOO_LARGE) {
            ticket->too_large_bytes = output->value.length;
            atomic_store(&ticket->failed, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
        } else {
            atomic_store(&ticket->failed, RD_KAFKA_RESP_ERR__FAIL);
        }
        if (answer == PRODUCER_FATAL)
            stage_fail(stage, &err);
        free(output->owned_value);
        return;
    }
}

/* One report or the sender is done with the ticket; the last one has it settled. */
static void drop_wait(struct stage *stage, struct ticket *ticket)
{
    if (atomic_fetch_sub(&ticket->waits, 1) != 1)
        return;
    if (pthread_equal(pthread_self(), stage->thread)) {
        ticket->next = stage->finished;
        stage->finished = ticket;
        return;
    }
    pthread_mutex_lock(&stage->lock);
    ticket->next = stage->completed;
    stage->completed = ticket;
    pthread_mutex_unlock(&stage->lock);
}

static void ticket_send(struct stage *stage, struct ticket *ticket, struct result *result)
{
    ticket->verdict = result->verdict;
    ticket->reason = result->reason;
    ticket->too_large_bytes = ticket->event.value.length;
    atomic_store(&ticket->failed, 0);
    atomic_store(&ticket->waits, 1);
    if (result->verdict != VERDICT_PASS)
        log_fate(&ticket->event, result);
    for (int i = 0; i < result->output_count; i++)
        send_output(stage, ticket, &result->outputs[i]);
    drop_wait(stage, ticket);
}

void ticket_on_report(void *context, void *opaque, rd_kafka_resp_err_t error)
{
    struct ticket *ticket = opaque;

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        atomic_store(&ticket->failed, error);
    drop_wait(context, ticket);
}

static void offer(struct stage *stage, struct ticket *ticket)
{
    int taken = stage->suspects > 0 ? claim_offer(stage, ticket)
                                    : stage->offer(stage->context, ticket, &ticket->event) == 0;

    if (taken) {
        stage->held = NULL;
        stage->held_wait_ms = 1;
    } else {
        stage->held = ticket;
    }
}

void ticket_offer_held(struct stage *stage)
{
    if (stage->held != NULL)
        offer(stage, stage->held);
}

/* Whether its topic is read. The one record of stage_take_one() pauses it again at once, so that
 * none comes behind it. */
static int is_read(struct stage *stage, const struct partition *partition)
{
    int how = TOPIC_ONE;

    if (!atomic_compare_exchange_strong(&stage->topic_paused[partition->input], &how, TOPIC_PAUSED))
        return how != TOPIC_PAUSED;
    stage_apply_topic_pauses(stage);
    return 1;
}

void ticket_hand(struct stage *stage, struct ticket *ticket, int is_due)
{
    int64_t wait_ms = is_due ? 0 : ticket_due_in_ms(stage, &ticket->event);

    if (wait_ms == 0 && !is_read(stage, ticket->partition))
        wait_ms = TICKET_REDO_MS;
    if (wait_ms > 0) {
        ticket_park(stage, ticket, clock_monotonic_ms() + wait_ms);
        return;
    }
    if (ticket->partition->behind_count > 0)
        ticket_put_behind(stage, ticket);
    else
        ticket_hand_over(stage, ticket);
}

void ticket_hand_over(struct stage *stage, struct ticket *ticket)
{
    struct partition *partition = ticket->partition;
    enum claim_verdict verdict = CLAIM_HAND;
    struct result result = {0};
    int is_allowed = handout_allows(&partition->handout, ticket->event.offset);

    if (partition->is_watched) {
        verdict = claim_first(stage, ticket, &result);
        is_allowed = handout_allows(&partition->handout, ticket->event.offset);
    }
    if (verdict != CLAIM_POISON && !is_allowed) {
        ticket_put_behind(stage, ticket);
        return;
    }
    ticket->handed = 1;
    stage->inflight++;
    stage->inflight_bytes += (int64_t)ticket->bytes;
    if (stage->ramp > 0)
        stage->ramp_left--;
    if (verdict == CLAIM_POISON) {
        ticket_send(stage, ticket, &result);
        return;
    }
    handout_note(&partition->handout, ticket->event.offset);
    stage->is_mark_low |= handout_is_low(&partition->handout, stage->settings.mark_block);
    if (stage->offer != NULL) {
        ticket_own_bytes(ticket);
        offer(stage, ticket);
    } else {
        if (ticket->deaths > 0)
            claim_as(stage, ticket, CLAIM_ALONE);
        stage->handler(stage->context, &ticket->event, &result);
        ticket_send(stage, ticket, &result);
    }
}

static void count_fate(struct stage *stage, const struct ticket *ticket)
{
    struct metric **metric = &stage->records[ticket->verdict][ticket->reason];

    if (*metric == NULL) {
        char labels[160];

        snprintf(labels, sizeof(labels), "stage=\"%s\",verdict=\"%s\",reason=\"%s\"",
                 stage->settings.service, verdict_name(ticket->verdict),
                 reason_name(ticket->reason));
        *metric = metric_counter("bigfusion_records_total", "Records finished", labels);
    }
    metric_add(*metric, 1);
}

static void log_failure(struct stage *stage, const struct ticket *ticket, int code)
{
    int64_t now_ms = clock_monotonic_ms();

    if (stage->failure_logged_ms != 0 && now_ms - stage->failure_logged_ms < FAILURE_LOG_MS)
        return;
    stage->failure_logged_ms = now_ms;
    log_error("kafka did not take the outcome of a record, it is done again topic=%s partition=%d "
              "offset=%lld error=\"%s\"",
              ticket->event.topic, ticket->event.partition, (long long)ticket->event.offset,
              rd_kafka_err2str((rd_kafka_resp_err_t)code));
}

static void settle(struct stage *stage, struct ticket *ticket)
{
    int failed = atomic_load(&ticket->failed);

    if (ticket_is_stale(ticket) || ticket->abandoned) {
        ticket_release(stage, ticket);
    } else if (failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !ticket->is_too_large) {
        struct result result = {0};

        ticket->is_too_large = 1;
        result_too_large(&result, &stage->settings, &ticket->event, ticket->too_large_bytes);
        ticket_send(stage, ticket, &result);
    } else if (failed != 0) {
        log_failure(stage, ticket, failed);
        ticket->is_too_large = 0;
        ticket_park(stage, ticket, clock_monotonic_ms() + TICKET_REDO_MS);
    } else {
        CRASH_POINT("published", "");
        if (ticket->deaths > 0)
            stage->next_commit_ms = 0; /* its claim says "in hands" until then */
        window_finish(&ticket->partition->window, ticket->generation, ticket->event.offset);
        count_fate(stage, ticket);
        ticket_release(stage, ticket);
    }
}

void ticket_settle_all(struct stage *stage)
{
    struct ticket *list;

    if (stage->offer != NULL) {
        pthread_mutex_lock(&stage->lock);
        list = stage->completed;
        stage->completed = NULL;
        pthread_mutex_unlock(&stage->lock);
        while (list != NULL) {
            struct ticket *ticket = list;

            list = ticket->next;
            settle(stage, ticket);
        }
    }
    while (stage->finished != NULL) {
        struct ticket *ticket = stage->finished;

        stage->finished = ticket->next;
        settle(stage, ticket);
    }
}

void ticket_free_all(struct stage *stage)
{
    while (stage->all != NULL) {
        struct ticket *ticket = stage->all;

        stage->all = ticket->all_next;
        drop_bytes(ticket);
        if (ticket->partition != NULL && --ticket->partition->ticket_count == 0 &&
            ticket->partition->revoked)
            partition_release(ticket->partition);
        free(ticket);
    }
    stage->pool = NULL;
    free(stage->due);
    stage->due = NULL;
    stage->due_count = stage->due_capacity = 0;
}

const struct event *ticket_event(const struct ticket *ticket) { return &ticket->event; }

void stage_complete(struct stage *stage, struct ticket *ticket, struct result *result)
{
    ticket_send(stage, ticket, result);
    stage_wake(stage);
}

void stage_abandon(struct stage *stage, struct ticket *ticket)
{
    ticket->abandoned = 1;
    atomic_store(&ticket->waits, 1);
    drop_wait(stage, ticket);
    stage_wake(stage);
}
