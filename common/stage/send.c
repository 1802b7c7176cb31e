#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"

enum { FAILURE_LOG_MS = 10000, ROOM_WAIT_NS = 2000000 };

static void log_fate(const struct event *event, const struct result *result)
{
    char detail[2 * sizeof(result->detail)], place[320];
    int dead = result->verdict == VERDICT_DEAD;

    if (result->verdict != VERDICT_SKIP && !dead && !log_enabled(LOG_DEBUG))
        return;
    snprintf(place, sizeof(place), "%s/%d/%lld", event->topic, event->partition,
             (long long)event->offset);
    log_escape(detail, sizeof(detail), result->detail, strlen(result->detail));
    if (result->verdict == VERDICT_SKIP)
        log_info("skipped reason=%s detail=\"%s\"", reason_name(result->reason), detail);
    else if (dead)
        log_warn("dead reason=%s detail=\"%s\" origin=%s", reason_name(result->reason), detail,
                 place);
    else
        log_debug("%s reason=%s detail=\"%s\"", verdict_name(result->verdict),
                  reason_name(result->reason), detail);
}

static int is_within(struct text part, struct text whole)
{
    return part.data != NULL && whole.data != NULL && part.data >= whole.data &&
           part.data + part.length <= whole.data + whole.length;
}

/* The outputs of a result, from `next` on, for which the producer had no room. */
struct unsent {
    struct unsent *next_unsent;
    struct ticket *ticket;
    struct result result;
    int next;
};

/* Sends one output. @returns 0 when the producer is full, else 1: it took the output, or
 * ticket->failed says why not */
static int send_output(struct stage *stage, struct ticket *ticket, struct output *output)
{
    int borrow = output->owned_value == NULL && is_within(output->value, ticket->event.value);
    struct error err = {0};
    enum producer_answer answer;

    atomic_fetch_add(&ticket->waits, 1);
    answer = producer_send(stage->producer, output, borrow, ticket, &err);
    if (answer == PRODUCER_QUEUED)
        return 1;
    atomic_fetch_sub(&ticket->waits, 1);
    if (answer == PRODUCER_FULL && !atomic_load(&stage->ended) && !atomic_load(&stage->is_fatal))
        return 0;
    if (answer == PRODUCER_TOO_LARGE) {
        ticket->too_large_bytes = output->value.length;
        atomic_store(&ticket->failed, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    } else {
        atomic_store(&ticket->failed, RD_KAFKA_RESP_ERR__FAIL);
    }
    if (answer == PRODUCER_FATAL)
        stage_fail(stage, &err);
    free(output->owned_value);
    return 1;
}

/* Called for each report and by the sender. The last call has the ticket settled. */
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

/* The stage's thread never waits inside a send. What the producer does not take is kept, and the
 * loop, which also serves the producer's reports, tries again. */
static void keep_unsent(struct stage *stage, struct ticket *ticket, const struct result *result,
                        int next)
{
    struct unsent *unsent = mem_alloc(sizeof(*unsent)), **link = &stage->unsent;

    *unsent = (struct unsent){.ticket = ticket, .result = *result, .next = next};
    while (*link != NULL)
        link = &(*link)->next_unsent;
    *link = unsent;
}

void ticket_send(struct stage *stage, struct ticket *ticket, struct result *result)
{
    int is_ours = pthread_equal(pthread_self(), stage->thread);
    int i = 0;

    ticket->verdict = result->verdict;
    ticket->reason = result->reason;
    ticket->too_large_bytes = ticket->event.value.length;
    atomic_store(&ticket->failed, 0);
    atomic_store(&ticket->waits, 1);
    if (result->verdict != VERDICT_PASS || log_enabled(LOG_DEBUG)) {
        const struct log_about about = event_about(&ticket->event);
        const struct log_about *before = log_set_about(&about);

        log_fate(&ticket->event, result);
        log_set_about(before);
    }
    while (i < result->output_count && !(is_ours && stage->unsent != NULL)) {
        if (send_output(stage, ticket, &result->outputs[i])) {
            i++;
        } else if (is_ours) {
            break;
        } else {
            struct timespec pause = {.tv_nsec = ROOM_WAIT_NS};

            nanosleep(&pause, NULL);
        }
    }
    if (i < result->output_count)
        keep_unsent(stage, ticket, result, i);
    else
        drop_wait(stage, ticket);
}

static void free_outputs(struct result *result, int from)
{
    for (int i = from; i < result->output_count; i++)
        free(result->outputs[i].owned_value);
}

/* The outputs of a record whose partition was revoked are not sent, because the next owner does
 * that record again. */
static void send_unsent(struct stage *stage)
{
    while (stage->unsent != NULL) {
        struct unsent *unsent = stage->unsent;
        struct result *result = &unsent->result;
        int is_stale = ticket_is_stale(unsent->ticket);

        for (; !is_stale && unsent->next < result->output_count; unsent->next++)
            if (!send_output(stage, unsent->ticket, &result->outputs[unsent->next]))
                return;
        free_outputs(result, unsent->next);
        stage->unsent = unsent->next_unsent;
        drop_wait(stage, unsent->ticket);
        free(unsent);
    }
}

void ticket_free_unsent(struct stage *stage)
{
    while (stage->unsent != NULL) {
        struct unsent *unsent = stage->unsent;

        stage->unsent = unsent->next_unsent;
        free_outputs(&unsent->result, unsent->next);
        free(unsent);
    }
}

void ticket_on_report(void *context, void *opaque, rd_kafka_resp_err_t error)
{
    struct ticket *ticket = opaque;

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        atomic_store(&ticket->failed, error);
    drop_wait(context, ticket);
}

static void log_failure(struct stage *stage, const struct ticket *ticket, int code)
{
    int64_t now_ms = clock_monotonic_ms();
    const struct log_about about = event_about(&ticket->event);
    const struct log_about *before;

    if (stage->failure_logged_ms != 0 && now_ms - stage->failure_logged_ms < FAILURE_LOG_MS)
        return;
    stage->failure_logged_ms = now_ms;
    before = log_set_about(&about);
    log_warn("kafka did not take the outcome of a record, it is done again topic=%s partition=%d "
             "offset=%lld error=\"%s\"",
             ticket->event.topic, ticket->event.partition, (long long)ticket->event.offset,
             rd_kafka_err2str((rd_kafka_resp_err_t)code));
    log_set_about(before);
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
            stage->next_commit_ms = 0; /* until then its claim says that it is in work */
        window_finish(&ticket->partition->window, ticket->generation, ticket->event.offset);
        measure_finished(stage, ticket);
        ticket_release(stage, ticket);
    }
}

void ticket_settle_all(struct stage *stage)
{
    struct ticket *list;

    send_unsent(stage);
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
