/* index_forget.c - forgets a person: the e-mail's digest is removed from the orders. */
#include <string.h>

#include "index_internal.h"

/* Takes the digest out of one order. */
static int hide_order(struct index *index, int64_t number, struct error *err)
{
    struct order_state state;
    int found = index_state_read(index, number, &state, err);

    if (found <= 0)
        return found;
    state.has_digest = 0;
    memset(state.email_digest, 0, ORDER_DIGEST_BYTES);
    return index_state_write(index, number, &state, 0, err);
}

static int hide_orders(struct index *index, const unsigned char *digest, struct error *err)
{
    sqlite3_stmt *find_all = sql_prepare(
        index->db, "SELECT number FROM orders WHERE email=?1 AND number>?2 ORDER BY number LIMIT 1",
        err);
    int64_t number = -1;
    int rc = find_all != NULL ? 0 : -1;

    while (rc == 0) {
        sqlite3_bind_blob(find_all, 1, digest, ORDER_DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(find_all, 2, number);
        if (sqlite3_step(find_all) != SQLITE_ROW)
            break;
        number = sqlite3_column_int64(find_all, 0);
        sqlite3_reset(find_all);
        rc = hide_order(index, number, err);
    }
    sqlite3_finalize(find_all);
    return rc;
}

/* Writes the person that was added last to the list. */
static int write_forgotten(struct index *index, struct error *err)
{
    const struct index_forgotten *one = index->forgetting;
    sqlite3_stmt *insert =
        sql_prepare(index->db, "INSERT OR REPLACE INTO forgotten VALUES(?1, ?2)", err);
    int rc;

    if (insert == NULL)
        return -1;
    sqlite3_bind_blob(insert, 1, one->digest, ORDER_DIGEST_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, one->at_ms);
    rc = sql_do(insert, err);
    sqlite3_finalize(insert);
    return rc == 0 ? hide_orders(index, one->digest, err) : -1;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int index_forget(struct index *index, const char *digest, int64_t at_ms, struct error *err)
{
    unsigned char bytes[ORDER_DIGEST_BYTES];
    int rc;

    if (digest == NULL || strlen(digest) != 2 * ORDER_DIGEST_BYTES)
        return 0;
    for (int i = 0; i < ORDER_DIGEST_BYTES; i++) {
        if (digit(digest[2 * i]) < 0 || digit(digest[2 * i + 1]) < 0)
            return 0;
        bytes[i] = (unsigned char)(digit(digest[2 * i]) << 4 | digit(digest[2 * i + 1]));
    }
    index->forgetting = index_forgotten_add(index, bytes, at_ms);
    rc = index_write_all(index, write_forgotten, err);
    index->forgetting = NULL;
    return rc;
}
