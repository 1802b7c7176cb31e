/* index_keep.c - what keeps the index small and fast: old orders, indexes, the write-ahead log. */
#include "index_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { LOOK_AT_ONCE = 2000 };

/* An order that is old enough to be removed. */
struct old_order {
    int64_t number;
    enum order_list list;
    enum reason reason;
};

struct old_orders {
    struct old_order orders[LOOK_AT_ONCE];
    int count;
};

/* Looks at the next orders. @returns how many were looked at, or -1 with an error */
static int look(struct index *index, int64_t before_ms, struct old_orders *old, struct error *err)
{
    sqlite3_stmt *statement =
        sql_prepare(index->db,
                    "SELECT number, last_ms, list, reason FROM orders WHERE number > ?1"
                    " ORDER BY number LIMIT ?2",
                    err);
    int seen = 0, code;

    if (statement == NULL)
        return -1;
    sqlite3_bind_int64(statement, 1, index->prune_after);
    sqlite3_bind_int64(statement, 2, LOOK_AT_ONCE);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        int list = sqlite3_column_int(statement, 2);

        seen++;
        index->prune_after = sqlite3_column_int64(statement, 0);
        if (sqlite3_column_int64(statement, 1) < before_ms &&
            (list >= ORDER_LIST_SKIPPED || list == ORDER_LIST_NONE))
            old->orders[old->count++] =
                (struct old_order){index->prune_after, (enum order_list)list,
                                   (enum reason)sqlite3_column_int(statement, 3)};
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? seen : sql_fail(index->db, "read", err);
}

static int remove_all(struct index *index, struct error *err)
{
    static const char *const texts[] = {"DELETE FROM events WHERE number=?1",
                                        "DELETE FROM orders WHERE number=?1",
                                        "DELETE FROM other_keys WHERE number=?1"};
    const struct old_orders *old = index->old;
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++) {
        sqlite3_stmt *statement = sql_prepare(index->db, texts[i], err);

        rc = statement == NULL ? -1 : 0;
        for (int j = 0; j < old->count && rc == 0; j++) {
            sqlite3_bind_int64(statement, 1, old->orders[j].number);
            rc = sql_do(statement, err);
        }
        sqlite3_finalize(statement);
    }
    for (int j = 0; j < old->count; j++)
        index->moved[old->orders[j].list][old->orders[j].reason]--;
    return rc;
}

int index_prune(struct index *index, int64_t before_ms, int64_t *removed, struct error *err)
{
    struct old_orders *old = mem_alloc(sizeof(*old));
    int64_t from = index->prune_after;
    int seen = look(index, before_ms, old, err), rc = 0;

    index->old = old;
    if (seen > 0 && old->count > 0)
        rc = index_write_all(index, remove_all, err);
    *removed = rc == 0 ? old->count : 0;
    index->old = NULL;
    free(old);
    if (seen < 0 || rc != 0) {
        index->prune_after = from;
        return -1;
    }
    if (seen == LOOK_AT_ONCE)
        return 0;
    index->prune_after = 0;
    return 1;
}

/* Until the topics were read to their ends for the first time these are not there: an entry of a
 * digest lies anywhere in its index, so each batch would touch as many pages as it has orders. Made
 * at once, they take seconds. */
static const char finish[] =
    "CREATE INDEX IF NOT EXISTS orders_by_list ON orders(list, since_ms, reason, latency_ms);"
    "CREATE INDEX IF NOT EXISTS orders_by_email ON orders(email) WHERE email IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS orders_by_infusionsoft ON orders(order_id)"
    " WHERE order_id IS NOT NULL;";

static int write_finish(struct index *index, struct error *err)
{
    return sql_run(index->db, finish, err) == 0
               ? index_meta_write(index, "finished", INDEX_VERSION, err)
               : -1;
}

int index_finish(struct index *index, struct error *err)
{
    int64_t begun_ms = clock_monotonic_ms();

    if (index->is_finished)
        return 0;
    if (index_write_all(index, write_finish, err) != 0)
        return -1;
    index->is_finished = 1;
    log_info("index complete: lists and searches are fast from now on ms=%lld",
             (long long)(clock_monotonic_ms() - begun_ms));
    return 0;
}

int64_t index_oldest_ms(struct index *index, enum order_list list, struct error *err)
{
    int64_t oldest_ms = 0;
    int code;

    if (!index->is_finished || index->db == NULL)
        return 0;
    sqlite3_bind_int64(index->oldest, 1, list);
    code = sqlite3_step(index->oldest);
    if (code == SQLITE_ROW)
        oldest_ms = sqlite3_column_int64(index->oldest, 0);
    else
        oldest_ms = sql_fail(index->db, "read", err);
    sqlite3_reset(index->oldest);
    return oldest_ms;
}

void index_checkpoint(struct index *index)
{
    if (index->db != NULL)
        sqlite3_wal_checkpoint_v2(index->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}
