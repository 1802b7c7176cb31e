#include "history/order_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "history/outside_text.h"
#include "history/personal.h"
#include "ledger/note.h"
#include "record/trace.h"

/* No header can name a later time, and no clock should. */
#define TIME_LIMIT_MS INT64_C(1000000000000000)

enum { FACT_MAX_BYTES = 2000 /* the services write shorter ones */, LIST_MAX = 100 };

void order_record_reader_init(struct order_record_reader *reader, const struct topics *topics,
                              const int64_t *retry_delays_s)
{
    *reader = (struct order_record_reader){.topics = topics, .retry_delays_s = retry_delays_s};
}

void order_record_reader_clear(struct order_record_reader *reader)
{
    json_memory_clear(&reader->memory);
    buffer_clear(&reader->record.facts);
    buffer_clear(&reader->text);
    *reader = (struct order_record_reader){0};
}

/* Makes text safe in reader->text: no control characters, no invalid UTF-8, no word with an '@',
 * nothing that personal knows. */
static struct text safe_text(struct order_record_reader *reader, struct text text,
                             const struct personal *personal)
{
    static const struct personal nothing;

    buffer_reset(&reader->text);
    buffer_append(&reader->text, "", 0);
    outside_text_print(&reader->text, outside_text_begin(text, FACT_MAX_BYTES));
    personal_hide(personal != NULL ? personal : &nothing, reader->text.data);
    return (struct text){reader->text.data, reader->text.length};
}

static void copy_text(struct order_record_reader *reader, char *target, size_t size,
                      struct text text)
{
    struct text begin;

    if (text.length == 0)
        return;
    begin = outside_text_begin(safe_text(reader, text, NULL), size - 1);
    memcpy(target, begin.data, begin.length);
    target[begin.length] = '\0';
}

static void begin_fact(struct buffer *facts, const char *name)
{
    buffer_append(facts, facts->length == 0 ? "{\"" : ",\"", 2);
    buffer_append(facts, name, strlen(name));
    buffer_append(facts, "\":", 2);
}

static void add_fact(struct order_record_reader *reader, const char *name, struct text text,
                     const struct personal *personal)
{
    struct buffer *facts = &reader->record.facts;

    if (text.length == 0)
        return;
    begin_fact(facts, name);
    json_write_text(facts, safe_text(reader, text, personal), SIZE_MAX);
}

static void add_number(struct order_record_reader *reader, const char *name, int64_t value)
{
    if (value <= 0)
        return;
    begin_fact(&reader->record.facts, name);
    json_write_int(&reader->record.facts, value);
}

/* The vendor's answer of a dead record. What was sent stands in the same record, so its texts can be
 * hidden; where it cannot be read, the answer is not kept. */
static void add_answer(struct order_record_reader *reader, const struct event *event)
{
    struct personal personal = {0};

    if (event->headers[HEADER_ANSWER].length == 0)
        return;
    personal_learn(&personal, event->value);
    if (personal.count > 0)
        add_fact(reader, "answer", event->headers[HEADER_ANSWER], &personal);
    else
        add_fact(reader, "answer", text_of("not kept: it may name the customer"), NULL);
    personal_clear(&personal);
}

static void add_headers(struct order_record_reader *reader, const struct event *event)
{
    const struct text *headers = event->headers;
    enum spot_kind kind = reader->record.kind;

    if (headers[HEADER_KIND].length > 0 && !text_is(headers[HEADER_KIND], "order"))
        add_fact(reader, "kind", headers[HEADER_KIND], NULL);
    if (kind == SPOT_RAW || !text_is(headers[HEADER_SOURCE], "poll"))
        add_fact(reader, "source", headers[HEADER_SOURCE], NULL);
    add_fact(reader, "account", headers[HEADER_ACCOUNT], NULL);
    add_fact(reader, "reason", headers[HEADER_REASON], NULL);
    add_fact(reader, "detail", headers[HEADER_DETAIL], NULL);
    add_fact(reader, "by", headers[HEADER_STAGE], NULL);
    add_fact(reader, "origin", headers[HEADER_ORIGIN], NULL);
    add_number(reader, "attempt", reader->record.attempt);
    add_fact(reader, "step", headers[HEADER_STEP], NULL);
    if (kind == SPOT_RAW)
        add_fact(reader, "trace", trace_id(headers[HEADER_TRACEPARENT]), NULL);
    add_number(reader, "not_before", event_header_int(event, HEADER_NOT_BEFORE, -1));
    add_number(reader, "replayed_at", event_header_int(event, HEADER_REPLAYED_AT, -1));
    add_answer(reader, event);
    if (kind >= SPOT_SKIPPED && reader->record.is_tombstone) {
        begin_fact(&reader->record.facts, "taken_back");
        json_write_literal(&reader->record.facts, "true");
    }
}

