#include "deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/retry.h"
#include "base/stop.h"
#include "base/text.h"
#include "after_sync.h"
#include "decide.h"
#include "entry.h"
#include "fate.h"
#include "order.h"
#include "steps.h"

enum { AGAIN_WAIT_MS = 50, KEPT_WAIT_MS = 200 };

/* Since when somebody may have begun the order. A record of a retry or waiting topic was written by
 * a pusher, and a job that had an answer once had an entry. If the ledger has none now, it was
 * deleted, or a rebuild did not see it (its account was not in that pusher's settings, say): the
 * order is looked up, as one that is older than all that is kept. */
static int64_t first_seen_ms(const struct delivery *d)
{
    const struct payload *payload = &d->payload;

    if (d->job->was_answered || !topics_is_payloads(&d->pusher->topics, d->job->event->topic))
        return -1;
    return payload->placed_at < payload->polled_at ? payload->placed_at : payload->polled_at;
}

static enum progress acquire(struct delivery *d)
{
    const struct payload *payload = &d->payload;
    enum progress progress;
    struct ledger_request request = {
        .kind = LEDGER_ORDER,
        .account = d->job->head.account,
        .id = d->job->event->key,
        .modified_at = payload->modified_at,
        .first_seen_ms = first_seen_ms(d),
        .digest = payload->digest,
        .withdrawn = payload->kind == PAYLOAD_WITHDRAWN,
        .replay = payload->replay,
        .owner = d->job->owner,
    };

    d->peeked = 1;
    progress = entry_acquire(d, &request, d->grant, d->peeks, steps_set_peeks(d));
    d->job->was_answered |= progress == PROGRESS_OK;
    return progress;
}

/* Gives the entry back, in its final state or for a later attempt. A step whose end is pending is
 * ended in the same round trip. */
static enum progress finish(struct delivery *d, enum ledger_finish how, const char *reason)
{
    const char *step = d->pending.step.length > 0 ? d->pending.step.data : NULL;
    char *evidence = NULL;
    enum progress ended;

    /* Whoever goes on with the order, or publishes its fate again, needs the evidence. */
    if (how == LEDGER_FINISH_DONE || how == LEDGER_FINISH_RETRY) {
        struct evidence now = delivery_evidence(d);

        evidence = evidence_write(&now);
    }
    CRASH_POINT("finishing", "");
    ended = entry_finish(d, d->grant, how, step, step != NULL ? d->pending.result : NULL,
                         evidence != NULL ? evidence : reason, step != NULL);
    free(evidence);
    CRASH_POINT("finished", "");
    buffer_reset(&d->pending.step);
    return ended;
}

static enum progress finish_delivered(struct delivery *d, struct result *result)
{
    enum progress progress;

    delivery_leave_out(d);
    progress = finish(d, LEDGER_FINISH_DONE, NULL);
    if (progress == PROGRESS_OK) {
        account_record_succeeded(d->account, d->job->trials);
        fate_delivered(d, result);
    }
    return progress;
}

static enum progress finish_dead(struct delivery *d, enum reason reason, struct result *result)
{
    char detail[DELIVERY_DETAIL_BYTES + 32];
    enum progress progress = finish(d, LEDGER_FINISH_DEAD, reason_name(reason));

    snprintf(detail, sizeof(detail), "%s: %s", d->failed_step, d->detail);
    if (progress == PROGRESS_OK)
        return fate_dead(d, reason, detail, result);
    if (progress != PROGRESS_FAILED)
        return progress;
    fate_parked(d, reason, detail, result); /* the entry is damaged */
    return PROGRESS_OK;
}

/* This record failed, and the failure counts as one of its attempts. */
static enum progress finish_failed(struct delivery *d, struct result *result)
{
    struct failure failure = {.attempt = (int)d->payload.attempt + 1,
                              .max_attempts = (int)d->pusher->config->pusher.max_attempts,
                              .doubt = d->grant->doubt != NULL,
                              .is_made = steps_have_effect(d)};
    int topic;
    enum progress progress;

