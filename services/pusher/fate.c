#include "fate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/text.h"
#include "entry.h"
#include "order.h"

/* More than what Kafka adds to a record. */
enum { RECORD_REST_BYTES = 1024 };

/* Adds what the ledger's entry knew when it was given back: if Redis is lost, the rebuild goes on
 * from there. Where the record has no room for it, it is left out, and after a loss the order is
 * looked up. */
static void add_ledger(const struct delivery *d, struct output *output)
{
    size_t room = (size_t)d->pusher->config->kafka.max_record_bytes * 2 - RECORD_REST_BYTES;

    if (d->texts.note.length > 0 && output_bytes(output) + d->texts.note.length <= room)
        output->headers[HEADER_LEDGER] = (struct text){d->texts.note.data, d->texts.note.length};
}

/* Adds a copy of the record for another topic. It has the same key, value and headers, without
 * those that only hold for the topic where the record is now. */
static struct output *add_copy(struct delivery *d, struct result *result, const char *topic)
{
    struct output *output = &result->outputs[result->output_count++];
    const struct event *event = d->job->event;

    *output = (struct output){.topic = topic,
                              .key = event->key,
                              .value = event->value,
                              .partition_hash = d->job->contact_hash};
    memcpy(output->headers, event->headers, sizeof(output->headers));
    output->headers[HEADER_NOT_BEFORE] = (struct text){0};
    output->headers[HEADER_DETAIL] = output->headers[HEADER_STEP] = output->headers[HEADER_ANSWER] =
        output->headers[HEADER_LEDGER] = (struct text){0};
    output->headers[HEADER_ACCOUNT] = d->job->head.account; /* its ledger entry is named after it */
    return output;
}

static void set_due(struct delivery *d, struct output *output, int topic)
{
    buffer_reset(&d->texts.not_before);
    buffer_printf(&d->texts.not_before, "%" PRId64,
                  clock_now_ms() + d->pusher->config->pusher.retry_delays_s[topic] * 1000);
    output->headers[HEADER_NOT_BEFORE] =
        (struct text){d->texts.not_before.data, d->texts.not_before.length};
}

/* Adds the members steps and in_doubt, from the steps of the ledger's entry. */
static void add_steps(struct delivery *d, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    yyjson_mut_val *steps = yyjson_mut_obj_add_obj(doc, root, "steps");
    yyjson_mut_val *in_doubt = yyjson_mut_obj_add_arr(doc, root, "in_doubt");

    for (int i = 0; i < d->grant->step_count; i++) {
        const struct ledger_step *step = &d->grant->steps[i];

        if (strcmp(step->name, EVIDENCE_STEP) == 0)
            continue;
        yyjson_mut_obj_put(steps, yyjson_mut_str(doc, step->name),
                           yyjson_mut_str(doc, step->result));
        if (strncmp(step->name, "goal:", 5) == 0 && strcmp(step->result, "in_doubt") == 0)
            yyjson_mut_arr_add_str(doc, in_doubt, step->name + 5);
    }
}

/* Lists the steps that the entry says were refused or given up. Where another process did that and
 * what the account answered is not known, the result of the step stands in its place. */
static void recall_incomplete(struct delivery *d)
{
    for (int i = 0; i < d->grant->step_count; i++) {
        const struct ledger_step *step = &d->grant->steps[i];

        if (strcmp(step->result, "refused") == 0 || strcmp(step->result, "gave_up") == 0 ||
            strcmp(step->result, "not_achieved") == 0)
            delivery_add_incomplete(d, step->name, step->result);
    }
}

