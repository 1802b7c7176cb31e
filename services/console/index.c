#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "index_internal.h"

/* The page cache may be small: a batch is written in the order of the pages, so each page is needed
 * once. The file is written with each commit, and synced when the write-ahead log is brought back:
 * after a loss of power the last batches are missing together with their positions. */
static const char settings[] = "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=NORMAL;"
                               "PRAGMA cache_size=-4096;"
                               "PRAGMA wal_autocheckpoint=16384;"
                               "PRAGMA journal_size_limit=67108864;";

static const char layout[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE stores(number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE);"
    "CREATE TABLE topics(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE positions(topic INTEGER, partition INTEGER, next INTEGER,"
    " PRIMARY KEY(topic, partition)) WITHOUT ROWID;"
    "CREATE TABLE cursors(hash TEXT PRIMARY KEY, fence, cursor_ms, start_from_ms, saved_ms,"
    " history_id, has_history, held) WITHOUT ROWID;"
    "CREATE TABLE other_keys(number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"
    /* list, reason: numbers of order_state.h and reason.h. state: order_state_pack() */
    "CREATE TABLE orders(number INTEGER PRIMARY KEY, list INTEGER, reason INTEGER,"
    " since_ms INTEGER, last_ms INTEGER, latency_ms INTEGER, email BLOB, order_id TEXT,"
    " state BLOB);"
    "CREATE TABLE events(number INTEGER, topic INTEGER, partition INTEGER, offset INTEGER,"
    " time_ms INTEGER, version INTEGER, facts TEXT,"
    " PRIMARY KEY(number, topic, partition, offset)) WITHOUT ROWID;"
    "CREATE TABLE counts(list INTEGER, reason INTEGER, orders INTEGER,"
    " PRIMARY KEY(list, reason)) WITHOUT ROWID;"
    "PRAGMA user_version=1;"
    "PRAGMA application_id=1650870616;"
    "COMMIT;";

_Static_assert(INDEX_VERSION == 1 && INDEX_APPLICATION == 1650870616, "as in layout");

static int64_t pragma(sqlite3 *db, const char *text)
{
    struct error err = {0};
    sqlite3_stmt *statement = sql_prepare(db, text, &err);
    int64_t value = -1;

    if (statement != NULL && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* A text of the table meta. New; NULL: it is not there. */
static char *meta_text(sqlite3 *db, const char *name)
{
    struct error err = {0};
    sqlite3_stmt *statement = sql_prepare(db, "SELECT value FROM meta WHERE name=?1", &err);
    char *value = NULL;

    sql_bind_text(statement, 1, text_of(name));
    if (statement != NULL && sqlite3_step(statement) == SQLITE_ROW)
        value = mem_strdup(sql_text(statement, 0));
    sqlite3_finalize(statement);
    return value;
}

static int64_t meta_number(sqlite3 *db, const char *name)
{
    char *text = meta_text(db, name);
    int64_t value = text != NULL ? strtoll(text, NULL, 10) : 0;

    free(text);
    return value;
}

static int write_meta_text(struct index *index, const char *name, const char *value,
                           struct error *err)
{
    sql_bind_text(index->meta, 1, text_of(name));
    sql_bind_text(index->meta, 2, text_of(value));
    return sql_do(index->meta, err);
}

int index_meta_write(struct index *index, const char *name, int64_t value, struct error *err)
{
    sql_bind_text(index->meta, 1, text_of(name));
    sqlite3_bind_int64(index->meta, 2, value);
    return sql_do(index->meta, err);
}

static int prepare(struct index *index, struct error *err)
{
    const struct {
        sqlite3_stmt **target;
        const char *text;
    } statements[] = {
        {&index->begin, "BEGIN IMMEDIATE"},
        {&index->commit, "COMMIT"},
        {&index->find, "SELECT state FROM orders WHERE number=?1"},
        {&index->insert, "INSERT INTO orders VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
        {&index->update, "UPDATE orders SET list=?2, reason=?3, since_ms=?4, last_ms=?5,"
                         " latency_ms=?6, email=?7, order_id=?8, state=?9 WHERE number=?1"},
        /* A topic that was made anew has other records at the same places, so the later one stays. */
        {&index->event, "INSERT OR REPLACE INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        {&index->position, "INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3)"},
        {&index->meta, "INSERT OR REPLACE INTO meta VALUES(?1, ?2)"},
        {&index->topic, "INSERT INTO topics VALUES(?1, ?2)"},
        {&index->store, "INSERT INTO stores VALUES(?1, ?2)"},
        {&index->cursor, "INSERT OR REPLACE INTO cursors VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
        {&index->count, "INSERT OR REPLACE INTO counts VALUES(?1, ?2, ?3)"},
        {&index->oldest, "SELECT min(since_ms) FROM orders WHERE list=?1 AND since_ms >= 0"},
        {&index->other_insert, "INSERT INTO other_keys VALUES((SELECT coalesce(max(number) + 1, ?2)"
                               " FROM other_keys), ?1)"},
        {&index->other_find, "SELECT number FROM other_keys WHERE key=?1"},
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
        *statements[i].target = sql_prepare(index->db, statements[i].text, err);
        if (*statements[i].target == NULL)
            return -1;
    }
    return 0;
}

static void close_db(struct index *index)
{
    sqlite3_stmt **statements[] = {
        &index->begin,  &index->commit,   &index->find,   &index->insert,       &index->update,
        &index->event,  &index->position, &index->meta,   &index->topic,        &index->store,
        &index->cursor, &index->count,    &index->oldest, &index->other_insert, &index->other_find};

    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
        sqlite3_finalize(*statements[i]);
        *statements[i] = NULL;
    }
    sqlite3_close(index->db);
    index->db = NULL;
}

/* Why the file cannot be used, or NULL. new: it is empty, as one that was just made. */
static const char *check_file(struct index *index, int *is_new)
{
    char *prefix;
    int64_t version = pragma(index->db, "PRAGMA user_version");
    int64_t application = pragma(index->db, "PRAGMA application_id");
    int is_ours;

    *is_new = version == 0 && application == 0 &&
              pragma(index->db, "SELECT count(*) FROM sqlite_master") == 0;
    if (*is_new)
        return NULL;
    if (version < 0 || application < 0)
        return "the file is damaged";
    if (application != INDEX_APPLICATION)
        return "the file is no index of this program";
    if (version != INDEX_VERSION)
        return "the file is of another version";
    prefix = meta_text(index->db, "prefix");
    is_ours = prefix != NULL && strcmp(prefix, index->config->kafka.topic_prefix) == 0;
    free(prefix);
    return is_ours ? NULL : "the file is of another topic_prefix";
}

static void move_file(const char *path, const char *tail)
{
    char *from = mem_printf("%s%s", path, tail), *to = mem_printf("%s.set-aside%s", path, tail);

    if (rename(from, to) != 0)
        remove(to); /* what is left of an older one does not belong to the new one */
    free(from);
    free(to);
}

static void set_aside(struct index *index, const char *why)
{
    log_warn("index set aside and rebuilt from the topics: %s file=%s kept_as=%s.set-aside", why,
             index->path, index->path);
    close_db(index);
    move_file(index->path, "");
    move_file(index->path, "-wal");
    move_file(index->path, "-shm");
}

/* Opens the file, which may be missing. why: out, why it cannot be used, or NULL. */
static int open_db(struct index *index, const char **why, struct error *err)
{
    int is_new = 0;

    *why = NULL;
    if (sqlite3_open_v2(index->path, &index->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        sql_fail(index->db, "file", err);
        return error_prefix(err, "%s", index->path);
    }
    sqlite3_busy_timeout(index->db, INDEX_BUSY_MS);
    *why = check_file(index, &is_new);
    if (*why != NULL)
        return -1;
    if (sql_run(index->db, settings, err) != 0 ||
        (is_new && sql_run(index->db, layout, err) != 0) || prepare(index, err) != 0)
        goto bad;
    if (is_new && write_meta_text(index, "prefix", index->config->kafka.topic_prefix, err) != 0)
        goto bad;
    if (index_tables_read(index, err) != 0 || index_forgotten_read(index, err) != 0)
        goto bad;
    index->is_finished = meta_number(index->db, "finished") == INDEX_VERSION;
    if (is_new)
        log_info("index begun file=%s", index->path);
    return 0;
bad:
    if (sql_is_damage(sqlite3_errcode(index->db)))
        *why = "the file is damaged";
    return error_prefix(err, "%s", index->path);
}

/* Opens the file. One that cannot be used is set aside, once. */
static int open_or_renew(struct index *index, struct error *err)
{
    const char *why;

    if (open_db(index, &why, err) == 0)
        return 0;
    if (why == NULL)
        return -1;
    error_clear(err);
    set_aside(index, why);
    index_tables_clear(index);
    return open_db(index, &why, err);
}

int index_renew(struct index *index, const char *why, struct error *err)
{
    set_aside(index, why);
    index_drop(index);
    index_tables_clear(index);
    index->prune_after = 0;
    atomic_store(&index->is_suspect, 0);
    atomic_fetch_add(&index->generation, 1);
    return open_or_renew(index, err);
}

/* Two consoles must not write one file. The lock ends with the process. */
static int lock_file(struct index *index, struct error *err)
{
    char *name = mem_printf("%s.lock", index->path);
    int code = 0;

    index->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (index->lock_fd < 0 || flock(index->lock_fd, LOCK_EX | LOCK_NB) != 0)
        code = errno;
    free(name);
    if (code == 0)
        return 0;
    if (code == EWOULDBLOCK)
        return error_set(err, ERROR_PERMANENT, "index %s: another bigfusion-console has it",
                         index->path);
    return error_set(err, code == ENOSPC || code == EDQUOT ? ERROR_TEMPORARY : ERROR_PERMANENT,
                     "index %s: the file cannot be made: %s", index->path, strerror(code));
}

struct index *index_open(const struct config *config, const char *path, struct error *err)
{
    struct index *index = mem_alloc(sizeof(*index));
    mode_t mask = umask(0077);
    int rc;

    index->config = config;
    index->path = path;
    index->lock_fd = -1;
    pthread_mutex_init(&index->lock, NULL);
    index->progress = (struct index_progress){.as_of_ms = -1, .behind_ms = -1, .left = -1};
    topics_init(&index->topic_names, config);
    order_record_reader_init(&index->reader, &index->topic_names, config->pusher.retry_delays_s);
    index_tables_clear(index);
    rc = lock_file(index, err);
    if (rc == 0)
        rc = open_or_renew(index, err);
    umask(mask);
    if (rc == 0)
        return index;
    index_close(index);
    return NULL;
}

void index_close(struct index *index)
{
    if (index == NULL)
        return;
    close_db(index);
    index_tables_clear(index);
    free(index->store_slots);
    free(index->items);
    free(index->sorted);
    buffer_clear(&index->texts);
    order_record_reader_clear(&index->reader);
    topics_clear(&index->topic_names);
    pthread_mutex_destroy(&index->lock);
    if (index->lock_fd >= 0)
        close(index->lock_fd);
    free(index);
}

int index_set_cluster(struct index *index, const char *cluster, struct error *err)
{
    char *known = meta_text(index->db, "cluster");
    int is_same = known != NULL && strcmp(known, cluster) == 0;
    int is_other = known != NULL && !is_same;

    free(known);
    if (is_same)
        return 0;
    if (is_other && index_renew(index, "the records come from another Kafka cluster", err) != 0)
        return -1;
    return write_meta_text(index, "cluster", cluster, err);
}

int index_is_damaged(const struct index *index)
{
    return index->db == NULL || atomic_load(&index->is_suspect);
}

int index_begin(struct index *index, struct error *err)
{
    index_drop(index);
    if (!index_is_damaged(index))
        return 0;
    return index_renew(index, "the file is damaged", err);
}

int index_generation(const struct index *index) { return atomic_load(&index->generation); }

void index_set_progress(struct index *index, const struct index_progress *progress)
{
    pthread_mutex_lock(&index->lock);
    index->progress = *progress;
    pthread_mutex_unlock(&index->lock);
}

static int64_t size_of(const char *path, const char *tail)
{
    char *name = mem_printf("%s%s", path, tail);
    struct stat file;
    int64_t size = stat(name, &file) == 0 ? (int64_t)file.st_size : 0;

    free(name);
    return size;
}

void index_progress(struct index *index, struct index_progress *progress)
{
    pthread_mutex_lock(&index->lock);
    *progress = index->progress;
    pthread_mutex_unlock(&index->lock);
}

void index_measure(const struct index *index, struct index_progress *progress)
{
    progress->orders = 0;
    for (int list = 0; list < ORDER_LIST_COUNT; list++)
        for (int reason = 0; reason < REASON_COUNT; reason++)
            progress->orders += index->counts[list][reason];
    progress->file_bytes = size_of(index->path, "") + size_of(index->path, "-wal");
}

const char *index_path(const struct index *index) { return index->path; }