    switch (decide_failure(&failure, &topic)) {
    case DECISION_GIVE_UP:
        return finish_dead(d, REASON_GAVE_UP, result);
    case DECISION_INCOMPLETE:
        delivery_add_incomplete(d, d->failed_step, d->detail);
        progress = finish_delivered(d, result);
        if (progress != PROGRESS_FAILED)
            return progress;
        fate_parked(d, REASON_GAVE_UP, d->detail, result); /* the entry is damaged */
        return PROGRESS_OK;
    default:
        progress = finish(d, LEDGER_FINISH_RETRY, NULL);
        if (progress == PROGRESS_OK || progress == PROGRESS_FAILED) /* FAILED: damaged */
            fate_retry(d, topic, failure.attempt, result);
        return progress == PROGRESS_FAILED ? PROGRESS_OK : progress;
    }
}

/* The record waits for its account in hand: it is set aside for a while, and others may acquire its
 * order. */
static enum progress stay_in_hand(struct delivery *d)
{
    d->job->held = 0;
    d->wait_ms = KEPT_WAIT_MS / 2 + (int64_t)(retry_chance() * KEPT_WAIT_MS);
    return PROGRESS_LATER;
}

/* The account does not take the order for now. */
static enum progress wait_for_account(struct delivery *d, enum account_part part,
                                      struct result *result)
{
    enum progress progress = finish(d, LEDGER_FINISH_RETRY, NULL);

    if (progress != PROGRESS_OK)
        return progress;
    if (account_keep(d->account, part, d->job->trials, d->job->event->topic))
        return stay_in_hand(d);
    fate_waiting(d, part == ACCOUNT_ORDERS, result);
    return PROGRESS_OK;
}

/* Turns the way the steps ended into the state of the entry and the fate of the record. */
static enum progress settle(struct delivery *d, enum progress progress, struct result *result)
{
    int begun;

    if (progress == PROGRESS_REFUSED && d->grant->doubt != NULL)
        progress = PROGRESS_FAILED; /* no fate is final while a step is in doubt */
    if (progress == PROGRESS_REFUSED && steps_have_effect(d)) {
        delivery_add_incomplete(d, d->failed_step, NULL);
        progress = PROGRESS_OK;
    }
    switch (progress) {
    case PROGRESS_OK:
        if (d->payload.kind != PAYLOAD_WITHDRAWN || entry_result(d, "order") != NULL) {
            if (d->payload.kind ==
                PAYLOAD_WITHDRAWN) /* it is not known here which goals there are */
                delivery_add_incomplete(d, "goals", "withheld");
            return finish_delivered(d, result);
        }
        progress = finish(d, LEDGER_FINISH_WITHDRAWN, NULL);
        return progress == PROGRESS_OK ? fate_withdrawn(d, result) : progress;
    case PROGRESS_REFUSED:
        return finish_dead(d, d->reason, result);
    case PROGRESS_FAILED:
        return finish_failed(d, result);
    case PROGRESS_CLOSED:
        return wait_for_account(d, ACCOUNT_ALL, result);
    case PROGRESS_NO_ORDERS:
        return wait_for_account(d, ACCOUNT_ORDERS, result);
    case PROGRESS_LATER: /* the job goes on with its grant, which has to know what was made */
        progress = entry_end_pending(d, NULL, &begun);
        return progress == PROGRESS_OK ? PROGRESS_LATER : progress;
    default:
        return progress;
    }
}

/* The record came back only to have its order looked up once more. Its fate was published when this
 * copy of it was. */
static enum progress look_again(struct delivery *d, struct result *result)
{
    enum progress progress = PROGRESS_CLOSED;

    if (account_state(d->account) == ACCOUNT_USABLE) {
        account_facts(d->account, d->currency, &d->field);
        progress = order_look_again(d);
    }
    if (progress == PROGRESS_OK || progress == PROGRESS_STOPPED)
        return progress;
    fate_look_later(d, result);
    return PROGRESS_OK;
}

