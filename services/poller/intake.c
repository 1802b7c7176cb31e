#include "intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "net/health.h"

enum {
    MARKS_KEEP_MS = 86400000, /* after a day without a poll, a store's marks go */
    NUMBER_BYTES = 24,
};

void intake_init(struct intake *intake)
{
    char *label = mem_printf("store=\"%s\"", intake->with->store->hash);

    intake->seen_key = mem_printf("%s:poller:%s:seen", intake->with->config->kafka.topic_prefix,
                                  intake->with->store->hash);
    intake->published =
        metric_counter("bigfusion_poller_published_total", "Orders published as they came", label);
    intake->dead =
        metric_counter("bigfusion_poller_dead_total", "Orders that cannot be published", label);
    intake->unchanged = metric_counter("bigfusion_poller_unchanged_total",
                                       "Orders seen again without a change", label);
    intake->waiting = metric_gauge("bigfusion_poller_waiting_orders",
                                   "Orders that wait for calls of their own", label);
    intake->room = held_room(intake->with->config->kafka.max_record_bytes);
    free(label);
}

void intake_clear(struct intake *intake)
{
    free(intake->seen_key);
    intake->seen_key = NULL;
}

void intake_label(struct order_label *label, const char *store, int64_t id, int64_t modified_ms,
                  const char *digest)
{
    struct text parts[2];

    /* Where the id cannot be told, the key is made of the digest. It is the key of no order. */
    if (id > 0)
        snprintf(label->key, sizeof(label->key), "%s/order/%lld", store, (long long)id);
    else
        snprintf(label->key, sizeof(label->key), "%s/unreadable/%s", store, digest);
    snprintf(label->version, sizeof(label->version), "%lld", (long long)modified_ms);
    parts[0] = text_of(label->key);
    parts[1] = text_of(modified_ms >= 0 ? label->version : digest);
    trace_begin(label->trace, parts, 2);
    label->about = (struct log_about){parts[0], trace_id(text_of(label->trace))};
}

/* The record of one order, with the texts that its output points to. */
struct record {
    struct output output;
    struct order_label label;
    char modified_at[NUMBER_BYTES];
    char polled_at[NUMBER_BYTES];
    char start_from[NUMBER_BYTES];
    char answer[NUMBER_BYTES];
    char size_text[96];
    struct buffer skipped;
};

static void print_ms(char *target, int64_t at_ms)
{
    snprintf(target, NUMBER_BYTES, "%lld", (long long)at_ms);
}

