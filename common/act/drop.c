#include "act/drop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/stop.h"
#include "history/spot.h"
#include "history/survey.h"
#include "ledger/ledger.h"
#include "net/kafka_group.h"
#include "record/reason.h"

enum { BUSY_LOOK_MS = 500, BUSY_MORE_MS = 5000, NUMBER_BYTES = 24 };

/* What the topics tell of the order. */
struct found {
    struct survey survey;
    const char *key;
    int64_t version;       /* the newest one; -1: no record of it */
    int64_t first_seen_ms; /* when a poll saw it; -1: a pusher had it in hand */
    char *account;         /* NULL: no record names it */
    int is_delivered;
    int64_t skipped; /* the version that is skipped; -1: none */
};

static int note(void *context, const struct event *event, struct error *err)
{
    struct found *found = context;
    enum spot_kind kind = spot_of(&found->survey.topics, event->topic).kind;
    int64_t version = event_header_int(event, HEADER_MODIFIED_AT, 0);
    struct text account = event->headers[HEADER_ACCOUNT];

    (void)err;
    if (!text_is(event->key, found->key) || event->value.data == NULL)
        return 0;
    if (kind == SPOT_DELIVERED)
        found->is_delivered = 1;
    if (kind == SPOT_SKIPPED)
        found->skipped = version;
    if (kind >= SPOT_SKIPPED && kind != SPOT_DEAD)
        return 0;
    if (account.length > 0 && (found->account == NULL || version >= found->version)) {
        free(found->account);
        found->account = mem_strndup(account.data, account.length);
    }
    if (version < found->version)
        return 0;
    if (version > found->version || kind == SPOT_RETRY || kind == SPOT_WAITING ||
        kind == SPOT_WAITING_ORDERS)
        found->first_seen_ms =
            kind == SPOT_RETRY || kind == SPOT_WAITING || kind == SPOT_WAITING_ORDERS
                ? -1
                : event_header_int(event, HEADER_POLLED_AT, event->timestamp_ms);
    found->version = version;
    return 0;
}

/* Topics whose records are placed by key need one partition only. */
static int is_placed_by_key(const struct survey *survey, const char *topic)
{
    enum spot_kind kind = spot_of(&survey->topics, topic).kind;

    return kind == SPOT_RAW || kind >= SPOT_SKIPPED;
}

static void add_spans(const struct found *found, const struct kafka_place *places, int count,
                      struct survey_spans *spans)
{
    uint32_t hash = event_hash(0, text_of(found->key));

    for (int i = 0; i < count; i++) {
        const struct kafka_place *place = &places[i];
        uint32_t partitions = 0;
        int by_key = is_placed_by_key(&found->survey, place->topic);

        for (int j = 0; j < count; j++)
            partitions += strcmp(places[j].topic, place->topic) == 0;
        if (!by_key || (uint32_t)place->partition == hash % partitions)
            survey_spans_add(spans, spot_of(&found->survey.topics, place->topic).topic,
                             place->partition, by_key ? place->low : survey_unread_from(place),
                             place->end);
    }
}

static int find(struct found *found, struct error *err)
{
    const struct topics *topics = &found->survey.topics;
    const char **names = mem_alloc(
        (3 + 2 * TOPIC_LANE_COUNT + TOPIC_RETRY_COUNT + 2 * (size_t)topics->account_count) *
        sizeof(*names));
    char *group = mem_printf("%s.pusher", found->survey.config->kafka.topic_prefix);
    struct survey_spans spans = {0};
    struct kafka_place *places = NULL;
    int name_count = 0, count = 0, rc;

    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        names[name_count++] = topics->lanes[i].raw;
        names[name_count++] = topics->lanes[i].payloads;
    }
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        names[name_count++] = topics->retry[i];
    for (int i = 0; i < topics->account_count; i++) {
        names[name_count++] = topics->waiting[i];
        names[name_count++] = topics->waiting_orders[i];
    }
    names[name_count++] = topics->dead;
    names[name_count++] = topics->skipped;
    names[name_count++] = topics->delivered;
    rc = kafka_group_places(found->survey.config, group, names, name_count, &places, &count, err);
    if (rc == 0) {
        add_spans(found, places, count, &spans);
        rc = survey_read(&found->survey, &spans, "reading the order's records", note, found, err);
    }
    survey_spans_clear(&spans);
    kafka_places_free(places, count);
    free(group);
    free(names);
    return rc;
}