static char *delivered_value(struct delivery *d, size_t *length)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc), *times = yyjson_mut_obj(doc);
    struct evidence evidence = delivery_evidence(d);
    const char *order = entry_result(d, "order");
    const char *contact = entry_result(d, "contact");
    char *value;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_sint(doc, root, "modified_at", d->grant->modified_at);
    if (d->payload.kind != PAYLOAD_PRODUCT)
        yyjson_mut_obj_add_str(doc, root, "contact_id", contact != NULL ? contact : d->contact_id);
    if (payload_is_order(&d->payload))
        yyjson_mut_obj_add_str(doc, root, "order_id",
                               order != NULL && strcmp(order, ORDER_OFF) != 0 ? order : "");
    add_steps(d, doc, root);
    evidence_put(&evidence, doc, root, times);
    if (payload_is_order(&d->payload))
        yyjson_mut_obj_add_sint(doc, times, "placed", d->payload.placed_at);
    yyjson_mut_obj_add_sint(doc, times, "modified", d->grant->modified_at);
    yyjson_mut_obj_add_val(doc, root, "times", times);
    value = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, length);
    yyjson_mut_doc_free(doc);
    return mem_check(value);
}

static void log_delivered(struct delivery *d)
{
    const char *order = entry_result(d, "order");
    const char *contact = entry_result(d, "contact");

    int64_t since_ms =
        payload_is_order(&d->payload) ? d->payload.placed_at : d->payload.modified_at;

    buffer_reset(&d->texts.ids);
    if (d->payload.kind != PAYLOAD_PRODUCT)
        buffer_printf(&d->texts.ids, " contact=%s", contact != NULL ? contact : d->contact_id);
    if (payload_is_order(&d->payload))
        buffer_printf(&d->texts.ids, " order=%s", order != NULL ? order : "?");
    log_info("delivered%s attempt=%" PRId64 " delay_ms=%" PRId64 "%s",
             d->texts.ids.length > 0 ? d->texts.ids.data : "", d->payload.attempt + 1,
             clock_now_ms() - since_ms,
             d->job->evidence.incomplete_count > 0 ? " incomplete=yes" : "");
}

void fate_look_later(struct delivery *d, struct result *result)
{
    struct output *copy = add_copy(d, result, d->pusher->topics.retry[TOPIC_RETRY_COUNT - 1]);

    result->verdict = VERDICT_PASS;
    copy->headers[HEADER_REASON] = text_of(reason_name(REASON_IN_DOUBT));
    set_due(d, copy, TOPIC_RETRY_COUNT - 1);
}

/* Removes the order's record from `dead`. */
static struct output dead_tombstone(const struct delivery *d)
{
    struct text key = d->job->event->key;

    return (struct output){
        .topic = d->pusher->topics.dead, .key = key, .partition_hash = event_hash(0, key)};
}

void fate_delivered(struct delivery *d, struct result *result)
{
    const struct event *event = d->job->event;
    struct output *output = &result->outputs[0];
    size_t length;

    recall_incomplete(d);
    result->verdict = VERDICT_PASS;
    result->reason = REASON_NONE;
    *output = (struct output){.topic = d->pusher->topics.delivered,
                              .key = event->key,
                              .partition_hash = event_hash(0, event->key)};
    output->owned_value = delivered_value(d, &length);
    output->value = (struct text){output->owned_value, length};
    memcpy(output->headers, event->headers, sizeof(output->headers));
    output->headers[HEADER_ACCOUNT] = d->job->head.account;
    output->headers[HEADER_NOT_BEFORE] = output->headers[HEADER_REASON] =
        output->headers[HEADER_DETAIL] = output->headers[HEADER_ATTEMPT] =
            output->headers[HEADER_STEP] = output->headers[HEADER_ANSWER] =
                output->headers[HEADER_LEDGER] = (struct text){0};
    result->output_count = 1;
    if (d->payload.replay)
        result->outputs[result->output_count++] = dead_tombstone(d);
    if (d->grant->answer != LEDGER_DONE && payload_is_order(&d->payload) &&
        (d->job->look_later || d->grant->look_again))
        fate_look_later(d, result);
    if (d->grant->answer != LEDGER_DONE)
        log_delivered(d);
    else
        log_debug("delivered_again");
}

/* The fate is larger than its topic takes: it becomes a dead record that only names the record and
 * its size. */
