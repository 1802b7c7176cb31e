/* index_write.c - a batch of records becomes one transaction. */
#include "index_internal.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A topic's partitions are read in pieces of some hundred records, one after the other, and the
 * orders of a partition lie on many pages of the file. So only a batch that has pieces of most
 * partitions has several records for each page that it writes: batches of 8,192 records took half as
 * much time again as these. */
enum { KEY_MAX_BYTES = 200, BATCH_RECORDS = 32768, BATCH_TEXT_BYTES = 12 << 20 };

static struct index_item *new_item(struct index *index)
{
    if (index->item_count == index->item_capacity) {
        index->item_capacity = index->item_capacity > 0 ? index->item_capacity * 2 : 256;
        index->items =
            mem_realloc(index->items, (size_t)index->item_capacity * sizeof(*index->items));
        index->sorted =
            mem_realloc(index->sorted, (size_t)index->item_capacity * sizeof(struct index_item *));
    }
    return &index->items[index->item_count++];
}

/* In the batch the part of a record in front of its texts stays as it is. Its texts follow without
 * the room that they do not use, each with its NUL. */
#define RECORD_HEAD_BYTES offsetof(struct order_record, account)
#define RECORD_TEXT(member)                                                                        \
    {                                                                                              \
        offsetof(struct order_record, member), sizeof(((struct order_record *)NULL)->member)       \
    }

static const struct {
    size_t at, room;
} record_texts[] = {RECORD_TEXT(account), RECORD_TEXT(order_id), RECORD_TEXT(contact_id),
                    RECORD_TEXT(detail)};

enum { RECORD_TEXT_COUNT = sizeof(record_texts) / sizeof(*record_texts) };

static void keep_record(struct index *index, struct index_item *item,
                        const struct order_record *record, struct text key)
{
    if (key.length > 0)
        buffer_append(&index->texts, key.data, key.length);
    item->key_length = (unsigned)key.length;
    item->at = index->texts.length;
    buffer_append(&index->texts, record, RECORD_HEAD_BYTES);
    for (int i = 0; i < RECORD_TEXT_COUNT; i++) {
        const char *text = (const char *)record + record_texts[i].at;

        buffer_append(&index->texts, text, strlen(text) + 1);
    }
    if (record->facts.length > 0)
        buffer_append(&index->texts, record->facts.data, record->facts.length);
    item->facts_length = (unsigned)record->facts.length;
}

/* Reads what keep_record() wrote. facts: borrowed until the next index_apply(); its data is NULL
 * where there are none. */
static void read_record(const struct index *index, const struct index_item *item,
                        struct order_record *record, struct text *facts)
{
    const char *at = index->texts.data + item->at;

    memset(record, 0, sizeof(*record));
    memcpy(record, at, RECORD_HEAD_BYTES);
    at += RECORD_HEAD_BYTES;
    for (int i = 0; i < RECORD_TEXT_COUNT; i++) {
        size_t length = strlen(at) + 1;

        memcpy((char *)record + record_texts[i].at, at, length);
        at += length;
    }
    *facts = (struct text){item->facts_length > 0 ? at : NULL, item->facts_length};
}

/* Whether a key may stand in the file: one that an order has, or the place of a record without one
 * ("big.orders.raw/3/17"). Somebody else may write any key, with an e-mail in it. */
static int is_key(const struct index *index, struct text key)
{
    const char *prefix = index->config->kafka.topic_prefix;
    size_t length = strlen(prefix);

    if (event_key_is_usable(key))
        return 1;
    if (key.length <= length || key.length >= KEY_MAX_BYTES ||
        memcmp(key.data, prefix, length) != 0 || key.data[length] != '.')
        return 0;
    for (size_t i = 0; i < key.length; i++)
        if (!isalnum((unsigned char)key.data[i]) && strchr("._-/", key.data[i]) == NULL)
            return 0;
    return 1;
}

