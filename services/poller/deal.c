#include "deal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "complete.h"
#include "health.h"
#include "log.h"
#include "retry.h"
#include "stop.h"

enum {
    FIRST_TRIES = 3,
    FULL_WAIT_MS = 50,
    REPORT_WAIT_MS = 250,
    ENVELOPE_BYTES = 512, /* of a record around its value: key, headers, framing */
    MARKS_KEEP_MS = 86400000,
    KEY_BYTES = 160,
    NUMBER_BYTES = 24,
};

void dealer_init(struct dealer *dealer)
{
    char *label = mem_printf("store=\"%s\"", dealer->store->hash);

    dealer->seen_key =
        mem_printf("%s:poller:%s:seen", dealer->config->kafka.topic_prefix, dealer->store->hash);
    dealer->published =
        metric_counter("bigfusion_poller_published_total", "Orders published as they came", label);
    dealer->dead =
        metric_counter("bigfusion_poller_dead_total", "Orders that cannot be published", label);
    dealer->unchanged = metric_counter("bigfusion_poller_unchanged_total",
                                       "Orders seen again without a change", label);
    free(label);
}

void dealer_clear(struct dealer *dealer)
{
    free(dealer->seen_key);
    dealer->seen_key = NULL;
}

/* Its place, or failing_count. */
static int find_failing(const struct dealer *dealer, int64_t id)
{
    int i = 0;

    while (i < dealer->failing_count && dealer->failing[i].id != id)
        i++;
    return i;
}

int dealer_count_failure(struct dealer *dealer, int64_t id, int64_t now_ms)
{
    const int64_t *delays_s = dealer->config->pusher.retry_delays_s;
    struct failing *failing;
    int i = find_failing(dealer, id);

    if (i == FAILING_MAX)
        i = 0; /* so many at once: the oldest starts anew */
    if (i == dealer->failing_count)
        dealer->failing_count++;
    failing = &dealer->failing[i];
    if (failing->id != id)
        *failing = (struct failing){.id = id, .reads = -1};
    if (failing->reads == dealer->reads)
        return 0; /* not its own failure: asked again in the next round */
    failing->reads = dealer->reads;
    failing->failures++;
    failing->due_ms = now_ms + delays_s[retry_delay_index(failing->failures)] * 1000;
    return failing->failures >= dealer->config->pusher.max_attempts;
}

int dealer_is_due(const struct dealer *dealer, int64_t id, int64_t now_ms)
{
    int i = find_failing(dealer, id);

    return i == dealer->failing_count || dealer->failing[i].due_ms <= now_ms;
}

/* One that failed before is tried once whenever it is due: others wait behind it. */
static int tries_of(const struct dealer *dealer, int64_t id)
{
    return find_failing(dealer, id) < dealer->failing_count ? 1 : FIRST_TRIES;
}

static void forget_failure(struct dealer *dealer, int64_t id)
{
    int i = find_failing(dealer, id);

    if (i == dealer->failing_count)
        return;
    dealer->failing[i] = dealer->failing[--dealer->failing_count];
    dealer->failing[dealer->failing_count] = (struct failing){0};
}

/* The record of one order, with the texts that its output points to. */
struct record {
    struct output output;
    char key[KEY_BYTES];
    char modified_at[NUMBER_BYTES];
    char polled_at[NUMBER_BYTES];
    char start_from[NUMBER_BYTES];
    char answer[NUMBER_BYTES];
    char trace[64];
    char size_text[96];
};

static void print_ms(char *target, int64_t at_ms)
{
    snprintf(target, NUMBER_BYTES, "%lld", (long long)at_ms);
}