static void replace_too_large(struct delivery *d, struct result *result)
{
    size_t size_bytes = result->outputs[0].value.length;

    for (int i = 0; i < result->output_count; i++)
        free(result->outputs[i].owned_value);
    result->output_count = 0;
    result_too_large(result, &d->pusher->stage_settings, d->job->event, size_bytes);
}

/* Publishes the outputs of a result and waits until Kafka has them. */
static enum progress publish(struct delivery *d, struct result *result)
{
    enum progress progress = PROGRESS_OK;

    for (int i = 0; i < result->output_count && progress == PROGRESS_OK; i++) {
        struct error err = {0};
        enum published published = publisher_send(d->pusher->publisher, &result->outputs[i], &err);

        if (published == PUBLISHED_TOO_LARGE && result->reason != REASON_TOO_LARGE) {
            replace_too_large(d, result);
            i = -1;
        } else if (published == PUBLISHED_STOPPED || published == PUBLISHED_FATAL) {
            progress = PROGRESS_STOPPED;
        }
    }
    for (int i = 0; i < result->output_count; i++)
        free(result->outputs[i].owned_value);
    result->output_count = 0;
    return progress;
}

static void fill_skip(struct delivery *d, struct result *result)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc), *status;
    int64_t id = d->payload.status_id;
    const char *name = d->payload.status_name;
    char detail[DELIVERY_DETAIL_BYTES];
    size_t length;
    char *value;

    snprintf(detail, sizeof(detail), "status %" PRId64 " %.80s", id, name);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "reason", reason_name(REASON_STATUS));
    yyjson_mut_obj_add_str(doc, root, "detail", detail);
    yyjson_mut_obj_add_sint(doc, root, "modified_at", d->payload.modified_at);
    status = yyjson_mut_obj_add_obj(doc, root, "status");
    yyjson_mut_obj_add_sint(doc, status, "id", id);
    yyjson_mut_obj_add_str(doc, status, "name", name);
    yyjson_mut_obj_add_sint(doc, root, "placed_at", d->payload.placed_at);
    value = mem_check(yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &length));
    yyjson_mut_doc_free(doc);
    result_skip(result, &d->pusher->stage_settings, d->job->event, REASON_STATUS, detail, value,
                length);
    add_ledger(d, &result->outputs[0]);
}

static void fill_dead(struct delivery *d, enum reason reason, const char *detail,
                      struct result *result)
{
    result_dead(result, &d->pusher->stage_settings, d->job->event, reason, detail);
    result->outputs[0].headers[HEADER_STEP] = text_of(d->failed_step);
    if (d->answer[0] != '\0')
        result->outputs[0].headers[HEADER_ANSWER] = text_of(d->answer);
    add_ledger(d, &result->outputs[0]);
}

static const char dropped_detail[] = "an operator dropped it; the audit says why";

/* What the fates that are not `delivered` end with: publishes, then asks for the epoch. */
static enum progress publish_and_ask(struct delivery *d, struct result *result)
{
    int64_t epoch = 0;
    enum progress progress = publish(d, result);

    if (progress == PROGRESS_OK)
        progress = entry_epoch(d, &epoch);
    if (progress != PROGRESS_OK)
        return progress;
    return epoch == ledger_fence_epoch(d->grant->fence) ? PROGRESS_OK : PROGRESS_AGAIN;
}

enum progress fate_dead(struct delivery *d, enum reason reason, const char *detail,
                        struct result *result)
{
    result->output_count = 0;
    fill_dead(d, reason, detail, result);
    return publish_and_ask(d, result);
}

enum progress fate_withdrawn(struct delivery *d, struct result *result)
{
    result->output_count = 0;
    fill_skip(d, result);
    return publish_and_ask(d, result);
}

enum progress fate_dropped(struct delivery *d, struct result *result)
{
    char *value = mem_printf("{\"reason\":\"%s\",\"detail\":\"%s\",\"modified_at\":%" PRId64 "}",
                             reason_name(REASON_DROPPED), dropped_detail, d->payload.modified_at);

