#include "entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"

/* While Redis cannot be reached, no record is to blame: the same call is repeated for as long as it
 * takes. The scripts accept a call that they have executed already. */
static const struct retry_policy redis_backoff = {0, 100, 5000};

enum {
    LOST_WAIT_MS = 200,
    /* So many failures in a row make the process not ready. They take some tenths of a second, more
       than it takes to connect again. */
    FAILURES_TOLD = 4,
    /* How soon a BUSY contact or product, and a BUSY order, is asked for again. */
    BUSY_LOOK_MS = 100,
    ORDER_LOOK_MS = 500,
};

/* One question to the ledger, which is asked until it is answered. Zero-initialise. */
struct question {
    struct error err; /* of the last call */
    int failures;
    enum progress progress; /* OK: it was answered; else why it is not asked any more */
};

/* After a call to the ledger that failed: waits. PROGRESS_OK: call again. */
static enum progress wait_for_redis(struct delivery *d, struct question *question)
{
    struct error *err = &question->err;

    if (err->kind == ERROR_PERMANENT) {
        /* The entry is damaged: this record is parked, and the others go on. */
        d->failed_step = "ledger";
        snprintf(d->detail, sizeof(d->detail), "%.150s", err->text);
        return PROGRESS_FAILED;
    }
    if (++question->failures == 1)
        log_debug("ledger unreachable error=\"%s\"", err->text);
    if (question->failures == FAILURES_TOLD)
        health_set_ready("ledger calls", 0, err->text);
    error_clear(err);
    return stop_wait_ms(retry_delay_ms(&redis_backoff, question->failures, retry_chance(), -1))
               ? PROGRESS_STOPPED
               : PROGRESS_OK;
}

/* Whether the call has to be made again. rc: what it returned. */
static int is_asked_again(struct delivery *d, struct question *question, int rc)
{
    if (rc != 0) {
        question->progress = wait_for_redis(d, question);
        return question->progress == PROGRESS_OK;
    }
    if (question->failures >= FAILURES_TOLD)
        health_set_ready("ledger calls", 1, NULL);
    return 0;
}

/* What the ledger's answer to a step means. called: a call with a possible effect was sent, so it
 * is an alarm if the entry is not ours any more. */
static enum progress progress_of(struct delivery *d, enum ledger_answer answer, const char *step,
                                 int called)
{
    if (strcmp(step, "acquire") != 0) /* those are counted by entry_acquire() */
        metric_add(d->pusher->ledger_answers[answer], 1);
    switch (answer) {
    case LEDGER_OK:
        return PROGRESS_OK;
    case LEDGER_OK_STALE:
        log_warn("lease_ran_out step=%s", step);
        return PROGRESS_OK;
    case LEDGER_LOST:
        rebuild_request(d->pusher->rebuild);
        if (stop_wait_ms(LOST_WAIT_MS))
            return PROGRESS_STOPPED;
        break;
    default:
        break;
    }
    if (called) {
        metric_add(d->pusher->alarms_fenced, 1);
        log_error("fenced step=%s answer=%s effect=possible", step, ledger_answer_name(answer));
    }
    return PROGRESS_AGAIN;
}

/* Notes the end of a step in the grant too, so that a job that was set aside knows where it was. */
static void note_step(struct ledger_grant *grant, const char *step, const char *result)
{
    struct ledger_step *steps;

    if (grant->doubt != NULL && strcmp(grant->doubt, step) == 0) {
        free(grant->doubt);
        grant->doubt = NULL;
    }
    if (result == NULL)
        return;
    for (int i = 0; i < grant->step_count; i++) {
        if (strcmp(grant->steps[i].name, step) == 0) {
            free(grant->steps[i].result);
            grant->steps[i].result = mem_strdup(result);
            return;
        }
    }
    steps = mem_realloc(grant->steps, ((size_t)grant->step_count + 1) * sizeof(*steps));
    steps[grant->step_count].name = mem_strdup(step);
    steps[grant->step_count].result = mem_strdup(result);
    grant->steps = steps;
    grant->step_count++;
}

enum progress entry_begin(struct delivery *d, const struct ledger_grant *grant, const char *step)
{
    enum ledger_answer answer = LEDGER_FENCED;
    struct question question = {0};
    int rc;

