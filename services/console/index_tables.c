/* index_tables.c - the small tables of the index, which the writer also has in memory: stores,
 * topics, positions, and how far the stores were read. */
#include "index_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS_MAX = 14 };

void index_tables_clear(struct index *index)
{
    memset(index->counts, 0, sizeof(index->counts));
    index_forgotten_clear(index);
    for (int i = 0; i < index->topic_count; i++)
        free(index->topics[i].name);
    free(index->topics);
    free(index->stores);
    free(index->places);
    free(index->cursors);
    index->topics = NULL;
    index->stores = NULL;
    index->places = NULL;
    index->cursors = NULL;
    index->topic_count = index->store_count = index->place_count = index->cursor_count = 0;
    index->last_topic = index->last_place = -1;
    if (index->store_slots == NULL) {
        index->store_slot_count = 1024;
        index->store_slots = mem_alloc((size_t)index->store_slot_count * sizeof(int));
    }
    for (int i = 0; i < index->store_slot_count; i++)
        index->store_slots[i] = -1;
}

/* The slot that has the store, or the free one where it belongs. The number of slots is a power of
 * two. */
static int slot_of(const struct index *index, struct text hash)
{
    uint32_t slot = event_hash(0, hash) & (uint32_t)(index->store_slot_count - 1);

    while (index->store_slots[slot] >= 0 &&
           !text_is(hash, index->stores[index->store_slots[slot]].hash))
        slot = (slot + 1) & (uint32_t)(index->store_slot_count - 1);
    return (int)slot;
}

static void grow_slots(struct index *index)
{
    index->store_slot_count *= 2;
    index->store_slots =
        mem_realloc(index->store_slots, (size_t)index->store_slot_count * sizeof(int));
    for (int i = 0; i < index->store_slot_count; i++)
        index->store_slots[i] = -1;
    for (int i = 0; i < index->store_count; i++)
        index->store_slots[slot_of(index, text_of(index->stores[i].hash))] = i;
}

static int add_store(struct index *index, struct text hash, int is_written)
{
    struct index_store *store;

    index->stores =
        mem_realloc(index->stores, ((size_t)index->store_count + 1) * sizeof(*index->stores));
    store = &index->stores[index->store_count];
    memcpy(store->hash, hash.data, hash.length);
    store->hash[hash.length] = '\0';
    store->is_written = is_written;
    index->store_slots[slot_of(index, hash)] = index->store_count++;
    if (index->store_count * 2 > index->store_slot_count)
        grow_slots(index);
    return index->store_count - 1;
}

int index_key_split(struct text key, struct text *hash, int64_t *id)
{
    struct event_key parts;

    if (event_key_parse(key, &parts) != 0 || !text_is(parts.entity, "order") ||
        parts.id.length > ID_DIGITS_MAX || (parts.id.data[0] == '0' && parts.id.length > 1))
        return -1;
    *hash = parts.store;
    *id = 0;
    for (size_t i = 0; i < parts.id.length; i++)
        *id = *id * 10 + (parts.id.data[i] - '0');
    return *id < INDEX_ID_LIMIT ? 0 : -1;
}

int64_t index_number_of(struct index *index, struct text key)
{
    struct text hash;
    int64_t id;
    int store;

    if (index_key_split(key, &hash, &id) != 0)
        return -1;
    store = index->store_slots[slot_of(index, hash)];
    if (store < 0 && index->store_count >= INDEX_STORES_MAX)
        return -1;
    if (store < 0)
        store = add_store(index, hash, 0);
    return (int64_t)(store + 1) << INDEX_ID_BITS | id;
}

int index_topic_of(struct index *index, const char *name)
{
    if (index->last_topic >= 0 && strcmp(index->topics[index->last_topic].name, name) == 0)
        return index->last_topic;
    for (int i = 0; i < index->topic_count; i++)
        if (strcmp(index->topics[i].name, name) == 0)
            return index->last_topic = i;
    index->topics =
        mem_realloc(index->topics, ((size_t)index->topic_count + 1) * sizeof(*index->topics));
    index->topics[index->topic_count] = (struct index_topic){.name = mem_strdup(name)};
    return index->last_topic = index->topic_count++;
}

struct index_place_read *index_place_of(struct index *index, const char *topic, int32_t partition)
{
    int number = index_topic_of(index, topic);
    struct index_place_read *place =
        index->last_place >= 0 ? &index->places[index->last_place] : NULL;

