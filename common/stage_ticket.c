#include "stage_internal.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "log.h"
#include "stop.h"

enum {
    REDO_DELAY_MS = 1000,
    /* A header that asks for more is damaged: no retry topic waits longer than an hour. */
    DUE_LONGEST_MS = 2 * 3600 * 1000,
    /* Pausing costs a new fetch: records due this soon, up to so many, are rather kept at hand. */
    DUE_SOON_MS = 1000,
    DUE_KEPT_MAX = 64,
    FAILURE_LOG_MS = 10000,
    STOP_ROOM_MS = 2000,
};

static int is_stale(const struct ticket *ticket)
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

static void ticket_release(struct stage *stage, struct ticket *ticket)
{
    drop_bytes(ticket);
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
static void own_bytes(struct ticket *ticket)
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

static int due_before(const struct due *a, const struct due *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->sequence < b->sequence);
}

static void due_push(struct stage *stage, struct due due)
{
    int i = stage->due_count++;

    if (stage->due_count > stage->due_capacity) {
        stage->due_capacity = stage->due_capacity > 0 ? 2 * stage->due_capacity : 64;
        stage->due = mem_realloc(stage->due, (size_t)stage->due_capacity * sizeof(due));
    }
    for (; i > 0 && due_before(&due, &stage->due[(i - 1) / 2]); i = (i - 1) / 2)
        stage->due[i] = stage->due[(i - 1) / 2];
    stage->due[i] = due;
}

static struct ticket *due_pop(struct stage *stage)
{
    struct ticket *first = stage->due[0].ticket;
    struct due last = stage->due[--stage->due_count];
    int i = 0;

    for (;;) {
        int child = 2 * i + 1;

        if (child + 1 < stage->due_count && due_before(&stage->due[child + 1], &stage->due[child]))
            child++;
        if (child >= stage->due_count || !due_before(&stage->due[child], &last))
            break;
        stage->due[i] = stage->due[child];
        i = child;
    }
    if (stage->due_count > 0)
        stage->due[i] = last;
    return first;
}

void ticket_park(struct stage *stage, struct ticket *ticket, int64_t at_ms)
{
    struct partition *partition = ticket->partition;

    own_bytes(ticket);
    if (ticket->handed) {
        stage->inflight--;
        stage->inflight_bytes -= (int64_t)ticket->bytes;
        ticket->handed = 0;
    }
    due_push(stage, (struct due){at_ms, stage->due_sequence++, ticket});
    partition->parked_count++;
    if (partition->parked_count >= DUE_KEPT_MAX || at_ms - clock_monotonic_ms() > DUE_SOON_MS) {
        partition->pause |= PAUSE_DUE;
        group_apply_pauses(stage);
    }
}

static void unpark(struct stage *stage, struct ticket *ticket)
{
    struct partition *partition = ticket->partition;

    if (--partition->parked_count > DUE_KEPT_MAX / 2 || !(partition->pause & PAUSE_DUE))
        return;
    partition->pause &= ~PAUSE_DUE;
    group_apply_pauses(stage);
}

void ticket_hand_due(struct stage *stage)
{
    int64_t now_ms;

    if (stage->due_count == 0)
        return;
    now_ms = clock_monotonic_ms();
    while (stage->due_count > 0 && stage->due[0].at_ms <= now_ms && stage_has_room(stage)) {
        struct ticket *ticket = due_pop(stage);

        unpark(stage, ticket);
        if (is_stale(ticket))
            ticket_release(stage, ticket);
        else if (ticket->partition->pause & PAUSE_TOPIC)
            ticket_park(stage, ticket, now_ms + REDO_DELAY_MS);
        else
            ticket_hand(stage, ticket, 1);
    }
}

void ticket_drop_parked(struct stage *stage)
{
    if (stage->held != NULL)
        ticket_release(stage, stage->held);
    stage->held = NULL;
    while (stage->due_count > 0) {
        struct ticket *ticket = due_pop(stage);

        ticket->partition->parked_count--;
        ticket_release(stage, ticket);
    }
}

/* ms until the record is due, 0 when it is. One more than the difference: it is waited for on
 * another clock, and both are cut to whole ms. */
static int64_t due_in_ms(const struct event *event)
{
    int64_t not_before_ms, left_ms;

    if (event->headers[HEADER_NOT_BEFORE].data == NULL)
        return 0;
    not_before_ms = event_header_int(event, HEADER_NOT_BEFORE, 0);
    left_ms = not_before_ms - clock_now_ms();
    if (left_ms <= 0)
        return 0;
    left_ms++;
    return left_ms < DUE_LONGEST_MS ? left_ms : DUE_LONGEST_MS;
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
    if (stage->offer(stage->context, ticket, &ticket->event) == 0) {
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
    int64_t wait_ms = is_due ? 0 : due_in_ms(&ticket->event);

    if (wait_ms == 0 && !is_read(stage, ticket->partition))
        wait_ms = REDO_DELAY_MS;
    if (wait_ms > 0) {
        ticket_park(stage, ticket, clock_monotonic_ms() + wait_ms);
        return;
    }
    ticket->handed = 1;
    stage->inflight++;
    stage->inflight_bytes += (int64_t)ticket->bytes;
    if (stage->offer != NULL) {
        own_bytes(ticket);
        offer(stage, ticket);
    } else {
        struct result result = {0};

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

    if (is_stale(ticket) || ticket->abandoned) {
        ticket_release(stage, ticket);
    } else if (failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !ticket->is_too_large) {
        struct result result = {0};

        ticket->is_too_large = 1;
        result_too_large(&result, &stage->settings, &ticket->event, ticket->too_large_bytes);
        ticket_send(stage, ticket, &result);
    } else if (failed != 0) {
        log_failure(stage, ticket, failed);
        ticket->is_too_large = 0;
        ticket_park(stage, ticket, clock_monotonic_ms() + REDO_DELAY_MS);
    } else {
        CRASH_POINT("published", "");
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