static int64_t member_int(yyjson_val *object, const char *name)
{
    int64_t value;

    return text_to_int(json_text(yyjson_obj_get(object, name)), &value) == 0 && value >= 0 ? value
                                                                                           : -1;
}

static struct text member_text(yyjson_val *object, const char *name)
{
    return json_text(yyjson_obj_get(object, name));
}

/* A list of texts, such as in_doubt. */
static void add_texts(struct order_record_reader *reader, const char *name, yyjson_val *list)
{
    struct buffer *facts = &reader->record.facts;
    size_t index, count;
    yyjson_val *one;

    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0)
        return;
    begin_fact(facts, name);
    yyjson_arr_foreach(list, index, count, one)
    {
        if (index == LIST_MAX)
            break;
        buffer_append(facts, index == 0 ? "[" : ",", 1);
        json_write_text(facts, safe_text(reader, json_text(one), NULL), SIZE_MAX);
    }
    buffer_append(facts, "]", 1);
}

/* The steps that the account refused. Its answers may name the customer, and what was sent is not in
 * this record, so only the steps are kept. */
static void add_incomplete(struct order_record_reader *reader, yyjson_val *list)
{
    struct buffer *facts = &reader->record.facts;
    size_t index, count;
    yyjson_val *one;

    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0)
        return;
    begin_fact(facts, "incomplete");
    yyjson_arr_foreach(list, index, count, one)
    {
        if (index == LIST_MAX)
            break;
        buffer_append(facts, index == 0 ? "[" : ",", 1);
        json_write_literal(facts, "{\"step\":");
        json_write_text(facts, safe_text(reader, member_text(one, "step"), NULL), SIZE_MAX);
        json_write_literal(facts, "}");
    }
    buffer_append(facts, "]", 1);
}

/* Writes a goal of the steps, such as "goal:BCSKU/A-1": "in_doubt", as "in_doubt:BCSKU/A-1"; the
 * result is left out where it was sent, as nearly all are. */
static void write_goal(struct order_record_reader *reader, struct text name, struct text result)
{
    struct buffer *facts = &reader->record.facts;

    json_write_literal(facts, "\"");
    if (!text_is(result, "sent")) {
        json_write_part(facts, safe_text(reader, result, NULL), SIZE_MAX);
        json_write_literal(facts, ":");
    }
    json_write_part(facts, safe_text(reader, name, NULL), SIZE_MAX);
    json_write_literal(facts, "\"");
}

static void add_goals(struct order_record_reader *reader, yyjson_val *steps)
{
    struct buffer *facts = &reader->record.facts;
    size_t index, count;
    yyjson_val *key, *value;
    int written = 0;

    if (!yyjson_is_obj(steps))
        return;
    yyjson_obj_foreach(steps, index, count, key, value)
    {
        struct text name = json_text(key);

        if (name.length < 5 || memcmp(name.data, "goal:", 5) != 0 || written == LIST_MAX)
            continue;
        if (written++ == 0)
            begin_fact(facts, "goals");
        buffer_append(facts, written == 1 ? "[" : ",", 1);
        write_goal(reader, (struct text){name.data + 5, name.length - 5}, json_text(value));
    }
    if (written > 0)
        buffer_append(facts, "]", 1);
}