    CRASH_POINT("beginning", step);
    do {
        d->calls.begun_ms = clock_monotonic_ms();
        rc = ledger_begin(d->ledger, grant, step, &answer, &question.err);
    } while (is_asked_again(d, &question, rc));
    if (question.progress != PROGRESS_OK)
        return question.progress;
    CRASH_POINT("begun", step);
    return progress_of(d, answer, step, 0);
}

enum progress entry_end(struct delivery *d, struct ledger_grant *grant, const char *step,
                        const char *result, const char *next, int called)
{
    enum ledger_answer answer = LEDGER_FENCED;
    struct question question = {0};
    int rc;

    do {
        d->calls.begun_ms = clock_monotonic_ms();
        rc = ledger_end(d->ledger, grant, step, result, next, &answer, &question.err);
    } while (is_asked_again(d, &question, rc));
    if (question.progress != PROGRESS_OK)
        return question.progress;
    if (next != NULL)
        CRASH_POINT("begun", next);
    else
        CRASH_POINT("ended", step);
    note_step(grant, step, result);
    return progress_of(d, answer, step, called);
}

enum progress entry_end_pending(struct delivery *d, const char *next, int *begun)
{
    enum progress progress;

    *begun = 0;
    if (d->pending.step.length == 0)
        return PROGRESS_OK;
    *begun = next != NULL && d->calls.are_free;
    progress =
        entry_end(d, d->grant, d->pending.step.data, d->pending.result, *begun ? next : NULL, 1);
    buffer_reset(&d->pending.step);
    return progress;
}

enum progress entry_finish(struct delivery *d, struct ledger_grant *grant, enum ledger_finish how,
                           const char *step, const char *result, const char *note, int called)
{
    enum ledger_answer answer = LEDGER_FENCED;
    struct question question = {0};
    int rc;

    do
        rc = ledger_finish(d->ledger, grant, how, step, result, note,
                           grant == d->grant ? &d->texts.note : NULL, &answer, &question.err);
    while (is_asked_again(d, &question, rc));
    if (question.progress != PROGRESS_OK)
        return question.progress;
    if (step != NULL) {
        CRASH_POINT("ended", step);
        note_step(grant, step, result);
    }
    return progress_of(d, answer, step != NULL ? step : "finish", called);
}

enum progress entry_acquire(struct delivery *d, const struct ledger_request *request,
                            struct ledger_grant *grant, struct ledger_peek *peeks, int count)
{
    struct question question = {0};
    int64_t look_ms;
    int rc;

    ledger_grant_clear(grant);
    do
        rc = ledger_acquire_and_peek(d->ledger, request, grant, peeks, count, &question.err);
    while (is_asked_again(d, &question, rc));
    if (question.progress != PROGRESS_OK)
        return question.progress;
    metric_add(d->pusher->ledger_answers[grant->answer], 1);
    /* The answer tells when the lease would run out. An owner that is alive is done with a contact
     * or product after one call, and with an order after a few, so ask again sooner. */
    look_ms = request->kind == LEDGER_ORDER ? ORDER_LOOK_MS : BUSY_LOOK_MS;
    if (grant->wait_ms > look_ms)
        grant->wait_ms = look_ms;
    return grant->answer == LEDGER_LOST ? progress_of(d, LEDGER_LOST, "acquire", 0) : PROGRESS_OK;
}

enum progress entry_peek(struct delivery *d, struct ledger_peek *peeks, int count)
{
    struct question question = {0};
    int rc;

    do
        rc = ledger_peek_many(d->ledger, d->job->head.account, peeks, count, &question.err);
    while (is_asked_again(d, &question, rc));
    return question.progress;
}

enum progress entry_forget(struct delivery *d, enum ledger_kind kind, const char *digest,
                           const char *stale_id)
{
    struct question question = {0};
    int rc;

    do
        rc = ledger_forget(d->ledger, d->job->head.account, kind, text_of(digest), stale_id,
                           &question.err);
    while (is_asked_again(d, &question, rc));
    return question.progress;
}

enum progress entry_epoch(struct delivery *d, int64_t *epoch)
{
    struct question question = {0};
    int rc;

    do
        rc = ledger_epoch(d->ledger, epoch, &question.err);
    while (is_asked_again(d, &question, rc));
    return question.progress;
}

const char *entry_result(const struct delivery *d, const char *step)
{
    return ledger_grant_step(d->grant, step);
}