    result->output_count = 0;
    result_skip(result, &d->pusher->stage_settings, d->job->event, REASON_DROPPED, dropped_detail,
                value, strlen(value));
    result->outputs[0].headers[HEADER_KIND] = text_of("withdrawn"); /* for a rebuild */
    result->outputs[0].headers[HEADER_ACCOUNT] = d->job->head.account;
    return publish_and_ask(d, result);
}

enum progress fate_old(struct delivery *d, struct result *result)
{
    result->output_count = 0;
    result->verdict = VERDICT_PASS;
    result->reason = REASON_NONE;
    /* A dead record was sent again, and the order was made meanwhile from a newer version. An order
     * that was made never becomes dead, so the dead record is the old one. Where the order was not
     * made, it may belong to the newer version, and stays. */
    if (d->payload.replay && entry_result(d, "order") != NULL)
        result->outputs[result->output_count++] = dead_tombstone(d);
    log_info("superseded version=%" PRId64, d->payload.modified_at);
    return publish_and_ask(d, result);
}

void fate_parked(struct delivery *d, enum reason reason, const char *detail, struct result *result)
{
    result->output_count = 0;
    fill_dead(d, reason, detail, result);
}

void fate_malformed(struct delivery *d, const char *detail, struct result *result)
{
    d->answer[0] = '\0';
    result_dead(result, &d->pusher->stage_settings, d->job->event, REASON_MALFORMED, detail);
}

void fate_waiting(struct delivery *d, int orders_only, struct result *result)
{
    const struct topics *topics = &d->pusher->topics;
    int index = d->job->account_index;
    struct output *output;

    result->verdict = VERDICT_RETRY;
    result->reason = orders_only ? REASON_ECOMMERCE_UNAVAILABLE : REASON_ACCOUNT_CLOSED;
    result->output_count = 0;
    if (orders_only)
        snprintf(result->detail, sizeof(result->detail), "%s", reason_sentence(result->reason));
    else
        account_why_closed(d->account, result->detail);
    output =
        add_copy(d, result, orders_only ? topics->waiting_orders[index] : topics->waiting[index]);
    output->headers[HEADER_REASON] = text_of(reason_name(result->reason));
    /* Where the attempts have run out, the record only waits to be given up, and what failed then
     * has to stay in this header (check_before_order() in deliver.c reads it). */
    output->headers[HEADER_DETAIL] = d->payload.attempt < d->pusher->config->pusher.max_attempts
                                         ? text_of(result->detail)
                                         : d->job->event->headers[HEADER_DETAIL];
    add_ledger(d, output);
    log_info("waiting reason=%s", reason_name(result->reason));
}

void fate_retry(struct delivery *d, int topic, int attempt, struct result *result)
{
    struct output *output;

    result->verdict = VERDICT_RETRY;
    result->reason = REASON_RETRYING;
    result->output_count = 0;
    snprintf(result->detail, sizeof(result->detail), "%s: %.130s", d->failed_step, d->detail);
    output = add_copy(d, result, d->pusher->topics.retry[topic]);
    buffer_reset(&d->texts.attempt);
    buffer_printf(&d->texts.attempt, "%d", attempt);
    output->headers[HEADER_ATTEMPT] = (struct text){d->texts.attempt.data, d->texts.attempt.length};
    output->headers[HEADER_REASON] = text_of(reason_name(REASON_RETRYING));
    output->headers[HEADER_DETAIL] = text_of(result->detail);
    output->headers[HEADER_STEP] = text_of(d->failed_step);
    if (d->answer[0] != '\0')
        output->headers[HEADER_ANSWER] = text_of(d->answer);
    set_due(d, output, topic);
    add_ledger(d, output);
    log_warn("retrying step=%s attempt=%d doubt=%s error=\"%s\"", d->failed_step, attempt,
             d->grant->doubt != NULL ? d->grant->doubt : "", d->detail);
}