static void read_delivered(struct order_record_reader *reader, yyjson_val *root)
{
    struct order_record *record = &reader->record;
    yyjson_val *times = yyjson_obj_get(root, "times");

    record->placed_ms = member_int(times, "placed");
    record->created_ms = member_int(times, "created");
    copy_text(reader, record->order_id, sizeof(record->order_id), member_text(root, "order_id"));
    copy_text(reader, record->contact_id, sizeof(record->contact_id),
              member_text(root, "contact_id"));
    add_fact(reader, "order_id", text_of(record->order_id), NULL);
    add_fact(reader, "contact_id", text_of(record->contact_id), NULL);
    add_number(reader, "placed_at", record->placed_ms);
    add_number(reader, "eligible_at", member_int(times, "eligible"));
    add_number(reader, "polled_at", member_int(times, "polled"));
    add_number(reader, "created_at", record->created_ms);
    add_number(reader, "attempts", member_int(root, "attempts"));
    add_number(reader, "calls", member_int(root, "calls"));
    add_goals(reader, yyjson_obj_get(root, "steps"));
    add_texts(reader, "in_doubt", yyjson_obj_get(root, "in_doubt"));
    add_incomplete(reader, yyjson_obj_get(root, "incomplete"));
    add_texts(reader, "left_out", yyjson_obj_get(root, "left_out"));
}

static void read_skipped(struct order_record_reader *reader, yyjson_val *root)
{
    struct order_record *record = &reader->record;
    struct text detail = member_text(root, "detail");
    struct text reason = member_text(root, "reason");

    yyjson_val *status = yyjson_obj_get(root, "status");
    struct buffer *facts = &record->facts;

    record->placed_ms = member_int(root, "placed_at");
    if (yyjson_is_obj(status)) {
        begin_fact(facts, "status");
        json_write_literal(facts, "{\"id\":");
        json_write_int(facts, member_int(status, "id"));
        json_write_literal(facts, ",\"name\":");
        json_write_text(facts, safe_text(reader, member_text(status, "name"), NULL), SIZE_MAX);
        json_write_literal(facts, "}");
    }
    if (detail.length > 0 && record->detail[0] == '\0') {
        copy_text(reader, record->detail, sizeof(record->detail), detail);
        add_fact(reader, "detail", detail, NULL);
    }
    if (reason.length > 0 && record->reason == REASON_NONE)
        record->reason = reason_of(reason.data, reason.length);
}