int index_apply(struct index *index, const struct event *event, struct error *err)
{
    const struct order_record *record;
    struct index_item *item;

    (void)err;
    index->record_count++;
    record = order_record_read(&index->reader, event);
    if (record == NULL || !is_key(index, event->key)) {
        if (strcmp(event->topic, index->topic_names.cursors) == 0)
            index_apply_cursor(index, event);
        return 0;
    }
    item = new_item(index);
    item->number = index_number_of(index, event->key);
    item->topic = index_topic_of(index, event->topic);
    item->partition = record->partition;
    item->offset = record->offset;
    keep_record(index, item, record, item->number < 0 ? event->key : (struct text){0});
    return 0;
}

int index_batch_count(const struct index *index) { return (int)index->record_count; }

int index_batch_is_full(const struct index *index)
{
    return index->record_count >= BATCH_RECORDS || index->texts.length >= BATCH_TEXT_BYTES;
}

void index_drop(struct index *index)
{
    index->item_count = 0;
    index->record_count = 0;
    buffer_reset(&index->texts);
}

void index_set_position(struct index *index, const char *topic, int32_t partition, int64_t next)
{
    struct index_place_read *place = index_place_of(index, topic, partition);

    place->next = next;
    place->is_written = 0;
}

int64_t index_position(struct index *index, const char *topic, int32_t partition)
{
    return index_place_of(index, topic, partition)->next;
}

/* Finds the number of a key that is no order's, and makes one where there is none. */
static int number_other(struct index *index, struct index_item *item, struct error *err)
{
    struct text key = {index->texts.data + item->at - item->key_length, item->key_length};

    for (int turn = 0; turn < 2; turn++) {
        sql_bind_text(index->other_find, 1, key);
        if (sqlite3_step(index->other_find) == SQLITE_ROW)
            item->number = sqlite3_column_int64(index->other_find, 0);
        sqlite3_reset(index->other_find);
        if (item->number >= 0)
            return 0;
        sql_bind_text(index->other_insert, 1, key);
        sqlite3_bind_int64(index->other_insert, 2, INDEX_OTHER_FIRST);
        if (sql_do(index->other_insert, err) != 0)
            return -1;
    }
    return error_set(err, ERROR_TEMPORARY, "index: a key has no number");
}

static int compare(const void *a, const void *b)
{
    const struct index_item *one = *(struct index_item *const *)a;
    const struct index_item *two = *(struct index_item *const *)b;

    if (one->number != two->number)
        return one->number < two->number ? -1 : 1;
    if (one->topic != two->topic)
        return one->topic < two->topic ? -1 : 1;
    if (one->partition != two->partition)
        return one->partition < two->partition ? -1 : 1;
    return (one->offset > two->offset) - (one->offset < two->offset);
}

static int sort_items(struct index *index, struct error *err)
{
    for (int i = 0; i < index->item_count; i++) {
        if (index->items[i].key_length > 0) {
            index->items[i].number = -1;
            if (number_other(index, &index->items[i], err) != 0)
                return -1;
        }
        index->sorted[i] = &index->items[i];
    }
    if (index->item_count > 1)
        qsort(index->sorted, (size_t)index->item_count, sizeof(*index->sorted), compare);
    return 0;
}

static int write_event(struct index *index, const struct index_item *item,
                       const struct order_record *record, struct text facts, struct error *err)
{
    sqlite3_stmt *event = index->event;

    sqlite3_bind_int64(event, 1, item->number);
    sqlite3_bind_int64(event, 2, item->topic + 1);
    sqlite3_bind_int64(event, 3, record->partition);
    sqlite3_bind_int64(event, 4, record->offset);
    sqlite3_bind_int64(event, 5, record->time_ms);
    sqlite3_bind_int64(event, 6, record->version);
    sql_bind_text(event, 7, facts);
    return sql_do(event, err);
}

int index_state_read(struct index *index, int64_t number, struct order_state *state,
                     struct error *err)
{
    int code, found = 0;

