#include "rebuild_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/kafka.h"
#include "net/kafka_group.h"
#include "record/event.h"
#include "fate_read.h"
#include "rebuild_plan.h"

enum {
    BATCH = 200,
    BATCH_BYTES = 4 * 1024 * 1024, /* of the texts that a batch keeps */
    ACCOUNT_BYTES_MAX = 64,
    LOCK_RENEW_MS = 5000,
    READY_MS = 1000,
    PROGRESS_MS = 10000,
    FATE_TOPICS = 3
};

/* The memory that one fill of a batch points into. */
struct entry {
    char *key;
    char *account;
    struct fate fate;
};

/* What was found, for the log. */
struct counts {
    int64_t delivered, dead, withdrawn;
    int64_t exact;   /* orders on their way; a header says how far they are */
    int64_t careful; /* orders on their way; nobody knows how far they are */
    int64_t others;  /* records that say nothing about the ledger */
};

struct reading {
    const struct stage_settings *settings;
    struct ledger *ledger;
    struct kafka_place *inputs, *fates; /* they own the names of the topics */
    int input_count, fate_count;
    struct rebuild_part *parts; /* sorted */
    struct kafka_span *spans;   /* one for each part, in the same order */
    int64_t *at;                /* for each part: the next offset to be read */
    int part_count;
    int64_t done, total; /* counted by offsets; a compacted topic has fewer records */
    int64_t started_ms, renewed_ms, shown_ms, told_ms;
    struct counts counts;
    struct ledger_fill fills[BATCH];
    struct entry entries[BATCH];
    int count;
    size_t bytes;
};

static void clear_batch(struct reading *reading)
{
    for (int i = 0; i < reading->count; i++) {
        struct entry *entry = &reading->entries[i];

        fate_clear(&entry->fate);
        free(entry->key);
        free(entry->account);
    }
    reading->count = 0;
    reading->bytes = 0;
}

static int flush(struct reading *reading, struct error *err)
{
    int rc = 0;

    if (reading->count > 0)
        rc = ledger_rebuild_fill(reading->ledger, reading->fills, reading->count, err);
    clear_batch(reading);
    return rc;
}

static int keep_lock(struct reading *reading, int64_t now_ms, struct error *err)
{
    int taken = 0;

    if (now_ms - reading->renewed_ms <= LOCK_RENEW_MS)
        return 0;
    if (ledger_rebuild_lock(reading->ledger, &taken, err) != 0)
        return -1;
    if (!taken)
        return error_set(err, ERROR_TEMPORARY, "the rebuild lock was lost");
    reading->renewed_ms = clock_monotonic_ms();
    return 0;
}

/* Tells /readyz, and now and then the log, how far the rebuild is. */
static void tell_progress(struct reading *reading, int64_t now_ms)
{
    char why[96];

    if (now_ms - reading->shown_ms >= READY_MS) {
        snprintf(why, sizeof(why), "lost, rebuilt from Kafka: %" PRId64 " of %" PRId64 " records",
                 reading->done, reading->total);
        health_set_ready("ledger", 0, why);
        reading->shown_ms = now_ms;
    }
    if (now_ms - reading->told_ms >= PROGRESS_MS) {
        log_info("rebuild goes on records=%" PRId64 " of %" PRId64, reading->done, reading->total);
        reading->told_ms = now_ms;
    }
}

/* Counts a record as read. @returns its part; NULL where the record need not be read */
static const struct rebuild_part *note_read(struct reading *reading, const struct event *event)
{
    const struct rebuild_part *part =
        rebuild_plan_find(reading->parts, reading->part_count, event->topic, event->partition);
    int64_t *at;

    if (part == NULL || event->offset < part->from || event->offset >= part->to)
        return NULL;
    at = &reading->at[part - reading->parts];
    reading->done += event->offset + 1 - *at;
    *at = event->offset + 1;
    return part;
}

