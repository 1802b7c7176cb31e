#include "sql.h"

int sql_is_damage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

int sql_fail(sqlite3 *db, const char *what, struct error *err)
{
    int code = db != NULL ? sqlite3_errcode(db) : SQLITE_NOMEM;

    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(err, ERROR_TEMPORARY, "index %s: the disk is full", what);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return error_set(err, ERROR_PERMANENT, "index %s: %s", what, sqlite3_errmsg(db));
    default:
        return error_set(err, ERROR_TEMPORARY, "index %s: %s", what,
                         db != NULL ? sqlite3_errmsg(db) : "out of memory");
    }
}

int sql_run(sqlite3 *db, const char *text, struct error *err)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return sql_fail(db, "statement", err);
}

sqlite3_stmt *sql_prepare(sqlite3 *db, const char *text, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) == SQLITE_OK)
        return statement;
    sql_fail(db, "statement", err);
    return NULL;
}

int sql_do(sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_DONE && code != SQLITE_ROW)
        sql_fail(sqlite3_db_handle(statement), "write", err);
    sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

void sql_bind_text(sqlite3_stmt *statement, int index, struct text text)
{
    if (text.data == NULL)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_text(statement, index, text.data, (int)text.length, SQLITE_STATIC);
}

const char *sql_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text != NULL ? text : "";
}