/* The order was delivered, and this later version of it may leave something on the contact. The
 * order's own answer stays `delivered`. Its entry is not held, so nothing is given back. */
static enum progress leave_after(struct delivery *d, struct result *result)
{
    struct failure failure = {.attempt = (int)d->payload.attempt + 1,
                              .max_attempts = (int)d->pusher->config->pusher.max_attempts,
                              .is_made = 1};
    int topic;
    enum progress progress = account_enter(d->account, ACCOUNT_ALL, d->job->trials)
                                 ? after_sync_step(d)
                                 : PROGRESS_CLOSED;

    if (progress == PROGRESS_OK) {
        account_record_succeeded(d->account, d->job->trials);
    } else if (progress == PROGRESS_CLOSED) {
        if (account_keep(d->account, ACCOUNT_ALL, d->job->trials, d->job->event->topic))
            return stay_in_hand(d);
        fate_waiting(d, 0, result);
        return PROGRESS_OK;
    } else if (progress == PROGRESS_REFUSED) { /* the contact itself */
        delivery_add_incomplete(d, d->failed_step, NULL);
    } else if (progress != PROGRESS_FAILED) {
        return progress;
    } else if (decide_failure(&failure, &topic) == DECISION_RETRY) {
        fate_retry(d, topic, failure.attempt, result);
        return PROGRESS_OK;
    } else {
        delivery_add_incomplete(d, d->failed_step, d->detail);
    }
    fate_delivered(d, result);
    return PROGRESS_OK;
}

/* Whether an operator dropped this very version. The command may have been killed before it
 * published the fate. */
static int was_dropped(const struct delivery *d)
{
    return payload_is_order(&d->payload) && d->grant->modified_at == d->payload.modified_at &&
           strcmp(d->grant->reason, reason_name(REASON_DROPPED)) == 0;
}

/* The ledger granted nothing: somebody else has the order, or it has its fate already. The fate is
 * published again, for nobody knows whether it was published the first time. */
static enum progress answer_final(struct delivery *d, struct result *result)
{
    switch (d->grant->answer) {
    case LEDGER_BUSY:
        d->wait_ms = d->grant->wait_ms;
        return PROGRESS_LATER;
    case LEDGER_OLD:
        return was_dropped(d) ? fate_dropped(d, result) : fate_old(d, result);
    case LEDGER_DEAD:
        d->reason = reason_of(d->grant->reason, strlen(d->grant->reason));
        if (d->reason == REASON_NONE) /* somebody else wrote it: there is no fate to repeat */
            return fate_old(d, result);
        return fate_dead(d, d->reason, reason_sentence(d->reason), result);
    default: /* DONE: the order exists, and a newer version of it changes nothing there; or this
                version of a contact or product was delivered */
        if (d->payload.look_was_asked && payload_is_order(&d->payload))
            return look_again(d, result);
        if (after_sync_applies(d))
            return leave_after(d, result);
        fate_delivered(d, result);
        return PROGRESS_OK;
    }
}

/* A withdrawal that needs no look-up and leaves nothing behind needs no call either. It does not wait
 * for the account, or the older versions that wait there would be delivered before it. */
static int needs_no_call(const struct delivery *d)
{
    return d->payload.kind == PAYLOAD_WITHDRAWN && d->grant->doubt == NULL &&
           !(after_sync_applies(d) && entry_result(d, "order") != NULL);
}

/* The whole way, from acquire to the fate. A job that still has its lease goes on without acquire.
 * */
static enum progress deliver_once(struct delivery *d, struct result *result)
{
    enum progress progress;