static int check(const struct found *found, struct error *err)
{
    if (found->is_delivered)
        return error_set(err, ERROR_PERMANENT, "%s is delivered already, so it cannot be dropped",
                         found->key);
    if (found->version < 0 && found->skipped < 0)
        return error_set(err, ERROR_PERMANENT, "no topic has a record of %s", found->key);
    if (found->skipped >= found->version)
        return error_set(err, ERROR_PERMANENT, "%s is skipped already", found->key);
    if (found->account == NULL)
        return error_set(err, ERROR_PERMANENT, "no record of %s names its account", found->key);
    return 0;
}

/* Asks for the order's entry until nobody else has it. */
static int acquire(struct ledger *ledger, const struct found *found, struct ledger_grant *grant,
                   int64_t lease_ms, struct error *err)
{
    char digest[DIGEST_BYTES];
    struct text key = text_of(found->key);
    struct ledger_request request = {.kind = LEDGER_ORDER,
                                     .account = text_of(found->account),
                                     .id = key,
                                     .modified_at = found->version,
                                     .first_seen_ms = found->first_seen_ms,
                                     .digest = digest,
                                     .withdrawn = 1};
    int64_t until_ms = clock_monotonic_ms() + lease_ms + BUSY_MORE_MS;

    digest_hex(digest, &key, 1);
    for (;;) {
        ledger_grant_clear(grant);
        if (ledger_acquire(ledger, &request, grant, err) != 0)
            return -1;
        if (grant->answer != LEDGER_BUSY)
            return 0;
        if (clock_monotonic_ms() > until_ms || act_is_cancelled())
            return error_set(err, ERROR_TEMPORARY, "a pusher has %s in hand; try again",
                             found->key);
        stop_wait_ms(BUSY_LOOK_MS);
    }
}

/* What the ledger says when it does not grant the order. */
static int refuse(const struct found *found, enum ledger_answer answer, struct error *err)
{
    switch (answer) {
    case LEDGER_DONE:
        return error_set(err, ERROR_PERMANENT, "%s is delivered already, so it cannot be dropped",
                         found->key);
    case LEDGER_RECONCILE:
        return error_set(err, ERROR_PERMANENT,
                         "a call for %s had no answer, and it is not known yet whether the order "
                         "was made; drop it when that is known",
                         found->key);
    case LEDGER_OLD:
        return error_set(err, ERROR_PERMANENT, "a newer version of %s is on its way", found->key);
    default:
        return error_set(err, ERROR_TEMPORARY,
                         "the delivery ledger is being rebuilt; try again when that is done");
    }
}

/* Withdraws the version in the ledger. note: out: what the entry says after that. @returns 0; 1: the
 * entry was given to another one meanwhile, so ask again; -1 with an error */
static int withdraw(struct ledger *ledger, const struct found *found, int64_t lease_ms,
                    struct ledger_grant *grant, struct buffer *entry, struct error *err)
{
    enum ledger_answer answer = LEDGER_FENCED;

    if (acquire(ledger, found, grant, lease_ms, err) != 0)
        return -1;
    if (grant->answer == LEDGER_RECONCILE) {
        struct error ignored = {0};

        ledger_finish(ledger, grant, LEDGER_FINISH_RETRY, NULL, NULL, NULL, NULL, &answer,
                      &ignored);
    }
    if (grant->answer != LEDGER_GRANT)
        return refuse(found, grant->answer, err);
    if (ledger_grant_step(grant, "order") != NULL) {
        ledger_finish(ledger, grant, LEDGER_FINISH_RETRY, NULL, NULL, NULL, NULL, &answer, err);
        return refuse(found, LEDGER_DONE, err);
    }
    /* With this reason the pusher publishes the fate if we cannot any more. */
    if (ledger_finish(ledger, grant, LEDGER_FINISH_WITHDRAWN, NULL, NULL,
                      reason_name(REASON_DROPPED), entry, &answer, err) != 0)
        return -1;
    return answer == LEDGER_OK || answer == LEDGER_OK_STALE ? 0 : 1;
}

