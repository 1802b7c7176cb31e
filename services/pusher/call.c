#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/stop.h"
#include "entry.h"
#include "merge.h"

enum {
    THROTTLED_MAX_MS = 30000,     /* a worker waits no longer than this after one 429 */
    THROTTLED_LONGEST_MS = 60000, /* and no longer than this after 429s in a row */
    BEGUN_LEAST_MS = 1000, /* a step need not be begun again within this, whatever the settings */
};

/* Whether this record tries whether the account, or its orders, work again. */
static int is_trial(const struct delivery *d)
{
    return d->job->trials[ACCOUNT_ALL].trying || d->job->trials[ACCOUNT_ORDERS].trying;
}

static void close_account(struct delivery *d, enum account_cause cause, const char *why,
                          const char *proof, int64_t wait_ms)
{
    account_close(d->account, ACCOUNT_ALL, d->job->trials, cause, why, proof, wait_ms);
}

/* Every call of a delivery goes through here. */
static enum infusionsoft_outcome call(struct delivery *d, const char *method, const char *path,
                                      const char *query, struct text body)
{
    enum infusionsoft_outcome outcome = infusionsoft_call(d->client, method, path, query, body);

    snprintf(d->calls.last, sizeof(d->calls.last), "%s %.*s", method,
             1 + (int)strcspn(path + 1, "/"), path);
    if ((outcome == INFUSIONSOFT_OK || outcome == INFUSIONSOFT_REFUSED) && is_trial(d))
        account_called(d->account, d->job->trials, d->calls.last);
    metric_add(d->pusher->calls, 1);
    if (outcome != INFUSIONSOFT_THROTTLED)
        d->calls.throttled_count = d->calls.throttled_ms = 0;
    return outcome;
}

/* After a 429: waits. PROGRESS_OK: call again. Where the wait would be long, as when the day's
 * quota is used up, the account is closed for that time instead, because other accounts need the
 * worker. */
static enum progress wait_throttled(struct delivery *d)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(d->client);
    int64_t wait_ms = answer->wait_ms;

    if (!d->job->trials[ACCOUNT_ALL].trying && account_state(d->account) == ACCOUNT_CLOSED)
        return PROGRESS_CLOSED;
    if (answer->lane_used_up) { /* the lanes before it go on */
        d->wait_ms = wait_ms;
        return PROGRESS_LATER;
    }
    if (answer->day_used_up || wait_ms > THROTTLED_MAX_MS ||
        d->calls.throttled_ms > THROTTLED_LONGEST_MS) {
        close_account(d, answer->day_used_up ? ACCOUNT_QUOTA : ACCOUNT_THROTTLED,
                      answer->day_used_up ? "the day's quota is used up"
                                          : "the account asks for a long pause (429)",
                      NULL, wait_ms);
        return PROGRESS_CLOSED;
    }
    for (int i = 0; i < d->calls.throttled_count && wait_ms < THROTTLED_MAX_MS / 2; i++)
        wait_ms *= 2;
    d->calls.throttled_count++;
    d->calls.throttled_ms += (int)wait_ms;
    log_debug("throttled account=%s wait_ms=%lld", account_config(d->account)->name,
              (long long)wait_ms);
    return stop_wait_ms(wait_ms) ? PROGRESS_STOPPED : PROGRESS_OK;
}

void call_keep_answer(struct delivery *d)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(d->client);

    infusionsoft_answer_word(d->client, d->answer, sizeof(d->answer));
    snprintf(d->detail, sizeof(d->detail), "%.150s", answer->error.text);
}

int call_is_gone(const struct delivery *d)
{
    int status = infusionsoft_answer(d->client)->status;

    return status == 404 || status == 410;
}

unsigned call_refused_regions(const struct delivery *d)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(d->client);

    return answer->status == 400 ? merge_refused_regions(answer->body) : 0;
}

/* Whether the call failed only because the process stops: the call was not sent any more, or a GET
 * was broken off. */
static int is_stopped(const struct delivery *d, enum infusionsoft_outcome outcome)
{
    return stop_requested() &&
           (outcome == INFUSIONSOFT_UNSENT ||
            (outcome == INFUSIONSOFT_IN_DOUBT && infusionsoft_answer(d->client)->status == 0));
}

enum progress call_failed_or_closed(struct delivery *d)
{
    char why[DELIVERY_DETAIL_BYTES];
    enum infusionsoft_outcome outcome;

