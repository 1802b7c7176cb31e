#include "index_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history/spot.h"
#include "index_internal.h"
#include "index_reader.h"

static const char *const texts[INDEX_QUERY_COUNT] = {
    [INDEX_QUERY_STORE] = "SELECT number FROM stores WHERE hash=?1",
    [INDEX_QUERY_HASH] = "SELECT hash FROM stores WHERE number=?1",
    [INDEX_QUERY_OTHER] = "SELECT number FROM other_keys WHERE key=?1",
    [INDEX_QUERY_OTHER_KEY] = "SELECT key FROM other_keys WHERE number=?1",
    [INDEX_QUERY_STATE] = "SELECT state FROM orders WHERE number=?1",
    [INDEX_QUERY_EVENTS] = "SELECT name, partition, offset, time_ms, version, facts FROM events"
                           " JOIN topics ON topics.number = topic WHERE events.number=?1 LIMIT ?2",
    [INDEX_QUERY_EMAIL] =
        "SELECT number FROM orders WHERE email=?1 ORDER BY last_ms DESC, number DESC LIMIT ?2",
    [INDEX_QUERY_INFUSIONSOFT] = "SELECT number, state FROM orders WHERE order_id=?1"
                                 " ORDER BY last_ms DESC, number DESC LIMIT ?2",
    [INDEX_QUERY_STORES] = "SELECT number FROM stores",
    [INDEX_QUERY_LIST] =
        "SELECT number, since_ms, state FROM orders WHERE list=?1 AND since_ms>=?2 AND since_ms<?3"
        " AND (?4=0 OR reason=?4) AND number BETWEEN ?5 AND ?6 AND (since_ms, number) > (?7, ?8)"
        " ORDER BY since_ms, number LIMIT ?9",
    [INDEX_QUERY_COUNT_SOME] =
        "SELECT reason, count(*) FROM orders WHERE list=?1 AND since_ms>=?2 AND since_ms<?3"
        " AND (?4=0 OR reason=?4) AND number BETWEEN ?5 AND ?6 GROUP BY reason",
    [INDEX_QUERY_COUNTS] = "SELECT list, reason, orders FROM counts",
    [INDEX_QUERY_FATES] = "SELECT since_ms, latency_ms FROM orders WHERE list=?1 AND since_ms>=?2"
                          " AND since_ms<?3 ORDER BY since_ms",
    [INDEX_QUERY_CURSOR] = "SELECT * FROM cursors WHERE hash=?1",
};

static void close_file(struct index_reader *reader)
{
    for (int i = 0; i < INDEX_QUERY_COUNT; i++) {
        sqlite3_finalize(reader->statements[i]);
        reader->statements[i] = NULL;
    }
    sqlite3_close(reader->db);
    reader->db = NULL;
}

static int open_file(struct index_reader *reader, struct error *err)
{
    reader->generation = index_generation(reader->index);
    if (sqlite3_open_v2(index_path(reader->index), &reader->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        sql_fail(reader->db, "file", err);
        close_file(reader);
        return -1;
    }
    sqlite3_busy_timeout(reader->db, INDEX_BUSY_MS);
    return sql_run(reader->db, "PRAGMA cache_size=-1024", err);
}

struct index_reader *index_reader_open(struct index *index, struct error *err)
{
    struct index_reader *reader = mem_alloc(sizeof(*reader));

    reader->index = index;
    if (open_file(reader, err) == 0)
        return reader;
    index_reader_close(reader);
    return NULL;
}

void index_reader_close(struct index_reader *reader)
{
    if (reader != NULL)
        close_file(reader);
    free(reader);
}

int index_reader_begin(struct index_reader *reader, struct error *err)
{
    if (reader->generation != index_generation(reader->index))
        close_file(reader);
    if (reader->db == NULL && open_file(reader, err) != 0)
        return -1;
    return sql_run(reader->db, "BEGIN", err);
}

int index_reader_end(struct index_reader *reader, int answer)
{
    for (int i = 0; i < INDEX_QUERY_COUNT; i++)
        if (reader->statements[i] != NULL)
            sqlite3_reset(reader->statements[i]);
    if (reader->db != NULL && !sqlite3_get_autocommit(reader->db))
        sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
    return answer;
}

sqlite3_stmt *index_query(struct index_reader *reader, enum index_query query, struct error *err)
{
    if (reader->statements[query] == NULL)
        reader->statements[query] = sql_prepare(reader->db, texts[query], err);
    else
        sqlite3_reset(reader->statements[query]);
    if (reader->statements[query] == NULL && sql_is_damage(sqlite3_errcode(reader->db)))
        atomic_store(&reader->index->is_suspect, 1);
    return reader->statements[query];
}

int index_step(struct index_reader *reader, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);

    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return code == SQLITE_ROW;
    if (sql_is_damage(code))
        atomic_store(&reader->index->is_suspect, 1);
    return sql_fail(reader->db, "read", err);
}

