/* contacts_page.c - takes one page of customers: compares them with what was published, and
 * publishes those that changed. */
#include "contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mapping/customer.h"
#include "record/trace.h"

#include "catalog_marks.h"

#define MARKS_KEEP_MS INT64_C(2592000000) /* after a month without a change, marks go */

enum { NUMBER_BYTES = 24 };

/* A customer of a page, and the record that it becomes. */
struct row {
    struct output output;
    char *value; /* its JSON. Owned */
    size_t length;
    struct catalog_mark mark;
    int64_t modified_ms;
    int64_t group_id; /* 0: none */
    int is_sent;      /* it is new or changed */
    char key[160];
    char modified_at[NUMBER_BYTES];
    char polled_at[NUMBER_BYTES];
    char start_from[NUMBER_BYTES];
    char trace[TRACE_BYTES];
    char size_text[96];
    struct log_about about;
};

/* A customer's own date says that it was stored again, not that something changed that is synced:
 * the digest is that of everything else. */
static void make_digest(const struct contacts *contacts, yyjson_val *customer,
                        char digest[DIGEST_BYTES])
{
    static const char *const members[] = {"email", "first_name", "last_name",
                                          "phone", "addresses",  "customer_group_id"};
    struct buffer all = {0};
    struct text parts[2] = {text_of(contacts->store->account)};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        yyjson_val *value = yyjson_obj_get(customer, members[i]);
        size_t length = 0;
        char *json = value == NULL ? NULL : mem_check(yyjson_val_write(value, 0, &length));

        buffer_append(&all, members[i], strlen(members[i]) + 1);
        if (json != NULL)
            buffer_append(&all, json, length);
        free(json);
    }
    parts[1] = (struct text){all.data, all.length};
    digest_hex(digest, parts, 2);
    buffer_clear(&all);
}

static void fill_record(const struct contacts *contacts, struct row *row)
{
    struct output *output = &row->output;
    struct text parts[2];

    snprintf(row->key, sizeof(row->key), "%s/contact/%lld", contacts->store->hash,
             (long long)row->mark.id);
    snprintf(row->modified_at, sizeof(row->modified_at), "%lld", (long long)row->mark.version);
    snprintf(row->polled_at, sizeof(row->polled_at), "%lld", (long long)clock_now_ms());
    snprintf(row->start_from, sizeof(row->start_from), "%lld", (long long)contacts->start_from_ms);
    parts[0] = text_of(row->key);
    parts[1] = text_of(row->modified_at);
    trace_begin(row->trace, parts, 2);
    row->about = (struct log_about){parts[0], trace_id(text_of(row->trace))};
    *output = (struct output){.topic = contacts->topics->lanes[TOPIC_LANE_CONTACTS].raw,
                              .key = parts[0],
                              .value = {row->value, row->length},
                              .partition_hash = event_hash(0, parts[0])};
    output->headers[HEADER_KIND] = text_of("contact");
    output->headers[HEADER_STORE] = text_of(contacts->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(contacts->store->account);
    output->headers[HEADER_SOURCE] = text_of("poll");
    output->headers[HEADER_MODIFIED_AT] = parts[1];
    output->headers[HEADER_POLLED_AT] = text_of(row->polled_at);
    output->headers[HEADER_START_FROM] = text_of(row->start_from);
    output->headers[HEADER_TRACEPARENT] = text_of(row->trace);
}

static void make_too_large(const struct contacts *contacts, struct row *row)
{
    struct output *output = &row->output;
    const struct log_about *before = log_set_about(&row->about);

    snprintf(row->size_text, sizeof(row->size_text), "{\"id\":%lld,\"size\":%zu}",
             (long long)row->mark.id, row->length);
    output->topic = contacts->topics->dead;
    output->value = text_of(row->size_text);
    output->headers[HEADER_REASON] = text_of(reason_name(REASON_TOO_LARGE));
    output->headers[HEADER_DETAIL] = text_of("larger than max_record_bytes");
    output->headers[HEADER_STAGE] = text_of("poller");
    metric_add(contacts->dead, 1);
    log_warn("dead reason=too_large bytes=%zu", row->length);
    log_set_about(before);
}

/* Finds the customers that are new or changed. The version is the customer's own date, or what
 * comes right after the version before, where that date did not move. */
static void compare(struct contacts *contacts, struct row *rows, const struct catalog_mark *known,
                    int count)
{
    for (int i = 0; i < count; i++) {
        struct row *row = &rows[i];

        row->is_sent = strcmp(row->mark.digest, known[i].digest) != 0;
        row->mark.version =
            row->modified_ms > known[i].version ? row->modified_ms : known[i].version + 1;
        if (!row->is_sent)
            metric_add(contacts->unchanged, 1);
    }
}

/* Writes the name of its group into a customer, before all that the store says of it, as the member
 * {"bigfusion":{"customer_group":name}}. */
static void add_group(struct row *row, const char *name)
{
    struct buffer with = {0};

    json_write_literal(&with, "{\"bigfusion\":{\"customer_group\":");
    json_write_text(&with, text_of(name), SIZE_MAX);
    json_write_literal(&with, "},");
    buffer_append(&with, row->value + 1, row->length - 1);
    free(row->value);
    row->value = with.data;
    row->length = with.length;
}

/* Names the groups of those customers that are sent, where the store wants a tag of them. */
static enum outcome name_groups(struct contacts *contacts, struct row *rows, int count,
                                struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    if (strcmp(contacts->store->group_tag, "off") == 0)
        return OUTCOME_OK;
    for (int i = 0; i < count && outcome == OUTCOME_OK; i++) {
        struct row *row = &rows[i];
        const char *name;

        if (!row->is_sent || row->group_id == 0)
            continue;
        outcome = groups_prepare(&contacts->groups, contacts->asker, row->group_id,
                                 contacts->paged_ms, err);
        name = groups_name(&contacts->groups, row->group_id);
        if (outcome == OUTCOME_OK && name != NULL)
            add_group(row, name);
    }
    return outcome;
}

static void fill_records(struct contacts *contacts, struct row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        struct row *row = &rows[i];

        if (!row->is_sent)
            continue;
        fill_record(contacts, row);
        if ((int64_t)row->length + TOPIC_ENVELOPE_BYTES > contacts->config->kafka.max_record_bytes)
            make_too_large(contacts, row);
    }
}