    if (place != NULL && place->topic == number && place->partition == partition)
        return place;
    for (int i = 0; i < index->place_count; i++)
        if (index->places[i].topic == number && index->places[i].partition == partition) {
            index->last_place = i;
            return &index->places[i];
        }
    index->places =
        mem_realloc(index->places, ((size_t)index->place_count + 1) * sizeof(*index->places));
    index->places[index->place_count] = (struct index_place_read){number, partition, -1, 1};
    index->last_place = index->place_count++;
    return &index->places[index->last_place];
}

static struct index_cursor *cursor_of(struct index *index, struct text hash)
{
    struct index_cursor *cursor;

    for (int i = 0; i < index->cursor_count; i++)
        if (text_is(hash, index->cursors[i].hash))
            return &index->cursors[i];
    if (index->cursor_count >= INDEX_STORES_MAX)
        return NULL;
    index->cursors =
        mem_realloc(index->cursors, ((size_t)index->cursor_count + 1) * sizeof(*index->cursors));
    cursor = &index->cursors[index->cursor_count++];
    memcpy(cursor->hash, hash.data, hash.length);
    cursor->hash[hash.length] = '\0';
    cursor->is_written = 1;
    store_position_init(&cursor->position, NULL);
    return cursor;
}

void index_apply_cursor(struct index *index, const struct event *event)
{
    struct index_cursor *cursor;

    /* A key with a slash is the position of a backfill, not of a store's polling. */
    if (event->key.length == 0 || event->key.length > EVENT_STORE_BYTES_MAX ||
        memchr(event->key.data, '/', event->key.length) != NULL)
        return;
    cursor = cursor_of(index, event->key);
    if (cursor == NULL)
        return;
    cursor->position.hash = cursor->hash; /* the list may have moved */
    store_position_add(&cursor->position, event);
    cursor->is_written = 0;
}

static int read_row(struct index *index, int table, sqlite3_stmt *row)
{
    int number;
    struct index_cursor *cursor;
    struct text text = {sql_text(row, 0), (size_t)sqlite3_column_bytes(row, 0)};

    switch (table) {
    case 0:
        if (text.length > EVENT_STORE_BYTES_MAX ||
            sqlite3_column_int64(row, 1) != index->store_count + 1)
            return -1;
        add_store(index, text, 1);
        return 0;
    case 1:
        if (sqlite3_column_int64(row, 1) != index->topic_count + 1)
            return -1;
        number = index_topic_of(index, text.data); /* the list may move */
        index->topics[number].is_written = 1;
        return 0;
    case 2:
        index->places =
            mem_realloc(index->places, ((size_t)index->place_count + 1) * sizeof(*index->places));
        index->places[index->place_count++] =
            (struct index_place_read){sqlite3_column_int(row, 0) - 1, sqlite3_column_int(row, 1),
                                      sqlite3_column_int64(row, 2), 1};
        return index->places[index->place_count - 1].topic < index->topic_count ? 0 : -1;
    case 3:
        if (sqlite3_column_int64(row, 0) < 0 || sqlite3_column_int64(row, 0) >= ORDER_LIST_COUNT ||
            sqlite3_column_int64(row, 1) < 0 || sqlite3_column_int64(row, 1) >= REASON_COUNT)
            return -1;
        index->counts[sqlite3_column_int(row, 0)][sqlite3_column_int(row, 1)] =
            sqlite3_column_int64(row, 2);
        return 0;
    default:
        cursor = text.length <= EVENT_STORE_BYTES_MAX ? cursor_of(index, text) : NULL;
        if (cursor == NULL)
            return -1;
        cursor->position.fence = sqlite3_column_int64(row, 1);
        cursor->position.cursor_ms = sqlite3_column_int64(row, 2);
        cursor->position.start_from_ms = sqlite3_column_int64(row, 3);
        cursor->position.saved_ms = sqlite3_column_int64(row, 4);
        cursor->position.history_id = sqlite3_column_int64(row, 5);
        cursor->position.has_history = sqlite3_column_int(row, 6);
        cursor->position.held = sqlite3_column_int(row, 7);
        return 0;
    }
}