static int hex_value(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static void set_digest(struct order_record *record, struct text email)
{
    char hex[DIGEST_BYTES];

    email = text_trim(email);
    if (email.length == 0)
        return;
    digest_hex_nocase(hex, email);
    for (int i = 0; i < ORDER_DIGEST_BYTES; i++)
        record->email_digest[i] =
            (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    record->has_digest = 1;
}

/* Raw records have the order, and retry and waiting records the payload. Eligible records and
 * payloads are kept no longer than the raw ones, so they need not be read too. */
static void read_value(struct order_record_reader *reader, const struct event *event)
{
    struct order_record *record = &reader->record;
    const char *why;
    size_t where;
    yyjson_doc *doc;
    yyjson_val *root;

    if (record->is_tombstone || record->kind == SPOT_ELIGIBLE || record->kind == SPOT_PAYLOADS ||
        record->kind == SPOT_DEAD)
        return;
    doc = json_read(&reader->memory, event->value, &why, &where);
    root = yyjson_doc_get_root(doc);
    if (record->version < 0 && record->kind >= SPOT_SKIPPED)
        record->version = member_int(root, "modified_at");
    if (record->kind == SPOT_RAW)
        set_digest(record, member_text(yyjson_obj_get(root, "billing_address"), "email"));
    else if (record->kind == SPOT_DELIVERED)
        read_delivered(reader, root);
    else if (record->kind == SPOT_SKIPPED)
        read_skipped(reader, root);
    else
        set_digest(record, member_text(yyjson_arr_get_first(yyjson_obj_get(
                                           yyjson_obj_get(root, "contact"), "email_addresses")),
                                       "email"));
    yyjson_doc_free(doc);
}

static int is_in_doubt(const struct event *event)
{
    struct ledger_note note = {0};
    int doubt = text_is(event->headers[HEADER_REASON], reason_name(REASON_IN_DOUBT));

    if (!doubt && event->headers[HEADER_LEDGER].length > 0 &&
        ledger_note_read(event->headers[HEADER_LEDGER], &note) == 0)
        doubt = note.fields[LEDGER_NOTE_DOUBT] != NULL;
    ledger_note_clear(&note);
    return doubt;
}

static enum reason reason_for(const struct order_record *record, const struct event *event)
{
    switch (record->kind) {
    case SPOT_SKIPPED:
    case SPOT_DEAD:
        return event->headers[HEADER_REASON].length > 0
                   ? reason_of(event->headers[HEADER_REASON].data,
                               event->headers[HEADER_REASON].length)
                   : REASON_NONE;
    case SPOT_RETRY:
        return is_in_doubt(event) ? REASON_IN_DOUBT : REASON_RETRYING;
    case SPOT_WAITING:
        return REASON_ACCOUNT_CLOSED;
    case SPOT_WAITING_ORDERS:
        return REASON_ECOMMERCE_UNAVAILABLE;
    default:
        return REASON_NONE;
    }
}

static int64_t next_try_of(const struct order_record_reader *reader, const struct event *event)
{
    const struct order_record *record = &reader->record;

    if (record->kind != SPOT_RETRY)
        return -1;
    if (event->is_broker_time)
        return event->timestamp_ms + reader->retry_delays_s[record->spot_index] * 1000;
    return event_header_int(event, HEADER_NOT_BEFORE, -1);
}

static void read_headers(struct order_record_reader *reader, const struct event *event)
{
    struct order_record *record = &reader->record;

    record->partition = event->partition;
    record->offset = event->offset;
    record->time_ms =
        event->timestamp_ms >= 0 && event->timestamp_ms < TIME_LIMIT_MS ? event->timestamp_ms : -1;
    record->version = event_header_int(event, HEADER_MODIFIED_AT, -1);
    record->replay_ms = event_header_int(event, HEADER_REPLAYED_AT,
                                         text_is(event->headers[HEADER_SOURCE], "replay"));
    record->since_ms = record->replay_ms > 0
                           ? record->time_ms
                           : event_header_int(event, HEADER_POLLED_AT, record->time_ms);
    record->next_try_ms = next_try_of(reader, event);
    record->attempt = event_header_int(event, HEADER_ATTEMPT, 0);
    record->is_withdrawn = text_is(event->headers[HEADER_KIND], "withdrawn");
    record->is_tombstone = event->value.data == NULL;
    record->reason = reason_for(record, event);
    copy_text(reader, record->account, sizeof(record->account), event->headers[HEADER_ACCOUNT]);
    copy_text(reader, record->detail, sizeof(record->detail), event->headers[HEADER_DETAIL]);
}

/* Records of one topic follow each other mostly, and there may be a thousand topics. */
static struct spot find_spot(struct order_record_reader *reader, const char *topic)
{
    if (reader->spot.kind == SPOT_NONE || strcmp(reader->spot.topic, topic) != 0)
        reader->spot = spot_of(reader->topics, topic);
    return reader->spot;
}

const struct order_record *order_record_read(struct order_record_reader *reader,
                                             const struct event *event)
{
    struct spot spot = find_spot(reader, event->topic);
    struct buffer facts = reader->record.facts;

    if (spot.kind == SPOT_NONE || event->key.length == 0)
        return NULL;
    buffer_reset(&facts);
    reader->record = (struct order_record){.kind = spot.kind,
                                           .spot_index = spot.kind == SPOT_RETRY ? spot.index : 0,
                                           .placed_ms = -1,
                                           .created_ms = -1,
                                           .facts = facts};
    read_headers(reader, event);
    add_headers(reader, event);
    read_value(reader, event);
    if (reader->record.facts.length > 0)
        buffer_append(&reader->record.facts, "}", 1);
    return &reader->record;
}