/* Sends what changed and waits until Kafka has it. */
static enum outcome publish(struct contacts *contacts, struct row *rows, int count,
                            struct error *err)
{
    struct batch *batch = batch_new(contacts->batches, contacts->asker, count);
    enum outcome outcome = OUTCOME_OK;
    enum batch_answer answer;

    for (int i = 0; i < count && outcome == OUTCOME_OK; i++) {
        if (!rows[i].is_sent)
            continue;
        outcome = batch_send(batch, &rows[i].output, i, &answer, err);
        if (outcome == OUTCOME_OK && answer != BATCH_OK) {
            error_set(err, ERROR_TEMPORARY, "a customer is larger than its topic takes");
            outcome = OUTCOME_TROUBLE;
        }
    }
    if (outcome == OUTCOME_OK)
        outcome = batch_wait(batch, err);
    for (int i = 0; i < count && outcome == OUTCOME_OK; i++)
        if (rows[i].is_sent && batch_result(batch, i, err) != BATCH_OK)
            outcome = OUTCOME_TROUBLE;
    batch_drop(batch);
    return outcome;
}

/* Marks what was published. */
static void settle(struct contacts *contacts, const struct row *rows, int count)
{
    struct catalog_mark marks[CONTACTS_PAGE_MAX];
    struct error err = {0};
    int changed = 0;

    for (int i = 0; i < count; i++) {
        if (!rows[i].is_sent)
            continue;
        marks[changed++] = rows[i].mark;
        metric_add(contacts->published, 1);
        log_set_about(&rows[i].about);
        log_info("published modified_at=%s bytes=%zu", rows[i].modified_at, rows[i].length);
        log_set_about(NULL);
    }
    if (changed > 0 && catalog_marks_write(contacts->redis, contacts->marks_key, marks, changed,
                                           MARKS_KEEP_MS, &err) != 0)
        log_warn("marks lost store=%s customers=%d error=\"%s\"", contacts->store->hash, changed,
                 err.text); /* then these customers will be published once more */
    contacts->changed += changed;
}

static int read_rows(struct contacts *contacts, yyjson_val *list, struct row *rows, int *count,
                     struct error *err)
{
    yyjson_arr_iter iter;
    yyjson_val *one;

    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_TEMPORARY, "the store's answer has no list of customers");
    if (yyjson_arr_size(list) > CONTACTS_PAGE_MAX)
        return error_set(err, ERROR_TEMPORARY, "the store's answer has more customers than asked");
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        struct row *row = &rows[*count];
        struct error ignored = {0};
        struct customer customer;

        /* One that cannot be read goes on all the same, and the filter says what is wrong. */
        (void)customer_read(&customer, one, &ignored);
        if (customer.id < 1)
            return error_set(err, ERROR_TEMPORARY, "the store's answer has a customer without id");
        row->mark.id = customer.id;
        row->group_id = customer.group_id;
        row->modified_ms = customer.modified_at_ms;
        row->value = mem_check(yyjson_val_write(one, 0, &row->length));
        make_digest(contacts, one, row->mark.digest);
        (*count)++;
    }
    return 0;
}

static enum outcome take_rows(struct contacts *contacts, struct row *rows, int count,
                              struct error *err)
{
    struct catalog_mark known[CONTACTS_PAGE_MAX];
    enum outcome outcome;

    for (int i = 0; i < count; i++)
        known[i].id = rows[i].mark.id;
    if (catalog_marks_read(contacts->redis, contacts->marks_key, known, count, err) != 0)
        return OUTCOME_LOST;
    compare(contacts, rows, known, count);
    outcome = name_groups(contacts, rows, count, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    fill_records(contacts, rows, count);
    outcome = publish(contacts, rows, count, err);
    if (outcome == OUTCOME_OK)
        settle(contacts, rows, count);
    return outcome;
}

enum outcome contacts_take_page(struct contacts *contacts, struct text body, int *count,
                                struct error *err)
{
    struct row *rows = mem_alloc(CONTACTS_PAGE_MAX * sizeof(*rows));
    yyjson_doc *doc =
        body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *paging = yyjson_obj_get(yyjson_obj_get(root, "meta"), "cursor_pagination");
    struct text after = json_text(yyjson_obj_get(paging, "end_cursor"));
    enum outcome outcome = OUTCOME_OK;
    int read = 0, usable = read_rows(contacts, yyjson_obj_get(root, "data"), rows, &read, err) == 0;

    if (usable && read > 0 &&
        (after.length == 0 || (after.length == contacts->after.length &&
                               memcmp(after.data, contacts->after.data, after.length) == 0))) {
        error_set(err, ERROR_TEMPORARY, "the store's answer does not say where to go on");
        usable = 0;
    }
    if (usable && read > 0)
        outcome = take_rows(contacts, rows, read, err);
    if (usable && read > 0 && outcome == OUTCOME_OK) {
        buffer_reset(&contacts->after);
        buffer_append(&contacts->after, after.data, after.length);
    }
    *count = usable ? read : -1;
    for (int i = 0; i < CONTACTS_PAGE_MAX; i++)
        free(rows[i].value);
    yyjson_doc_free(doc);
    free(rows);
    return outcome;
}