/* One number that a text leads to. @returns 1, 0 or -1 as index_step() */
static int find_number(struct index_reader *reader, enum index_query query, struct text text,
                       int64_t *number, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, query, err);
    int found;

    if (statement == NULL)
        return -1;
    sql_bind_text(statement, 1, text);
    found = index_step(reader, statement, err);
    if (found == 1)
        *number = sqlite3_column_int64(statement, 0);
    return found;
}

int index_store_number(struct index_reader *reader, struct text hash, int64_t *number,
                       struct error *err)
{
    return find_number(reader, INDEX_QUERY_STORE, hash, number, err);
}

static int number_of(struct index_reader *reader, struct text key, int64_t *number,
                     struct error *err)
{
    struct text hash;
    int64_t id, store = 0;
    int found = 0;

    if (index_key_split(key, &hash, &id) == 0) {
        found = index_store_number(reader, hash, &store, err);
        *number = store << INDEX_ID_BITS | id;
    }
    return found != 0 ? found : find_number(reader, INDEX_QUERY_OTHER, key, number, err);
}

int index_key_of(struct index_reader *reader, int64_t number, char key[INDEX_KEY_BYTES],
                 struct error *err)
{
    int is_other = number >= INDEX_OTHER_FIRST;
    sqlite3_stmt *statement =
        index_query(reader, is_other ? INDEX_QUERY_OTHER_KEY : INDEX_QUERY_HASH, err);
    int found;

    if (statement == NULL)
        return -1;
    sqlite3_bind_int64(statement, 1, is_other ? number : number >> INDEX_ID_BITS);
    found = index_step(reader, statement, err);
    if (found == 0)
        return error_set(err, ERROR_TEMPORARY, "index: an order has no key");
    if (found < 0)
        return -1;
    if (is_other)
        snprintf(key, INDEX_KEY_BYTES, "%s", sql_text(statement, 0));
    else
        snprintf(key, INDEX_KEY_BYTES, "%s/order/%lld", sql_text(statement, 0),
                 (long long)(number & (INDEX_ID_LIMIT - 1)));
    return 0;
}

int index_state_of(struct index_reader *reader, sqlite3_stmt *row, int column,
                   struct order_state *state, struct error *err)
{
    if (order_state_unpack(state, sqlite3_column_blob(row, column),
                           (size_t)sqlite3_column_bytes(row, column)) == 0)
        return 0;
    atomic_store(&reader->index->is_suspect, 1);
    return error_set(err, ERROR_TEMPORARY, "index: the state of an order is damaged");
}

void index_order_clear(struct index_order *order)
{
    history_steps_clear(&order->history);
    *order = (struct index_order){0};
}

static int read_history(struct index_reader *reader, int64_t number, struct history_steps *list,
                        struct error *err)
{
    const struct topics *topics = &reader->index->topic_names;
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_EVENTS, err);
    int found;

    if (statement == NULL)
        return -1;
    sqlite3_bind_int64(statement, 1, number);
    sqlite3_bind_int64(statement, 2, INDEX_HISTORY_MAX);
    while ((found = index_step(reader, statement, err)) == 1)
        history_steps_add_short(
            list, topics,
            (struct history_step){.partition = sqlite3_column_int(statement, 1),
                                  .offset = sqlite3_column_int64(statement, 2),
                                  .time_ms = sqlite3_column_int64(statement, 3),
                                  .version = sqlite3_column_int64(statement, 4),
                                  .kind = spot_of(topics, sql_text(statement, 0)).kind},
            sql_text(statement, 0), sql_text(statement, 5));
    history_steps_sort(list);
    return found;
}

static int find(struct index_reader *reader, const char *key, struct index_order *order,
                struct error *err)
{
    int64_t number = 0;
    int found = number_of(reader, text_of(key), &number, err);
    sqlite3_stmt *statement;