    order_state_init(state);
    sqlite3_bind_int64(index->find, 1, number);
    code = sqlite3_step(index->find);
    if (code == SQLITE_ROW) {
        found = 1;
        if (order_state_unpack(state, sqlite3_column_blob(index->find, 0),
                               (size_t)sqlite3_column_bytes(index->find, 0)) != 0) {
            atomic_store(&index->is_suspect, 1);
            found = error_set(err, ERROR_TEMPORARY, "index: the state of an order is damaged");
        }
    } else if (code != SQLITE_DONE) {
        found = sql_fail(index->db, "read", err);
    }
    sqlite3_reset(index->find);
    return found;
}

int index_state_write(struct index *index, int64_t number, const struct order_state *state,
                      int is_new, struct error *err)
{
    unsigned char packed[ORDER_STATE_PACKED_BYTES_MAX];
    size_t length = order_state_pack(state, packed);
    sqlite3_stmt *statement = is_new ? index->insert : index->update;
    const struct order_fate *made = &state->delivered;
    int has_latency = made->is_there && made->placed_ms >= 0 && made->created_ms >= 0;

    sqlite3_bind_int64(statement, 1, number);
    sqlite3_bind_int64(statement, 2, order_state_list(state));
    sqlite3_bind_int64(statement, 3, order_state_reason(state));
    sqlite3_bind_int64(statement, 4, order_state_since_ms(state));
    sqlite3_bind_int64(statement, 5, state->last_ms);
    if (has_latency)
        sqlite3_bind_int64(statement, 6, made->created_ms - made->placed_ms);
    else
        sqlite3_bind_null(statement, 6);
    if (state->has_digest)
        sqlite3_bind_blob(statement, 7, state->email_digest, ORDER_DIGEST_BYTES, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, 7);
    sql_bind_text(statement, 8,
                  made->is_there && made->order_id[0] != '\0' ? text_of(made->order_id)
                                                              : (struct text){0});
    sqlite3_bind_blob(statement, 9, packed, (int)length, SQLITE_STATIC);
    return sql_do(statement, err);
}

static int write_items(struct index *index, struct error *err)
{
    struct order_state state;
    struct order_record record;
    struct text facts;

    for (int i = 0, end; i < index->item_count; i = end) {
        int64_t number = index->sorted[i]->number;
        int found = index_state_read(index, number, &state, err);

        if (found < 0)
            return -1;
        if (found)
            index->moved[order_state_list(&state)][order_state_reason(&state)]--;
        for (end = i; end < index->item_count && index->sorted[end]->number == number; end++) {
            read_record(index, index->sorted[end], &record, &facts);
            index_forgotten_hide(index, &record);
            order_state_apply(&state, &record);
            if (write_event(index, index->sorted[end], &record, facts, err) != 0)
                return -1;
        }
        index->moved[order_state_list(&state)][order_state_reason(&state)]++;
        if (index_state_write(index, number, &state, !found, err) != 0)
            return -1;
    }
    return 0;
}

int index_write_all(struct index *index, int (*write)(struct index *index, struct error *err),
                    struct error *err)
{
    int rc, code;

    if (index->db == NULL)
        return error_set(err, ERROR_TEMPORARY, "index: there is no file");
    rc = sql_do(index->begin, err);
    memset(index->moved, 0, sizeof(index->moved));
    if (rc == 0)
        rc = write(index, err);
    if (rc == 0)
        rc = index_tables_write(index, err);
    if (rc == 0)
        rc = sql_do(index->commit, err);
    if (rc == 0) {
        index_tables_written(index);
        return 0;
    }
    code = sqlite3_errcode(index->db);
    if (!sqlite3_get_autocommit(index->db))
        sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
    if (sql_is_damage(code))
        atomic_store(&index->is_suspect, 1);
    return -1;
}

static int write_batch(struct index *index, struct error *err)
{
    return sort_items(index, err) == 0 ? write_items(index, err) : -1;
}

int index_commit(struct index *index, struct error *err)
{
    if (index_write_all(index, write_batch, err) != 0)
        return -1;
    index_drop(index);
    return 0;
}
