#include "changed.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define MARKS_KEEP_MS INT64_C(2592000000) /* after a month without a change, marks go */

enum outcome changed_find(const struct changed_lane *lane, struct changed *list, int count,
                          struct error *err)
{
    struct catalog_mark known[CHANGED_PAGE_MAX];

    for (int i = 0; i < count; i++)
        known[i].id = list[i].mark.id;
    if (catalog_marks_read(lane->with->redis, lane->marks_key, known, count, err) != 0)
        return OUTCOME_LOST;
    for (int i = 0; i < count; i++) {
        struct changed *one = &list[i];

        one->is_changed = strcmp(one->mark.digest, known[i].digest) != 0;
        one->mark.version =
            one->version_ms > known[i].version ? one->version_ms : known[i].version + 1;
        if (!one->is_changed)
            metric_add(lane->unchanged, 1);
    }
    return ask_wait(lane->with->asker, 0, err);
}

static void print_ms(char target[CHANGED_NUMBER_BYTES], int64_t at_ms)
{
    snprintf(target, CHANGED_NUMBER_BYTES, "%lld", (long long)at_ms);
}

static void fill_record(const struct changed_lane *lane, struct changed *one)
{
    const struct poll_context *with = lane->with;
    struct output *output = &one->output;
    struct text parts[2];

    snprintf(one->key, sizeof(one->key), "%s/%s/%lld", with->store->hash, lane->kind,
             (long long)one->mark.id);
    print_ms(one->modified_at, one->mark.version);
    print_ms(one->polled_at, clock_now_ms());
    print_ms(one->start_from, lane->start_from_ms);
    parts[0] = text_of(one->key);
    parts[1] = text_of(one->modified_at);
    trace_begin(one->trace, parts, 2);
    one->about = (struct log_about){parts[0], trace_id(text_of(one->trace))};
    *output = (struct output){.topic = with->topics->lanes[lane->lane].raw,
                              .key = parts[0],
                              .value = {one->value.data, one->value.length},
                              .partition_hash = event_hash(0, parts[0])};
    output->headers[HEADER_KIND] = text_of(lane->kind);
    output->headers[HEADER_STORE] = text_of(with->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(with->store->account);
    output->headers[HEADER_SOURCE] = text_of("poll");
    output->headers[HEADER_MODIFIED_AT] = parts[1];
    output->headers[HEADER_POLLED_AT] = text_of(one->polled_at);
    if (lane->start_from_ms >= 0)
        output->headers[HEADER_START_FROM] = text_of(one->start_from);
    output->headers[HEADER_TRACEPARENT] = text_of(one->trace);
}

static void make_dead(const struct changed_lane *lane, struct changed *one, enum reason reason,
                      const char *detail)
{
    struct output *output = &one->output;
    const struct log_about *before = log_set_about(&one->about);

    one->is_dead = 1;
    snprintf(one->size_text, sizeof(one->size_text), "{\"id\":%lld,\"size\":%zu}",
             (long long)one->mark.id, one->value.length);
    output->topic = lane->with->topics->dead;
    output->value = text_of(one->size_text);
    output->headers[HEADER_REASON] = text_of(reason_name(reason));
    output->headers[HEADER_DETAIL] = text_of(detail);
    output->headers[HEADER_STAGE] = text_of("poller");
    metric_add(lane->dead, 1);
    log_warn("dead reason=%s detail=\"%s\" bytes=%zu", reason_name(reason), detail,
             one->value.length);
    log_set_about(before);
}

/* Publishes one whose topic does not take it as dead, besides the batch. */
static enum outcome send_too_large(const struct changed_lane *lane, struct changed *one,
                                   struct error *err)
{
    make_dead(lane, one, REASON_TOO_LARGE, "larger than its topic takes");
    return batch_produce_one(lane->with->batches, lane->with->asker, &one->output, err);
}

static enum outcome send(const struct changed_lane *lane, struct changed *one, int slot,
                         struct batch *batch, struct error *err)
{
    enum batch_answer answer = BATCH_OK;
    enum outcome outcome;

    fill_record(lane, one);
    if ((int64_t)one->value.length + TOPIC_ENVELOPE_BYTES >
        lane->with->config->kafka.max_record_bytes)
        make_dead(lane, one, REASON_TOO_LARGE, "larger than max_record_bytes");
    outcome = batch_send(batch, &one->output, slot, &answer, err);
    if (outcome == OUTCOME_OK && answer == BATCH_TOO_LARGE)
        outcome = send_too_large(lane, one, err);
    return outcome;
}

/* Looks at Kafka's report on a record. */
static enum outcome check(const struct changed_lane *lane, struct changed *one, int slot,
                          const struct batch *batch, struct error *err)
{
    switch (batch_result(batch, slot, err)) {
    case BATCH_OK:
        return OUTCOME_OK;
    case BATCH_TOO_LARGE:
        return send_too_large(lane, one, err);
    default:
        return OUTCOME_TROUBLE;
    }
}

/* Marks what was published. */
static int settle(const struct changed_lane *lane, const struct changed *list, int count)
{
    struct catalog_mark marks[CHANGED_PAGE_MAX];
    struct error err = {0};
    int changed = 0;

    for (int i = 0; i < count; i++) {
        const struct changed *one = &list[i];

        if (!one->is_changed)
            continue;
        marks[changed++] = one->mark;
        if (one->is_dead)
            continue;
        metric_add(lane->published, 1);
        log_set_about(&one->about);
        log_info("published modified_at=%s bytes=%zu", one->modified_at, one->value.length);
        log_set_about(NULL);
    }
    /* Where marks are lost, these will be published once more. */
    if (changed > 0 && catalog_marks_write(lane->with->redis, lane->marks_key, marks, changed,
                                           MARKS_KEEP_MS, &err) != 0)
        log_warn("marks lost store=%s kind=%s count=%d error=\"%s\"", lane->with->store->hash,
                 lane->kind, changed, err.text);
    return changed;
}

enum outcome changed_publish(const struct changed_lane *lane, struct changed *list, int count,
                             int *published, struct error *err)
{
    struct batch *batch = batch_new(lane->with->batches, lane->with->asker, count);
    enum outcome outcome = OUTCOME_OK;

    for (int i = 0; i < count && outcome == OUTCOME_OK; i++)
        if (list[i].is_changed)
            outcome = send(lane, &list[i], i, batch, err);
    if (outcome == OUTCOME_OK)
        outcome = batch_wait(batch, err);
    for (int i = 0; i < count && outcome == OUTCOME_OK; i++)
        if (list[i].is_changed)
            outcome = check(lane, &list[i], i, batch, err);
    batch_drop(batch);
    if (outcome == OUTCOME_OK)
        *published = settle(lane, list, count);
    return outcome;
}

enum outcome changed_bury(const struct changed_lane *lane, int64_t id, enum reason reason,
                          const char *detail, struct error *err)
{
    struct changed one = {.mark = {.id = id, .version = clock_now_ms()}};

    fill_record(lane, &one);
    make_dead(lane, &one, reason, detail);
    return batch_produce_one(lane->with->batches, lane->with->asker, &one.output, err);
}