/* Fills in key and headers. The caller sets topic and value. */
static void record_init(struct record *record, const struct intake *intake,
                        const struct page_row *row, const struct seen_mark *mark)
{
    struct output *output = &record->output;

    *record = (struct record){0};
    intake_label(&record->label, intake->with->store->hash, row->id, row->modified_ms,
                 seen_digest(mark));
    output->key = text_of(record->label.key);
    output->partition_hash = event_hash(0, output->key);
    output->headers[HEADER_KIND] = text_of("order");
    output->headers[HEADER_STORE] = text_of(intake->with->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(intake->with->store->account);
    output->headers[HEADER_SOURCE] = text_of("poll");
    print_ms(record->polled_at, clock_now_ms());
    output->headers[HEADER_POLLED_AT] = text_of(record->polled_at);
    print_ms(record->start_from, intake->start_from_ms);
    output->headers[HEADER_START_FROM] = text_of(record->start_from);
    if (row->modified_ms >= 0) {
        print_ms(record->modified_at, row->modified_ms);
        output->headers[HEADER_MODIFIED_AT] = text_of(record->modified_at);
    }
    output->headers[HEADER_TRACEPARENT] = text_of(record->label.trace);
}

static void make_dead(struct record *record, const struct intake *intake, enum reason reason,
                      const char *detail, int status, struct text value)
{
    struct output *output = &record->output;
    const struct log_about *before;

    output->topic = intake->with->topics->dead;
    output->value = value;
    output->headers[HEADER_REASON] = text_of(reason_name(reason));
    output->headers[HEADER_DETAIL] = text_of(detail);
    output->headers[HEADER_STAGE] = text_of("poller");
    if (reason == REASON_REFUSED || reason == REASON_GAVE_UP) {
        snprintf(record->answer, sizeof(record->answer), "HTTP %d", status);
        output->headers[HEADER_ANSWER] = text_of(record->answer);
    }
    metric_add(intake->dead, 1);
    before = log_set_about(&record->label.about);
    log_warn("dead reason=%s detail=\"%s\" bytes=%zu", reason_name(reason), detail, value.length);
    log_set_about(before);
}

static void make_too_large(struct record *record, const struct intake *intake, int64_t id,
                           size_t bytes)
{
    snprintf(record->size_text, sizeof(record->size_text), "{\"id\":%lld,\"size\":%zu}",
             (long long)id, bytes);
    make_dead(record, intake, REASON_TOO_LARGE, "larger than max_record_bytes", 0,
              text_of(record->size_text));
}

/* Publishes an order that turned out too large as dead, in a record besides its page's batch. */
static enum outcome send_too_large(struct intake *intake, const struct page_row *row,
                                   const struct seen_mark *mark, size_t bytes, struct error *err)
{
    struct record record;

    record_init(&record, intake, row, mark);
    make_too_large(&record, intake, row->id, bytes);
    return batch_produce_one(intake->with->batches, intake->with->asker, &record.output, err);
}

enum row_state {
    ROW_SENT = 0,
    ROW_KNOWN, /* it was published already */
    ROW_HELD,  /* it is held, or there was no room to hold it */
};

/* Whether an order needs requests of its own before it can be published. */
static int is_incomplete(const struct answer_orders *orders, const struct page_row *row)
{
    return orders->reason == REASON_NONE && row->fault == NULL &&
           (row->lines_missing || row->coupons_missing);
}

/* Makes the record for the topic `skipped`, in the same form as the filter does. The order is gone,
 * so the record holds no facts about it. */
static void make_skipped(struct record *record, const struct intake *intake, enum reason reason,
                         const char *detail, int64_t modified_ms)
{
    struct output *output = &record->output;
    const struct log_about *before;

    buffer_printf(&record->skipped, "{\"reason\":\"%s\",\"detail\":", reason_name(reason));
    json_write_text(&record->skipped, text_of(detail), SIZE_MAX);
    buffer_printf(&record->skipped, ",\"modified_at\":%lld,\"store\":\"%s\"}",
                  (long long)(modified_ms < 0 ? 0 : modified_ms), intake->with->store->hash);
    output->topic = intake->with->topics->skipped;
    output->value = (struct text){record->skipped.data, record->skipped.length};
    output->headers[HEADER_REASON] = text_of(reason_name(reason));
    before = log_set_about(&record->label.about);
    log_info("skipped reason=%s detail=\"%s\"", reason_name(reason), detail);
    log_set_about(before);
}

/* Decides which record is sent for an order, and fills it in. */
static void decide(struct record *record, const struct intake *intake,
                   const struct single_order *single, const struct seen_mark *mark)
{
    const struct page_row *row = single->row;
    struct output *output = &record->output;

    record_init(record, intake, row, mark);
    output->topic = intake->with->topics->lanes[TOPIC_LANE_ORDERS].raw;
    output->value = single->whole.length > 0 ? single->whole : row->bytes;
    if (single->reason == REASON_TOO_LARGE)
        make_too_large(record, intake, row->id, single->came_bytes);
    else if (single->reason == REASON_ARCHIVED)
        make_skipped(record, intake, single->reason, single->detail, row->modified_ms);
    else if (single->reason != REASON_NONE)
        make_dead(record, intake, single->reason, single->detail, single->status, row->bytes);
    else if (row->fault != NULL)
        make_dead(record, intake, REASON_MALFORMED, row->fault, 0, row->bytes);
    else if ((int64_t)output->value.length + TOPIC_ENVELOPE_BYTES >
             intake->with->config->kafka.max_record_bytes)
        make_too_large(record, intake, row->id, output->value.length);
}

static void count_published(struct intake *intake, const struct record *record)
{
    const struct log_about *before;

    metric_add(intake->published, 1);
    before = log_set_about(&record->label.about);
    log_info("published modified_at=%s bytes=%zu", record->modified_at,
             record->output.value.length);
    log_set_about(before);
}

/* Sends the record for one order of an answer. */
static enum outcome send_row(struct intake *intake, const struct answer_orders *orders, int i,
                             struct batch *batch, size_t *sent_bytes, struct error *err)
{
    const struct page_row *row = &orders->rows[i];
    const struct single_order single = {
        .row = row, .reason = orders->reason, .detail = orders->detail};
    struct record record;
    enum batch_answer answer;
    enum outcome outcome;

    decide(&record, intake, &single, &intake->marks[i]);
    outcome = batch_send(batch, &record.output, i, &answer, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    *sent_bytes = record.output.value.length;
    if (answer == BATCH_TOO_LARGE)
        outcome = send_too_large(intake, row, &intake->marks[i], record.output.value.length, err);
    else if (record.output.topic == intake->with->topics->lanes[TOPIC_LANE_ORDERS].raw)
        count_published(intake, &record);
    return outcome;
}

/* Looks at Kafka's reports on all records. An order whose record was too large for the broker is
 * dead. Any other failure ends the round. */
static enum outcome check_results(struct intake *intake, const struct answer_orders *orders,
                                  const enum row_state *states, const struct batch *batch,
                                  const size_t *bytes, struct error *err)
{
    for (int i = 0; i < orders->count; i++) {
        enum outcome outcome = OUTCOME_OK;

        if (states[i] != ROW_SENT)
            continue;
        switch (batch_result(batch, i, err)) {
        case BATCH_OK:
            break;
        case BATCH_TOO_LARGE:
            outcome = send_too_large(intake, &orders->rows[i], &intake->marks[i], bytes[i], err);
            break;
        default:
            outcome = OUTCOME_TROUBLE;
        }
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return OUTCOME_OK;
}

static void add_marks(struct intake *intake, int count, int64_t forget_ms)
{
    struct error err = {0};

    if (count > 0 && seen_add(intake->with->redis, intake->seen_key, intake->marks, count,
                              forget_ms, MARKS_KEEP_MS, &err) != 0)
        log_warn("marks lost store=%s orders=%d error=\"%s\"", intake->with->store->hash, count,
                 err.text); /* then these orders will be published once more */
}

/* Orders that were sent are not held any longer. All but the held ones are marked as seen. */
static void settle_rows(struct intake *intake, const struct answer_orders *orders,
                        const enum row_state *states)
{
    int count = 0;

    for (int i = 0; i < orders->count; i++) {
        if (states[i] == ROW_SENT)
            held_remove(&intake->held, orders->rows[i].id);
        if (states[i] != ROW_HELD)
            intake->marks[count++] = intake->marks[i];
    }
    add_marks(intake, count, orders->forget_ms);
}

/* Holds an order, if there is room for it. */
static void hold(struct intake *intake, struct answer_orders *orders, int i)
{
    const struct page_row *row = &orders->rows[i];

    orders->left[i] = held_add(&intake->held, intake->room, row->id, row->modified_ms,
                               seen_digest(&intake->marks[i]), clock_now_ms()) != 0;
}

/* The date under which an order is marked as seen. A date outside the window that was asked for is
 * wrong. The mark then gets the nearest end of the window, and lives as long as the others. */
static int64_t instant_of(const struct answer_orders *orders, const struct page_row *row)
{
    int64_t at_ms = row->modified_ms;

    if (at_ms < 0 || at_ms > orders->to_ms)
        return orders->to_ms;
    return at_ms < orders->from_ms ? orders->from_ms : at_ms;
}

enum outcome intake_take_orders(struct intake *intake, struct answer_orders *orders,
                                struct error *err)
{
    char known[PAGE_ROWS_MAX] = {0};
    enum row_state states[PAGE_ROWS_MAX] = {ROW_SENT};
    size_t bytes[PAGE_ROWS_MAX] = {0};
    struct batch *batch;
    enum outcome outcome = OUTCOME_OK;

    memset(orders->left, 0, sizeof(orders->left));
    for (int i = 0; i < orders->count; i++)
        seen_mark_init(&intake->marks[i], orders->rows[i].id, instant_of(orders, &orders->rows[i]),
                       orders->rows[i].bytes);
    if (seen_check(intake->with->redis, intake->seen_key, intake->marks, orders->count, known,
                   err) != 0)
        return OUTCOME_LOST;
    batch = batch_new(intake->with->batches, intake->with->asker, orders->count);
    for (int i = 0; i < orders->count && outcome == OUTCOME_OK; i++) {
        if (known[i]) {
            states[i] = ROW_KNOWN;
            metric_add(intake->unchanged, 1);
        } else if (is_incomplete(orders, &orders->rows[i])) {
            states[i] = ROW_HELD;
            hold(intake, orders, i);
        } else {
            outcome = send_row(intake, orders, i, batch, &bytes[i], err);
        }
    }
    if (outcome == OUTCOME_OK)
        outcome = batch_wait(batch, err);
    if (outcome == OUTCOME_OK)
        outcome = check_results(intake, orders, states, batch, bytes, err);
    batch_drop(batch);
    if (outcome == OUTCOME_OK)
        settle_rows(intake, orders, states);
    return outcome;
}

enum outcome intake_is_known(struct intake *intake, const struct page_row *row, int *known,
                             struct error *err)
{
    struct seen_mark mark = {0};
    char answer = 0;

    seen_mark_init(&mark, row->id, 0, row->bytes);
    if (seen_check(intake->with->redis, intake->seen_key, &mark, 1, &answer, err) != 0)
        return OUTCOME_LOST;
    *known = answer;
    return OUTCOME_OK;
}

enum outcome intake_take_single(struct intake *intake, const struct single_order *single,
                                const char *digest, struct error *err)
{
    const struct page_row *row = single->row;
    struct record record;
    enum outcome outcome;
    int count = single->reason != REASON_ARCHIVED; /* an archived order has no bytes to mark */

    seen_mark_init(&intake->marks[0], row->id, row->modified_ms, row->bytes);
    decide(&record, intake, single, &intake->marks[0]);
    outcome = batch_produce_one(intake->with->batches, intake->with->asker, &record.output, err);
    if (outcome == OUTCOME_OK &&
        record.output.topic == intake->with->topics->lanes[TOPIC_LANE_ORDERS].raw)
        count_published(intake, &record);
    buffer_clear(&record.skipped);
    if (outcome != OUTCOME_OK || row->modified_ms < 0)
        return outcome;
    /* The list goes on showing the order for a while, in other bytes than its own request brought.
     * Both are marked, so that it is not held again. */
    if (digest[0] != '\0')
        seen_mark_of(&intake->marks[count++], row->id, row->modified_ms, digest);
    add_marks(intake, count, 0);
    return outcome;
}