/* The account that the order belongs to: the record names it, or the settings of its store do. */
static struct text account_of(const struct reading *reading, const struct event *event,
                              struct text store_hash)
{
    const struct config_store *store;

    if (event->headers[HEADER_ACCOUNT].length > 0)
        return event->headers[HEADER_ACCOUNT];
    store = config_store_by_hash(reading->settings->config, store_hash);
    return store != NULL ? text_of(store->account) : (struct text){0};
}

static void count_fill(struct counts *counts, const struct ledger_fill *fill)
{
    counts->delivered += fill->state == LEDGER_STATE_DONE;
    counts->dead += fill->state == LEDGER_STATE_DEAD;
    counts->withdrawn += fill->state == LEDGER_STATE_WITHDRAWN;
    if (fill->state != LEDGER_STATE_OPEN)
        return;
    counts->careful += fill->is_careful;
    counts->exact += !fill->is_careful;
}

/* Adds what a record says to the batch. */
static void add_fill(struct reading *reading, const struct event *event, struct text account,
                     int is_touched)
{
    struct ledger_fill *fill = &reading->fills[reading->count];
    struct entry *entry = &reading->entries[reading->count++];
    struct fate *fate = &entry->fate;

    entry->key = mem_strndup(event->key.data, event->key.length);
    entry->account = mem_strndup(account.data, account.length);
    *fill = (struct ledger_fill){
        .key = text_of(entry->key),
        .account = text_of(entry->account),
        .state = fate->state,
        .modified_at = fate->modified_at,
        .digest = fate->digest,
        .reason = fate->state == LEDGER_STATE_DEAD ? fate->reason : NULL,
        .steps = fate->steps,
        .step_count = fate->step_count,
        .is_careful = is_touched || (fate->state == LEDGER_STATE_OPEN && !fate->has_note),
        .note = fate->has_note ? &fate->note : NULL,
    };
    reading->bytes +=
        event->key.length + event->value.length + event->headers[HEADER_LEDGER].length;
    count_fill(&reading->counts, fill);
}

static int visit(void *context, const struct event *event, struct error *err)
{
    struct reading *reading = context;
    const struct rebuild_part *part = note_read(reading, event);
    struct fate *fate = &reading->entries[reading->count].fate;
    int64_t now_ms = clock_monotonic_ms();
    struct event_key key;
    struct text account;
    int rc;

    if (stop_requested())
        return error_set(err, ERROR_TEMPORARY, "stopping");
    if (keep_lock(reading, now_ms, err) != 0)
        return -1;
    tell_progress(reading, now_ms);
    if (part == NULL || event->value.data == NULL)
        return 0; /* it was written after the rebuild began, or it is a tombstone */
    if (event_key_parse(event->key, &key) != 0)
        return 0; /* its key names nothing */
    if (part->kind == REBUILD_FATE)
        rc = fate_read(reading->settings->topics, event, fate);
    else /* contacts and products on their way need no entry (rule 16) */
        rc = text_is(key.entity, "order") ? fate_read_open(event, fate) : -1;
    account = rc == 0 && fate->account[0] != '\0' ? text_of(fate->account)
                                                  : account_of(reading, event, key.store);
    /* The ledger refuses such a name, and the rebuild must not fail because of one record. */
    if (rc == 0 && (account.length == 0 || account.length > ACCOUNT_BYTES_MAX)) {
        fate_clear(fate);
        rc = -1;
    }
    if (rc != 0) {
        reading->counts.others++;
        return 0;
    }
    add_fill(reading, event, account, event->offset < part->touched_to);
    return reading->count == BATCH || reading->bytes > BATCH_BYTES ? flush(reading, err) : 0;
}

/* Asks for the committed offsets and marks first, and for the ends of all topics after that. So an
 * order that leaves its topic in between is found in another one, whose end is asked for later. */