/* Key and headers; topic and value are the caller's. */
static void record_init(struct record *record, const struct dealer *dealer,
                        const struct page_row *row, const struct seen_mark *mark)
{
    const char *digest = seen_digest(mark);
    struct output *output = &record->output;

    *record = (struct record){0};
    /* An order whose id cannot be told gets a key of its own that no order has. */
    if (row->id > 0)
        snprintf(record->key, sizeof(record->key), "%s/order/%lld", dealer->store->hash,
                 (long long)row->id);
    else
        snprintf(record->key, sizeof(record->key), "%s/unreadable/%s", dealer->store->hash, digest);
    output->key = text_of(record->key);
    output->partition_hash = event_hash(0, output->key);
    output->headers[HEADER_KIND] = text_of("order");
    output->headers[HEADER_STORE] = text_of(dealer->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(dealer->store->account);
    output->headers[HEADER_SOURCE] = text_of("poll");
    print_ms(record->polled_at, clock_now_ms());
    output->headers[HEADER_POLLED_AT] = text_of(record->polled_at);
    print_ms(record->start_from, dealer->start_from_ms);
    output->headers[HEADER_START_FROM] = text_of(record->start_from);
    if (row->modified_ms >= 0) {
        print_ms(record->modified_at, row->modified_ms);
        output->headers[HEADER_MODIFIED_AT] = text_of(record->modified_at);
    }
    /* The same version of the same order has the same trace, however often it is published. */
    snprintf(record->trace, sizeof(record->trace), "00-%s-%s-01", digest, digest + 16);
    output->headers[HEADER_TRACEPARENT] = text_of(record->trace);
}

static void make_dead(struct record *record, const struct dealer *dealer, enum reason reason,
                      const char *detail, struct text value)
{
    struct output *output = &record->output;
    int status = bigcommerce_status(dealer->asker->client);

    output->topic = dealer->topics->dead;
    output->value = value;
    output->headers[HEADER_REASON] = text_of(reason_name(reason));
    output->headers[HEADER_DETAIL] = text_of(detail);
    output->headers[HEADER_STAGE] = text_of("poller");
    if (reason == REASON_REFUSED || reason == REASON_GAVE_UP) {
        snprintf(record->answer, sizeof(record->answer), "HTTP %d", status);
        output->headers[HEADER_ANSWER] = text_of(record->answer);
    }
    metric_add(dealer->dead, 1);
    log_warn("dead key=%s reason=%s detail=\"%s\" bytes=%zu", record->key, reason_name(reason),
             detail, value.length);
}

static void make_too_large(struct record *record, const struct dealer *dealer, int64_t id,
                           size_t bytes)
{
    snprintf(record->size_text, sizeof(record->size_text), "{\"id\":%lld,\"size\":%zu}",
             (long long)id, bytes);
    make_dead(record, dealer, REASON_TOO_LARGE, "larger than max_record_bytes",
              text_of(record->size_text));
}

/* Queues a record, waiting for room. */
static enum outcome send(struct dealer *dealer, struct batch *batch, const struct output *output,
                         int slot, enum batch_answer *answer, struct error *err)
{
    while ((*answer = batch_send(batch, output, slot, err)) == BATCH_FULL) {
        enum outcome outcome = ask_wait(dealer->asker, FULL_WAIT_MS, err);

        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return *answer == BATCH_FAILED ? OUTCOME_TROUBLE : OUTCOME_OK;
}

static enum outcome wait_for_reports(struct dealer *dealer, struct batch *batch, struct error *err)
{
    while (!batch_wait(batch, REPORT_WAIT_MS)) {
        enum outcome outcome = ask_wait(dealer->asker, 0, err);

        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return OUTCOME_OK;
}

enum outcome deal_record(struct dealer *dealer, const struct output *output, struct error *err)
{
    struct batch *batch = batch_new(dealer->publisher, 1);
    enum batch_answer answer;
    enum outcome outcome = send(dealer, batch, output, 0, &answer, err);

    if (outcome == OUTCOME_OK)
        outcome = wait_for_reports(dealer, batch, err);
    if (outcome == OUTCOME_OK && (answer != BATCH_OK || batch_result(batch, 0, err) != BATCH_OK)) {
        error_set(err, ERROR_TEMPORARY, "kafka takes no record of %zu bytes for %s",
                  output->value.length, output->topic);
        outcome = OUTCOME_TROUBLE;
    }
    batch_drop(batch);
    return outcome;
}

/* A dead record of its own, after its page's batch. */
static enum outcome send_too_large(struct dealer *dealer, const struct page_row *row,
                                   const struct seen_mark *mark, size_t bytes, struct error *err)
{
    struct record record;

    record_init(&record, dealer, row, mark);
    make_too_large(&record, dealer, row->id, bytes);
    return deal_record(dealer, &record.output, err);
}

/* What became of an order's own calls. */
struct own_calls {
    enum completion completion;
    struct buffer completed; /* the whole order, or empty where nothing was missing */
    struct error why;
};

/* Asks for what is missing in an order, unless it has to wait after failures. */
static enum outcome complete_one(struct dealer *dealer, struct deal *deal, int i,
                                 struct own_calls *own)
{
    const struct page_row *row = &deal->rows[i];

    if (deal->reason != REASON_NONE || row->fault != NULL ||
        (!row->lines_missing && !row->coupons_missing))
        return OUTCOME_OK;
    if (!dealer_is_due(dealer, row->id, clock_monotonic_ms())) {
        deal->held[i] = 1;
        return OUTCOME_OK;
    }
    return complete_order(dealer->asker, row, tries_of(dealer, row->id), &own->completed,
                          &own->completion, &own->why);
}

/* Fills in what is sent for an order, or marks it as held. */
static void decide(struct record *record, struct dealer *dealer, struct deal *deal, int i,
                   const struct own_calls *own)
{
    const struct page_row *row = &deal->rows[i];
    struct output *output = &record->output;

    record_init(record, dealer, row, &dealer->marks[i]);
    output->topic = dealer->topics->raw;
    output->value = own->completed.data != NULL
                        ? (struct text){own->completed.data, own->completed.length}
                        : row->bytes;
    if (deal->reason == REASON_TOO_LARGE) {
        make_too_large(record, dealer, row->id, row->bytes.length);
    } else if (deal->reason != REASON_NONE) {
        make_dead(record, dealer, deal->reason, deal->detail, row->bytes);
    } else if (row->fault != NULL) {
        make_dead(record, dealer, REASON_MALFORMED, row->fault, row->bytes);
    } else if (own->completion == COMPLETION_REFUSED) {
        make_dead(record, dealer, REASON_REFUSED, own->why.text, row->bytes);
    } else if (own->completion == COMPLETION_FAILING) {
        deal->held[i] = !dealer_count_failure(dealer, row->id, clock_monotonic_ms());
        if (deal->held[i])
            log_warn("retried key=%s error=\"%s\"", record->key, own->why.text);
        else
            make_dead(record, dealer, REASON_GAVE_UP, own->why.text, row->bytes);
    } else if ((int64_t)output->value.length + ENVELOPE_BYTES >
               dealer->config->kafka.max_record_bytes) {
        make_too_large(record, dealer, row->id, output->value.length);
    }
}

/* Sends an order on, completed where something is missing. */
static enum outcome deal_one(struct dealer *dealer, struct deal *deal, int i, struct batch *batch,
                             size_t *sent_bytes, struct error *err)
{
    const struct page_row *row = &deal->rows[i];
    struct own_calls own = {.completion = COMPLETION_DONE};
    struct record record;
    enum batch_answer answer;
    enum outcome outcome = complete_one(dealer, deal, i, &own);

    if (outcome != OUTCOME_OK)
        *err = own.why;
    if (outcome != OUTCOME_OK || deal->held[i])
        goto out;
    decide(&record, dealer, deal, i, &own);
    if (deal->held[i])
        goto out;
    *sent_bytes = record.output.value.length;
    outcome = send(dealer, batch, &record.output, i, &answer, err);
    if (outcome == OUTCOME_OK && answer == BATCH_TOO_LARGE)
        outcome = send_too_large(dealer, row, &dealer->marks[i], *sent_bytes, err);
    if (outcome == OUTCOME_OK)
        forget_failure(dealer, row->id);
    if (outcome == OUTCOME_OK && record.output.topic == dealer->topics->raw) {
        metric_add(dealer->published, 1);
        log_info("published key=%s modified_at=%s bytes=%zu", record.key, record.modified_at,
                 *sent_bytes);
    }
out:
    buffer_clear(&own.completed);
    return outcome;
}

/* After all reports: what the broker found too large is dead, anything else ends the round. */
static enum outcome check_results(struct dealer *dealer, const struct deal *deal, const char *skip,
                                  const struct batch *batch, const size_t *bytes, struct error *err)
{
    for (int i = 0; i < deal->count; i++) {
        enum outcome outcome = OUTCOME_OK;

        if (skip[i] || deal->held[i])
            continue;
        switch (batch_result(batch, i, err)) {
        case BATCH_OK:
            break;
        case BATCH_TOO_LARGE:
            outcome = send_too_large(dealer, &deal->rows[i], &dealer->marks[i], bytes[i], err);
            break;
        default:
            outcome = OUTCOME_TROUBLE;
        }
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return OUTCOME_OK;
}

static void mark_seen(struct dealer *dealer, const struct deal *deal)
{
    struct seen_mark *marks = dealer->marks;
    struct error err = {0};
    int count = 0;

    for (int i = 0; i < deal->count; i++)
        if (!deal->held[i])
            marks[count++] = marks[i];
    if (seen_add(dealer->redis, dealer->seen_key, marks, count, deal->forget_ms, MARKS_KEEP_MS,
                 &err) != 0)
        log_warn("marks lost store=%s orders=%d error=\"%s\"", dealer->store->hash, count,
                 err.text); /* these orders are published once more */
}

enum outcome deal_orders(struct dealer *dealer, struct deal *deal, struct error *err)
{
    char known[PAGE_ROWS_MAX] = {0};
    size_t bytes[PAGE_ROWS_MAX] = {0};
    struct batch *batch;
    enum outcome outcome = OUTCOME_OK;

    memset(deal->held, 0, sizeof(deal->held));
    for (int i = 0; i < deal->count; i++)
        seen_mark_init(&dealer->marks[i], deal->rows[i].id, deal->seen_at_ms, deal->rows[i].bytes);
    if (seen_check(dealer->redis, dealer->seen_key, dealer->marks, deal->count, known, err) != 0)
        return OUTCOME_LOST;
    batch = batch_new(dealer->publisher, deal->count);
    for (int i = 0; i < deal->count && outcome == OUTCOME_OK; i++) {
        if (known[i])
            metric_add(dealer->unchanged, 1);
        else
            outcome = deal_one(dealer, deal, i, batch, &bytes[i], err);
    }
    if (outcome == OUTCOME_OK)
        outcome = wait_for_reports(dealer, batch, err);
    if (outcome == OUTCOME_OK)
        outcome = check_results(dealer, deal, known, batch, bytes, err);
    batch_drop(batch);
    if (outcome == OUTCOME_OK && deal->count > 0)
        mark_seen(dealer, deal);
    return outcome;
}