    if (found != 1)
        return found;
    statement = index_query(reader, INDEX_QUERY_STATE, err);
    if (statement == NULL)
        return -1;
    sqlite3_bind_int64(statement, 1, number);
    found = index_step(reader, statement, err);
    if (found != 1)
        return found;
    snprintf(order->key, sizeof(order->key), "%s", key);
    if (index_state_of(reader, statement, 0, &order->state, err) != 0)
        return -1;
    return read_history(reader, number, &order->history, err) == 0 ? 1 : -1;
}

int index_find(struct index_reader *reader, const char *key, struct index_order *order,
               struct error *err)
{
    int found;

    if (index_reader_begin(reader, err) != 0)
        return index_reader_end(reader, -1);
    found = find(reader, key, order, err);
    if (found != 1)
        index_order_clear(order);
    return index_reader_end(reader, found);
}

static int add_key(struct index_reader *reader, int64_t number, struct index_keys *keys,
                   struct error *err)
{
    if (keys->count == INDEX_FOUND_MAX) {
        keys->is_more = 1;
        return 0;
    }
    return index_key_of(reader, number, keys->keys[keys->count++], err);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int find_email(struct index_reader *reader, const char *digest, struct index_keys *keys,
                      struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_EMAIL, err);
    unsigned char bytes[ORDER_DIGEST_BYTES];
    int found;

    if (statement == NULL)
        return -1;
    if (strlen(digest) != 2 * ORDER_DIGEST_BYTES)
        return 0;
    for (int i = 0; i < ORDER_DIGEST_BYTES; i++) {
        int high = hex_value(digest[2 * i]), low = hex_value(digest[2 * i + 1]);

        if (high < 0 || low < 0)
            return 0;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    sqlite3_bind_blob(statement, 1, bytes, ORDER_DIGEST_BYTES, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 2, INDEX_FOUND_MAX + 1);
    while ((found = index_step(reader, statement, err)) == 1)
        if (add_key(reader, sqlite3_column_int64(statement, 0), keys, err) != 0)
            return -1;
    return found;
}

int index_find_email(struct index_reader *reader, const char *digest, struct index_keys *keys,
                     struct error *err)
{
    memset(keys, 0, sizeof(*keys));
    if (index_reader_begin(reader, err) != 0)
        return index_reader_end(reader, -1);
    return index_reader_end(reader, find_email(reader, digest, keys, err));
}

static int find_infusionsoft(struct index_reader *reader, const char *account, const char *order_id,
                             struct index_keys *keys, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_INFUSIONSOFT, err);
    struct order_state state;
    int found;

    if (statement == NULL)
        return -1;
    sql_bind_text(statement, 1, text_of(order_id));
    sqlite3_bind_int64(statement, 2, 1000);
    while ((found = index_step(reader, statement, err)) == 1) {
        if (index_state_of(reader, statement, 1, &state, err) != 0)
            return -1;
        if (account != NULL && strcmp(state.delivered.account, account) != 0)
            continue;
        if (add_key(reader, sqlite3_column_int64(statement, 0), keys, err) != 0)
            return -1;
    }
    return found;
}

int index_find_infusionsoft(struct index_reader *reader, const char *account, const char *order_id,
                            struct index_keys *keys, struct error *err)
{
    memset(keys, 0, sizeof(*keys));
    if (index_reader_begin(reader, err) != 0)
        return index_reader_end(reader, -1);
    return index_reader_end(reader, find_infusionsoft(reader, account, order_id, keys, err));
}

/* Whether there is an order of that number. @returns 1, 0 or -1 as index_step() */
static int is_there(struct index_reader *reader, int64_t number, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_STATE, err);

    if (statement == NULL)
        return -1;
    sqlite3_bind_int64(statement, 1, number);
    return index_step(reader, statement, err);
}

static int find_id(struct index_reader *reader, int64_t id, struct index_keys *keys,
                   struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_STORES, err);
    int found;

    if (statement == NULL)
        return -1;
    while ((found = index_step(reader, statement, err)) == 1) {
        int64_t number = sqlite3_column_int64(statement, 0) << INDEX_ID_BITS | id;
        int there = is_there(reader, number, err);

        if (there < 0 || (there == 1 && add_key(reader, number, keys, err) != 0))
            return -1;
    }
    return found;
}

int index_find_number(struct index_reader *reader, int64_t id, struct index_keys *keys,
                      struct error *err)
{
    memset(keys, 0, sizeof(*keys));
    if (id < 0 || id >= INDEX_ID_LIMIT)
        return 0;
    if (index_reader_begin(reader, err) != 0)
        return index_reader_end(reader, -1);
    return index_reader_end(reader, find_id(reader, id, keys, err));
}