/* The order's fate, and the tombstone that takes its dead record back. */
static int publish(struct act *act, const struct found *found, const struct buffer *entry,
                   struct error *err)
{
    struct event_key key;
    char version[NUMBER_BYTES], now[NUMBER_BYTES], detail[80];
    char *value;
    struct output output = {.topic = act->topics.skipped, .key = text_of(found->key)};
    int rc;

    snprintf(version, sizeof(version), "%" PRId64, found->version);
    snprintf(detail, sizeof(detail), "an operator dropped it; entry %" PRId64 " of the audit",
             act->entry);
    value = mem_printf("{\"reason\":\"%s\",\"detail\":\"%s\",\"modified_at\":%s}",
                       reason_name(REASON_DROPPED), detail, version);
    output.value = text_of(value);
    output.partition_hash = event_hash(0, output.key);
    output.headers[HEADER_KIND] = text_of("withdrawn"); /* the rebuild of the ledger reads it */
    if (event_key_parse(output.key, &key) == 0)
        output.headers[HEADER_STORE] = key.store;
    output.headers[HEADER_ACCOUNT] = text_of(found->account);
    output.headers[HEADER_MODIFIED_AT] = text_of(version);
    /* It is a later fate than that of a record of this version that was sent again before. */
    snprintf(now, sizeof(now), "%" PRId64, clock_now_ms());
    output.headers[HEADER_REPLAYED_AT] = text_of(now);
    output.headers[HEADER_REASON] = text_of(reason_name(REASON_DROPPED));
    output.headers[HEADER_DETAIL] = text_of(detail);
    if (entry->length > 0)
        output.headers[HEADER_LEDGER] = (struct text){entry->data, entry->length};
    rc = send_one(act->send, &output, err);
    free(value);
    if (rc != 0)
        return -1;
    output = (struct output){
        .topic = act->topics.dead, .key = output.key, .partition_hash = output.partition_hash};
    return send_one(act->send, &output, err);
}

/* The fate is final only if the ledger was not lost between its answer and Kafka's (rule 6). */
static int drop(struct act *act, const struct found *found, struct error *err)
{
    struct ledger_settings settings = ledger_settings_of(act->config);
    struct ledger *ledger = ledger_new(&settings);
    struct ledger_grant grant = {0};
    struct buffer entry = {0};
    int rc;

    do {
        int64_t epoch = 0;

        rc = withdraw(ledger, found, settings.lease_ms, &grant, &entry, err);
        if (rc != 0)
            continue;
        rc = publish(act, found, &entry, err);
        if (rc == 0)
            rc = ledger_epoch(ledger, &epoch, err);
        if (rc == 0 && epoch != strtoll(grant.fence, NULL, 10))
            rc = 1;
    } while (rc == 1 && !act_is_cancelled());
    if (rc == 1)
        rc = error_set(err, ERROR_TEMPORARY, "cancelled before it was done; do it again");
    buffer_clear(&entry);
    ledger_grant_clear(&grant);
    ledger_free(ledger);
    return rc;
}

int drop_order(struct act *act, const char *key, struct error *err)
{
    struct found found = {.key = key, .version = -1, .skipped = -1};
    int rc;

    survey_init(&found.survey, act->config);
    rc = find(&found, err);
    if (rc == 0)
        rc = check(&found, err);
    if (rc == 0)
        rc = act_begin(act, "drop",
                       json_pack("{s:[s], s:I}", "keys", key, "version", (json_int_t)found.version),
                       err);
    if (rc == 0)
        rc = act_finish(act, drop(act, &found, err), json_object(), err);
    free(found.account);
    survey_clear(&found.survey);
    return rc;
}
