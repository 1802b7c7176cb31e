/* index_forgotten.c - the list of forgotten persons: their e-mail digests do not come back from
 * older records, in whatever order the topics are read. */
#include <stdlib.h>
#include <string.h>

#include "index_internal.h"

static struct index_forgotten *find(const struct index *index, const unsigned char *digest)
{
    for (int i = 0; i < index->forgotten_count; i++)
        if (memcmp(index->forgotten[i].digest, digest, ORDER_DIGEST_BYTES) == 0)
            return &index->forgotten[i];
    return NULL;
}

struct index_forgotten *index_forgotten_add(struct index *index, const unsigned char *digest,
                                            int64_t at_ms)
{
    struct index_forgotten *one = find(index, digest);

    if (one == NULL) {
        index->forgotten = mem_realloc(index->forgotten, ((size_t)index->forgotten_count + 1) *
                                                             sizeof(*index->forgotten));
        one = &index->forgotten[index->forgotten_count++];
        memcpy(one->digest, digest, ORDER_DIGEST_BYTES);
        one->at_ms = at_ms;
    }
    if (at_ms > one->at_ms)
        one->at_ms = at_ms;
    return one;
}

void index_forgotten_clear(struct index *index)
{
    free(index->forgotten);
    index->forgotten = NULL;
    index->forgotten_count = 0;
}

int index_forgotten_read(struct index *index, struct error *err)
{
    sqlite3_stmt *all;
    int code;

    if (sql_run(index->db,
                "CREATE TABLE IF NOT EXISTS forgotten(digest BLOB PRIMARY KEY, at_ms INTEGER)"
                " WITHOUT ROWID",
                err) != 0)
        return -1;
    all = sql_prepare(index->db, "SELECT digest, at_ms FROM forgotten", err);
    if (all == NULL)
        return -1;
    while ((code = sqlite3_step(all)) == SQLITE_ROW)
        if (sqlite3_column_bytes(all, 0) == ORDER_DIGEST_BYTES)
            index_forgotten_add(index, sqlite3_column_blob(all, 0), sqlite3_column_int64(all, 1));
    sqlite3_finalize(all);
    return code == SQLITE_DONE ? 0 : sql_fail(index->db, "read", err);
}

void index_forgotten_hide(const struct index *index, struct order_record *record)
{
    const struct index_forgotten *one =
        record->has_digest ? find(index, record->email_digest) : NULL;

    if (one == NULL || record->time_ms > one->at_ms)
        return;
    record->has_digest = 0;
    memset(record->email_digest, 0, ORDER_DIGEST_BYTES);
}
