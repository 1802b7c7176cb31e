#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "entry.h"

struct delivery *delivery_new(struct pusher *pusher)
{
    struct delivery *d = mem_alloc(sizeof(*d));

    d->pusher = pusher;
    d->ledger = ledger_new(&pusher->ledger_settings);
    d->http = http_new("bigfusion-pusher", &pusher->config->http);
    d->clients = mem_alloc((size_t)pusher->config->account_count * sizeof(struct infusionsoft *));
    return d;
}

void delivery_free(struct delivery *d)
{
    struct buffer *buffers[] = {&d->texts.query,  &d->texts.path,    &d->texts.note_step,
                                &d->texts.goal,   &d->texts.attempt, &d->texts.not_before,
                                &d->pending.step, &d->texts.ids,     &d->texts.note,
                                &d->texts.tag};

    for (int i = 0; i < d->pusher->config->account_count; i++)
        infusionsoft_free(d->clients[i]);
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); i++)
        buffer_clear(buffers[i]);
    http_free(d->http);
    ledger_free(d->ledger);
    free(d->clients);
    payload_clear(&d->payload);
    free(d->peeks);
    free(d);
}

void delivery_start(struct delivery *d, struct job *job)
{
    d->job = job;
    d->grant = &job->grant;
    d->account = d->pusher->accounts[job->account_index];
    if (d->clients[job->account_index] == NULL)
        d->clients[job->account_index] = account_client_new(d->account, d->http);
    d->client = d->clients[job->account_index];
    if (job->begun_ms == 0)
        job->begun_ms = clock_monotonic_ms();
    infusionsoft_set_trace(d->client, d->pusher->config->pusher.send_traceparent
                                          ? job->event->headers[HEADER_TRACEPARENT]
                                          : (struct text){0});
    infusionsoft_set_since(d->client, job->begun_ms, job->lane, (uint32_t)job->store_index);
    d->store = config_store_by_hash(d->pusher->config, job->event->headers[HEADER_STORE]);
    d->calls.are_free = account_is_free(d->account);
    d->calls.count_before = infusionsoft_call_count(d->client);
    d->calls.throttled_count = d->calls.throttled_ms = 0;
    d->contact_id[0] = d->order_id[0] = '\0';
    d->order_total = -1;
    d->contact_cached = d->peeked = 0;
    d->detail[0] = d->answer[0] = '\0';
    d->reason = REASON_NONE;
    d->failed_step = "acquire";
    buffer_reset(&d->pending.step);
    buffer_reset(&d->texts.note);
}

void delivery_set_pending(struct delivery *d, const char *step, const char *result)
{
    buffer_reset(&d->pending.step);
    buffer_append(&d->pending.step, step, strlen(step));
    snprintf(d->pending.result, sizeof(d->pending.result), "%s", result);
}

void delivery_add_incomplete(struct delivery *d, const char *step, const char *answer)
{
    evidence_add(&d->job->evidence, step, answer != NULL ? answer : d->answer);
}

void delivery_recall_cause(struct delivery *d)
{
    struct text cause = d->job->event->headers[HEADER_DETAIL];

    snprintf(d->detail, sizeof(d->detail), "%.*s", cause.length > 150 ? 150 : (int)cause.length,
             cause.data != NULL ? cause.data : "");
}

void delivery_set_doubt(struct delivery *d, const char *step)
{
    free(d->grant->doubt);
    d->grant->doubt = mem_strdup(step);
    d->grant->doubt_visible_in_ms = d->pusher->config->pusher.visibility_delay_s * 1000;
}

enum progress delivery_look_later(struct delivery *d)
{
    d->wait_ms = d->grant->doubt_visible_in_ms < DELIVERY_LATER_MAX_MS
                     ? d->grant->doubt_visible_in_ms
                     : DELIVERY_LATER_MAX_MS;
    d->grant->doubt_visible_in_ms -= d->wait_ms; /* when it is 0, the next look decides */
    return PROGRESS_LATER;
}

void delivery_leave_region_out(struct delivery *d, const char *address)
{
    char text[64];

    snprintf(text, sizeof(text), "%s region_code: refused by the account", address);
    evidence_leave_out(&d->job->evidence, text_of(text));
}

void delivery_leave_out(struct delivery *d)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(d->payload.left_out);
    yyjson_val *one;

    while ((one = yyjson_arr_iter_next(&iter)) != NULL)
        evidence_leave_out(&d->job->evidence,
                           (struct text){yyjson_get_str(one), yyjson_get_len(one)});
}

void delivery_recall(struct delivery *d)
{
    const char *text = entry_result(d, EVIDENCE_STEP);
    yyjson_doc *doc;

    /* Only once, because what the entry holds later comes from this job itself. */
    if (d->job->recalled++ || text == NULL)
        return;
    doc = yyjson_read(text, strlen(text), YYJSON_READ_ALLOW_INVALID_UNICODE);
    evidence_read(&d->job->evidence, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
}

struct evidence delivery_evidence(const struct delivery *d)
{
    struct evidence evidence = d->job->evidence;

    /* The order was made before this version of it came, and how it was made is known. */
    if (d->grant->answer == LEDGER_DONE && evidence.digest[0] != '\0')
        return evidence;
    evidence.calls +=
        d->job->call_count + infusionsoft_call_count(d->client) - d->calls.count_before;
    evidence.attempts = d->payload.attempt + 1;
    evidence.polled_at = d->payload.polled_at;
    if (d->payload.kind != PAYLOAD_WITHDRAWN &&
        (evidence.eligible_at == 0 || d->payload.modified_at < evidence.eligible_at))
        evidence.eligible_at = d->payload.modified_at;
    snprintf(evidence.digest, sizeof(evidence.digest), "%s", d->payload.digest);
    return evidence;
}