    if (!d->job->held && account_still_waits(d->account, d->job->trials))
        return stay_in_hand(d);
    if (!d->job->held) {
        progress = acquire(d);
        if (progress == PROGRESS_FAILED)
            return finish_failed(d, result);
        if (progress != PROGRESS_OK)
            return progress;
        delivery_recall(d);
        if (d->grant->answer != LEDGER_GRANT && d->grant->answer != LEDGER_RECONCILE)
            return answer_final(d, result);
        d->job->held = 1;
        CRASH_POINT("acquired", "");
    }
    if (!needs_no_call(d) && !account_enter(d->account, ACCOUNT_ALL, d->job->trials)) {
        progress = PROGRESS_CLOSED;
    } else {
        account_facts(d->account, d->currency, &d->field); /* known once the account is open */
        progress = steps_take(d);
    }
    progress = settle(d, progress, result);
    if (progress == PROGRESS_FAILED) /* the entry was found damaged when it was given back */
        return finish_failed(d, result);
    return progress;
}

static int is_other(struct text header, const char *ours)
{
    return header.data != NULL && !text_is(header, ours);
}

/* Whose order it is, the record's key and the configuration say. A record that says otherwise would
 * bring the order of one store into the account of another. */
static int check_tenant(const struct config *config, const struct job *job, struct error *err)
{
    const struct event *event = job->event;
    const struct config_store *store;
    struct event_key key;

    if (event_key_parse(event->key, &key) != 0)
        return error_set(err, ERROR_PERMANENT, "the key names no order, contact or product");
    store = config_store_by_hash(config, key.store);
    if (store == NULL)
        return error_set(err, ERROR_PERMANENT, "no store of that hash is configured");
    if (store->account_index != job->account_index ||
        is_other(event->headers[HEADER_ACCOUNT], store->account))
        return error_set(err, ERROR_PERMANENT, "the record names another account than its store's");
    if (is_other(event->headers[HEADER_STORE], store->hash))
        return error_set(err, ERROR_PERMANENT, "the record names another store than its key");
    return 0;
}

/* Reads the record. If it is not a payload, nothing is begun for it. -1: its fate is in result. */
static int read_record(struct delivery *d, struct job *job, struct result *result)
{
    struct error err = {0};

    d->job = job;
    if (payload_read(job->event, &job->head, clock_now_ms(), &d->payload, &err) == 0 &&
        check_tenant(d->pusher->config, job, &err) == 0)
        return 0;
    fate_malformed(d, err.text, result);
    return -1;
}

enum delivered deliver(struct delivery *d, struct job *job, struct result *result, int64_t *wait_ms)
{
    enum progress progress;

    if (read_record(d, job, result) != 0)
        return DELIVERED_RESULT;
    d->gave_up_redis = 0;
    do {
        delivery_start(d, job);
        progress = deliver_once(d, result);
        account_leave(d->account, job->trials);
        job->call_count += infusionsoft_call_count(d->client) - d->calls.count_before;
        if (progress == PROGRESS_AGAIN) {
            job->held = 0;
            if (stop_wait_ms((int64_t)(retry_chance() * AGAIN_WAIT_MS)) ||
                stage_is_revoked(d->pusher->stage, job->ticket))
                progress = PROGRESS_STOPPED;
        }
    } while (progress == PROGRESS_AGAIN);
    if (progress == PROGRESS_OK)
        return DELIVERED_RESULT;
    if (progress == PROGRESS_LATER) {
        *wait_ms = d->wait_ms < 1                       ? 1
                   : d->wait_ms > DELIVERY_LATER_MAX_MS ? DELIVERY_LATER_MAX_MS
                                                        : d->wait_ms;
        return DELIVERED_LATER;
    }
    deliver_give_back(d, job);
    return DELIVERED_STOPPED;
}

void deliver_give_back(struct delivery *d, struct job *job)
{
    struct evidence evidence = job->evidence;
    enum ledger_answer answer;
    struct error err = {0};
    char *note;

    if (!job->held || d->gave_up_redis)
        return;
    job->held = 0;
    evidence.calls += job->call_count;
    note = evidence_write(&evidence);
    if (ledger_finish(d->ledger, &job->grant, LEDGER_FINISH_RETRY, NULL, NULL, note, NULL, &answer,
                      &err) != 0)
        d->gave_up_redis = 1;
    free(note);
}