int index_tables_read(struct index *index, struct error *err)
{
    static const char *const texts[] = {
        "SELECT hash, number FROM stores ORDER BY number",
        "SELECT name, number FROM topics ORDER BY number",
        "SELECT topic, partition, next FROM positions",
        "SELECT list, reason, orders FROM counts",
        "SELECT * FROM cursors",
    };
    int rc = 0;

    for (int i = 0; i < 5 && rc == 0; i++) {
        sqlite3_stmt *statement = sql_prepare(index->db, texts[i], err);
        int code = SQLITE_DONE;

        if (statement == NULL)
            return -1;
        while (rc == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
            if (read_row(index, i, statement) != 0)
                rc = error_set(err, ERROR_TEMPORARY, "index: a table has a row that is not ours");
        if (rc == 0 && code != SQLITE_DONE)
            rc = sql_fail(index->db, "read", err);
        sqlite3_finalize(statement);
    }
    return rc;
}

static int write_cursor(struct index *index, const struct index_cursor *cursor, struct error *err)
{
    const struct store_position *position = &cursor->position;

    sql_bind_text(index->cursor, 1, text_of(cursor->hash));
    sqlite3_bind_int64(index->cursor, 2, position->fence);
    sqlite3_bind_int64(index->cursor, 3, position->cursor_ms);
    sqlite3_bind_int64(index->cursor, 4, position->start_from_ms);
    sqlite3_bind_int64(index->cursor, 5, position->saved_ms);
    sqlite3_bind_int64(index->cursor, 6, position->history_id);
    sqlite3_bind_int64(index->cursor, 7, position->has_history);
    sqlite3_bind_int64(index->cursor, 8, position->held);
    return sql_do(index->cursor, err);
}

static int write_name(sqlite3_stmt *statement, int number, const char *name, struct error *err)
{
    sqlite3_bind_int64(statement, 1, number + 1);
    sql_bind_text(statement, 2, text_of(name));
    return sql_do(statement, err);
}

/* What the transaction changed of the counts. */
static int write_counts(struct index *index, struct error *err)
{
    for (int list = 0; list < ORDER_LIST_COUNT; list++)
        for (int reason = 0; reason < REASON_COUNT; reason++) {
            if (index->moved[list][reason] == 0)
                continue;
            sqlite3_bind_int64(index->count, 1, list);
            sqlite3_bind_int64(index->count, 2, reason);
            sqlite3_bind_int64(index->count, 3,
                               index->counts[list][reason] + index->moved[list][reason]);
            if (sql_do(index->count, err) != 0)
                return -1;
        }
    return 0;
}

int index_tables_write(struct index *index, struct error *err)
{
    int rc = 0;

    for (int i = index->store_count - 1; i >= 0 && !index->stores[i].is_written && rc == 0; i--)
        rc = write_name(index->store, i, index->stores[i].hash, err);
    for (int i = index->topic_count - 1; i >= 0 && !index->topics[i].is_written && rc == 0; i--)
        rc = write_name(index->topic, i, index->topics[i].name, err);
    for (int i = 0; i < index->place_count && rc == 0; i++) {
        const struct index_place_read *place = &index->places[i];

        if (place->is_written)
            continue;
        sqlite3_bind_int64(index->position, 1, place->topic + 1);
        sqlite3_bind_int64(index->position, 2, place->partition);
        sqlite3_bind_int64(index->position, 3, place->next);
        rc = sql_do(index->position, err);
    }
    for (int i = 0; i < index->cursor_count && rc == 0; i++)
        if (!index->cursors[i].is_written)
            rc = write_cursor(index, &index->cursors[i], err);
    return rc == 0 ? write_counts(index, err) : rc;
}

void index_tables_written(struct index *index)
{
    for (int list = 0; list < ORDER_LIST_COUNT; list++)
        for (int reason = 0; reason < REASON_COUNT; reason++)
            index->counts[list][reason] += index->moved[list][reason];
    for (int i = index->store_count - 1; i >= 0 && !index->stores[i].is_written; i--)
        index->stores[i].is_written = 1;
    for (int i = index->topic_count - 1; i >= 0 && !index->topics[i].is_written; i--)
        index->topics[i].is_written = 1;
    for (int i = 0; i < index->place_count; i++)
        index->places[i].is_written = 1;
    for (int i = 0; i < index->cursor_count; i++)
        index->cursors[i].is_written = 1;
}