static int ask_places(struct reading *reading, struct error *err)
{
    const struct stage_settings *settings = reading->settings;
    const struct topics *topics = settings->topics;
    const char *fates[FATE_TOPICS] = {topics->delivered, topics->dead, topics->skipped};
    char *group = mem_printf("%s.%s", settings->config->kafka.topic_prefix, settings->service);
    int rc;

    rc = kafka_group_places(settings->config, group, settings->inputs, settings->input_count,
                            &reading->inputs, &reading->input_count, err);
    if (rc == 0)
        rc = kafka_group_places(settings->config, NULL, fates, FATE_TOPICS, &reading->fates,
                                &reading->fate_count, err);
    free(group);
    return rc;
}

static void add_parts(struct reading *reading, const struct kafka_place *places, int count)
{
    for (int i = 0; i < count; i++) {
        enum rebuild_kind kind = rebuild_plan_kind(reading->settings->topics, places[i].topic);

        reading->parts[reading->part_count++] = rebuild_plan_part(kind, &places[i]);
    }
}

static void plan(struct reading *reading)
{
    size_t count = (size_t)(reading->input_count + reading->fate_count);
    int unmarked_count = 0;
    int64_t record_count = 0;

    reading->parts = mem_alloc((count + 1) * sizeof(*reading->parts));
    reading->spans = mem_alloc((count + 1) * sizeof(*reading->spans));
    reading->at = mem_alloc((count + 1) * sizeof(*reading->at));
    add_parts(reading, reading->inputs, reading->input_count);
    add_parts(reading, reading->fates, reading->fate_count);
    rebuild_plan_sort(reading->parts, reading->part_count);
    for (int i = 0; i < reading->part_count; i++) {
        const struct rebuild_part *part = &reading->parts[i];

        reading->spans[i] = (struct kafka_span){
            .topic = part->topic, .partition = part->partition, .from = part->from, .to = part->to};
        reading->at[i] = part->from;
        reading->total += part->to - part->from;
        if (!part->is_marked && part->to > part->from) {
            unmarked_count++;
            record_count += part->to - part->from;
        }
    }
    if (unmarked_count > 0)
        log_warn("rebuild finds no mark partitions=%d records=%" PRId64
                 " consequence=\"all of them count as begun and are looked up\"",
                 unmarked_count, record_count);
}

static int seal(struct reading *reading, struct error *err)
{
    const struct counts *counts = &reading->counts;
    enum ledger_answer answer = LEDGER_FENCED;

    if (ledger_rebuild_finish(reading->ledger, &answer, err) != 0)
        return -1;
    if (answer != LEDGER_OK)
        return error_set(err, ERROR_TEMPORARY, "the rebuild lock was lost");
    log_warn("rebuild ended delivered=%" PRId64 " dead=%" PRId64 " withdrawn=%" PRId64
             " known=%" PRId64 " careful=%" PRId64 " others=%" PRId64 " records=%" PRId64
             " took_ms=%" PRId64,
             counts->delivered, counts->dead, counts->withdrawn, counts->exact, counts->careful,
             counts->others, reading->total, clock_monotonic_ms() - reading->started_ms);
    return 0;
}

int rebuild_read(const struct stage_settings *settings, struct ledger *ledger, struct error *err)
{
    struct reading *reading = mem_alloc(sizeof(*reading));
    int rc;

    reading->settings = settings;
    reading->ledger = ledger;
    reading->started_ms = reading->renewed_ms = reading->told_ms = clock_monotonic_ms();
    log_warn("rebuild started");
    rc = ask_places(reading, err);
    if (rc == 0) {
        plan(reading);
        rc = kafka_read_spans(settings->config, reading->spans, reading->part_count, visit, reading,
                              err);
    }
    if (rc == 0)
        rc = flush(reading, err);
    if (rc == 0)
        rc = seal(reading, err);
    clear_batch(reading);
    free(reading->parts);
    free(reading->spans);
    free(reading->at);
    kafka_places_free(reading->inputs, reading->input_count);
    kafka_places_free(reading->fates, reading->fate_count);
    free(reading);
    return rc;
}