    snprintf(why, sizeof(why), "%s", d->detail);
    call(d, "GET", "/oauth/connect/userinfo", NULL, (struct text){0});
    outcome = infusionsoft_check_user(d->client);
    if (is_stopped(d, outcome))
        return PROGRESS_STOPPED;
    if (outcome == INFUSIONSOFT_UNAUTHORIZED || outcome == INFUSIONSOFT_UNSENT ||
        outcome == INFUSIONSOFT_IN_DOUBT) {
        close_account(d, account_cause_of(outcome), why, NULL, -1);
        return PROGRESS_CLOSED;
    }
    /* Where many different records fail in a row, this closes the account all the same. */
    account_record_failed(d->account, d->job->trials, event_hash(0, d->job->event->key));
    return PROGRESS_FAILED;
}

enum progress call_failed(struct delivery *d, enum infusionsoft_outcome outcome)
{
    enum progress progress;

    switch (outcome) {
    case INFUSIONSOFT_REFUSED:
    case INFUSIONSOFT_FORBIDDEN:
        call_keep_answer(d);
        d->reason = REASON_REFUSED;
        return PROGRESS_REFUSED;
    case INFUSIONSOFT_UNAUTHORIZED:
        call_keep_answer(d);
        close_account(d, ACCOUNT_UNAUTHORIZED, d->detail, ACCOUNT_ANY_CALL, -1);
        return PROGRESS_CLOSED;
    case INFUSIONSOFT_THROTTLED:
        progress = wait_throttled(d);
        return progress == PROGRESS_OK ? PROGRESS_CLOSED : progress;
    default:
        if (is_stopped(d, outcome))
            return PROGRESS_STOPPED;
        call_keep_answer(d);
        return call_failed_or_closed(d);
    }
}

enum progress call_says_nothing(struct delivery *d, const char *missing)
{
    if (missing != NULL)
        infusionsoft_says_nothing(d->client, missing);
    return call_failed(d, INFUSIONSOFT_IN_DOUBT);
}

enum progress call_forbidden(struct delivery *d)
{
    call_keep_answer(d);
    close_account(d, ACCOUNT_FORBIDDEN, d->detail, d->calls.last, -1);
    return PROGRESS_CLOSED;
}

enum progress call_no_orders(struct delivery *d)
{
    /* The keeper's probe only reads lists. Whether orders may be written, a record has to show. */
    const char *proof = strncmp(d->calls.last, "GET ", 4) == 0 ? NULL : d->calls.last;

    call_keep_answer(d);
    account_close(d->account, ACCOUNT_ORDERS, d->job->trials, ACCOUNT_NO_MODULE, d->detail, proof,
                  -1);
    return PROGRESS_NO_ORDERS;
}

enum progress call_read(struct delivery *d, const char *method, const char *path, const char *query,
                        struct text body)
{
    for (;;) {
        enum infusionsoft_outcome outcome = call(d, method, path, query, body);
        enum progress progress;

        if (outcome == INFUSIONSOFT_OK)
            return PROGRESS_OK;
        if (outcome != INFUSIONSOFT_THROTTLED)
            return call_failed(d, outcome);
        progress = wait_throttled(d);
        if (progress != PROGRESS_OK)
            return progress;
    }
}

/* Whether too much time passed since the step was begun, because the process was frozen or Redis
 * took long. The lease may have run out by now, and another pusher may have looked the step up. */
static int begun_long_ago(const struct delivery *d)
{
    const struct config *config = d->pusher->config;
    int64_t shorter_s = config->pusher.lease_s < config->pusher.visibility_delay_s
                            ? config->pusher.lease_s
                            : config->pusher.visibility_delay_s;
    int64_t allowed_ms = (shorter_s - config->pusher.http_timeout_s) * 1000;

    return clock_monotonic_ms() - d->calls.begun_ms >
           (allowed_ms > BEGUN_LEAST_MS ? allowed_ms : BEGUN_LEAST_MS);
}

enum progress call_write(struct delivery *d, const struct ledger_grant *grant, const char *step,
                         int begun, const char *path, const char *query, struct text body,
                         enum infusionsoft_outcome *outcome)
{
    for (int again = 0;; begun = 0, again = 1) {
        enum progress ended;

        /* Ask the governor of the account's quota before the step is begun, so that nothing has to
         * be waited for between the begin and the call. */
        if (infusionsoft_admit(d->client) != 0) {
            *outcome = INFUSIONSOFT_UNSENT; /* the caller ends the step if it was begun already */
            return begun || again ? PROGRESS_OK : PROGRESS_STOPPED;
        }
        while (!begun || begun_long_ago(d)) {
            begun = 1;
            ended = entry_begin(d, grant, step);
            if (ended != PROGRESS_OK) {
                infusionsoft_dismiss(d->client);
                return ended;
            }
        }
        *outcome = call(d, "POST", path, query, body);
        CRASH_POINT("called", step);
        if (*outcome != INFUSIONSOFT_THROTTLED || wait_throttled(d) != PROGRESS_OK)
            return PROGRESS_OK; /* THROTTLED: the caller ends the step, it had no effect */
    }
}
