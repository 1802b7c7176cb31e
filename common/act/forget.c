#include "act/forget.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "history/outside_text.h"
#include "history/personal.h"
#include "history/spot.h"
#include "history/survey.h"
#include "ledger/ledger.h"
#include "net/kafka_group.h"
#include "record/forgotten.h"

enum { BUSY_LOOK_MS = 500, BUSY_MORE_MS = 5000, ID_BYTES = 64 };

/* 30 days, and the seven in which Kafka by default goes on writing to one file. */
#define KEPT_MS (INT64_C(37) * 24 * 60 * 60 * 1000)

struct forget {
    struct act *act;
    const struct person *person;
    struct survey survey;
    json_t *dead;       /* keys of the records of `dead` that were blanked */
    json_t *accounts;   /* the contacts that are to be deleted by hand: {"account", "contact_id"} */
    int64_t on_the_way; /* records that are still to be delivered */
    int64_t waited;     /* finished records of waiting topics, which are kept for ever */
    struct kafka_place *places;
    int place_count;
};

/* Blanks one record of `dead`. Its headers stay, but for what a vendor or a program said of the
 * value; the reason and what the ledger knew are needed. */
static int blank(struct forget *forget, const struct event *event, struct error *err)
{
    struct output output = {.topic = forget->act->topics.dead,
                            .key = event->key,
                            .partition_hash = event_hash(0, event->key)};
    struct personal personal = {0};
    struct buffer value = {0};
    struct text detail = event->headers[HEADER_DETAIL];
    char at[OUTSIDE_TIME_BYTES];
    char *hidden = mem_strndup(detail.data != NULL ? detail.data : "", detail.length);
    int rc;

    personal_learn(&personal, event->value);
    personal_hide(&personal, hidden);
    forgotten_write(&value, event->value, outside_time_print(at, clock_now_ms()));
    memcpy(output.headers, event->headers, sizeof(output.headers));
    output.headers[HEADER_ANSWER] = (struct text){0};
    if (detail.data != NULL)
        output.headers[HEADER_DETAIL] = text_of(hidden);
    output.value = (struct text){value.data, value.length};
    rc = send_one(forget->act->send, &output, err);
    if (rc == 0)
        json_array_append_new(forget->dead, json_stringn(event->key.data, event->key.length));
    personal_clear(&personal);
    buffer_clear(&value);
    free(hidden);
    return rc;
}

/* An older record of `dead` that is the person's is blanked too: the newer one has the same key and
 * replaces it at the next compaction, unless it is a tombstone or another text. So only the newest
 * record of a key is written again, which is decided by reading to the end. */
struct newest {
    char *key;
    int32_t partition;
    int64_t offset;
};

struct newest_list {
    struct forget *forget;
    struct newest *list;
    int count;
};

static int note_dead(void *context, const struct event *event, struct error *err)
{
    struct newest_list *newest = context;
    int is_theirs =
        person_has(newest->forget->person, event->value) && !forgotten_read(event->value, NULL);
    int at = 0;

    (void)err;
    if (act_is_cancelled())
        return error_set(err, ERROR_TEMPORARY, "cancelled; do it again");
    while (at < newest->count && !text_is(event->key, newest->list[at].key))
        at++;
    if (at == newest->count && !is_theirs)
        return 0;
    if (at == newest->count) {
        newest->list = mem_realloc(newest->list, ((size_t)at + 1) * sizeof(*newest->list));
        newest->list[at].key = mem_strndup(event->key.data, event->key.length);
        newest->count++;
    }
    newest->list[at].partition = event->partition;
    newest->list[at].offset = is_theirs ? event->offset : -1;
    return 0;
}

static int blank_newest(void *context, const struct event *event, struct error *err)
{
    struct newest_list *newest = context;

    for (int i = 0; i < newest->count; i++)
        if (newest->list[i].offset == event->offset &&
            newest->list[i].partition == event->partition)
            return blank(newest->forget, event, err);
    return 0;
}

static int forget_dead(struct forget *forget, struct error *err)
{
    struct newest_list newest = {.forget = forget};
    struct survey_spans spans = {0};
    int rc = survey_add_topic(&forget->survey, forget->act->topics.dead, 0, &spans, err);

    if (rc == 0)
        rc = survey_read(&forget->survey, &spans, "reading dead", note_dead, &newest, err);
    if (rc == 0 && newest.count > 0)
        rc = survey_read(&forget->survey, &spans, "blanking dead", blank_newest, &newest, err);
    for (int i = 0; i < newest.count; i++)
        free(newest.list[i].key);
    free(newest.list);
    survey_spans_clear(&spans);
    return rc;
}

/* Removes the contact's entry, when nobody works on it. */
static int erase(struct forget *forget, struct ledger *ledger, struct text account,
                 int64_t lease_ms, struct error *err)
{
    struct ledger_peek peek = {.kind = LEDGER_CONTACT, .id = text_of(forget->person->digest)};
    enum ledger_answer answer = LEDGER_BUSY;
    int64_t until_ms = clock_monotonic_ms() + lease_ms + BUSY_MORE_MS;

    if (ledger_peek_many(ledger, account, &peek, 1, err) != 0)
        return -1;
    while (answer == LEDGER_BUSY) {
        if (ledger_erase_contact(ledger, account, text_of(forget->person->digest), &answer, err) !=
            0)
            return -1;
        if (answer == LEDGER_BUSY && (clock_monotonic_ms() > until_ms || act_is_cancelled()))
            return error_set(err, ERROR_TEMPORARY,
                             "a pusher works on the contact, or its create had no answer yet; do "
                             "it again later");
        if (answer == LEDGER_BUSY)
            stop_wait_ms(BUSY_LOOK_MS);
    }
    if (answer != LEDGER_OK)
        return error_set(err, ERROR_TEMPORARY, "the delivery ledger is being rebuilt");
    if (peek.known_id[0] != '\0')
        json_array_append_new(forget->accounts,
                              json_pack("{s:s%, s:s}", "account", account.data, account.length,
                                        "contact_id", peek.known_id));
    return 0;
}

static int forget_redis(struct forget *forget, struct error *err)
{
    const struct config *config = forget->act->config;
    struct ledger_settings settings = ledger_settings_of(config);
    struct ledger *ledger = ledger_new(&settings);
    int rc = 0;

    for (int i = 0; rc == 0 && i < config->account_count; i++)
        rc = erase(forget, ledger, text_of(config->accounts[i].name), settings.lease_ms, err);
    ledger_free(ledger);
    return rc;
}

/* Counts what the topics still have to deliver of the person, and what waiting topics keep. */
static int count_record(void *context, const struct event *event, struct error *err)
{
    struct forget *forget = context;

    if (act_is_cancelled())
        return error_set(err, ERROR_TEMPORARY, "cancelled; do it again");
    if (!person_has(forget->person, event->value))
        return 0;
    for (int i = 0; i < forget->place_count; i++) {
        const struct kafka_place *place = &forget->places[i];
        int is_unread = event->offset >= survey_unread_from(place);

        if (place->partition != event->partition || strcmp(place->topic, event->topic) != 0)
            continue;
        forget->on_the_way += is_unread;
        forget->waited += !is_unread;
        break;
    }
    return 0;
}

static int count_rest(struct forget *forget, struct error *err)
{
    const struct topics *topics = &forget->act->topics;
    const char **names = mem_alloc(SPOT_INPUTS((size_t)topics->account_count) * sizeof(*names));
    int pusher = SPOT_GROUP_COUNT - 1;
    int name_count = spot_inputs(topics, pusher, names), rc;
    char *group = mem_printf("%s.%s", forget->act->config->kafka.topic_prefix, spot_groups[pusher]);
    struct survey_spans spans = {0};

    rc = kafka_group_places(forget->act->config, group, names, name_count, &forget->places,
                            &forget->place_count, err);
    for (int i = 0; i < forget->place_count; i++) {
        const struct kafka_place *place = &forget->places[i];
        enum spot_kind kind = spot_of(topics, place->topic).kind;
        int is_kept = kind == SPOT_WAITING || kind == SPOT_WAITING_ORDERS;

        survey_spans_add(&spans, place->topic, place->partition,
                         is_kept ? place->low : survey_unread_from(place), place->end);
    }
    if (rc == 0)
        rc = survey_read(&forget->survey, &spans, "reading what is on its way", count_record,
                         forget, err);
    survey_spans_clear(&spans);
    free(group);
    free(names);
    return rc;
}

static json_t *receipt_json(const struct forget *forget)
{
    char at[OUTSIDE_TIME_BYTES], until[OUTSIDE_TIME_BYTES];
    int64_t now_ms = clock_now_ms();

    return mem_check(json_pack(
        "{s:s, s:s, s:{s:O, s:b, s:b}, s:{s:I, s:s, s:I, s:O}}", "email_digest",
        forget->person->digest, "at", outside_time_print(at, now_ms), "removed", "dead",
        forget->dead, "redis", 1, "index", 1, "stays", "on_the_way", (json_int_t)forget->on_the_way,
        "topics_until", outside_time_print(until, now_ms + KEPT_MS), "waiting_for_ever",
        (json_int_t)forget->waited, "infusionsoft", forget->accounts));
}

int forget_person(struct act *act, const struct person *person, json_t **receipt, struct error *err)
{
    struct forget forget = {
        .act = act, .person = person, .dead = json_array(), .accounts = json_array()};
    int rc;

    *receipt = NULL;
    if (act->why != NULL && person_has(person, text_of(act->why))) {
        rc = error_set(err, ERROR_PERMANENT,
                       "the reason names the address, and the audit is kept for ever; name a "
                       "ticket in its place");
        goto out;
    }
    survey_init(&forget.survey, act->config);
    /* This entry is what the console's index obeys. */
    rc = act_begin(act, "forget", json_pack("{s:s}", "email_digest", person->digest), err);
    if (rc == 0) {
        rc = forget_dead(&forget, err);
        if (rc == 0)
            rc = count_rest(&forget, err);
        /* The contact's entry goes last: it alone knows the contact's id, which a command that was
         * broken off and is repeated needs for its receipt. */
        if (rc == 0)
            rc = forget_redis(&forget, err);
        *receipt = receipt_json(&forget);
        rc = act_finish(act, rc,
                        json_pack("{s:I, s:I}", "dead", (json_int_t)json_array_size(forget.dead),
                                  "on_the_way", (json_int_t)forget.on_the_way),
                        err);
    }
    survey_clear(&forget.survey);
out:
    kafka_places_free(forget.places, forget.place_count);
    json_decref(forget.dead);
    json_decref(forget.accounts);
    return rc;
}
