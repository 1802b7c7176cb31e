/* sql.h - SQLite, used the same way everywhere: statements that are prepared once, and errors for
 * people. */
#ifndef CONSOLE_SQL_H
#define CONSOLE_SQL_H

#include <sqlite3.h>

#include "base/error.h"
#include "base/mem.h"

/** @brief Makes err of what the connection said last. Temporary where the disk is full or slow,
 * permanent where a person has to do something. @returns -1 */
int sql_fail(sqlite3 *db, const char *what, struct error *err);

/** @brief Whether the code says that the file is damaged, or is no database. */
int sql_is_damage(int code);

/** @brief Runs statements without values. @returns 0, or -1 with an error */
int sql_run(sqlite3 *db, const char *text, struct error *err);

/** @brief Prepares a statement that is used again and again. New: sqlite3_finalize(). @returns NULL
 * with an error */
sqlite3_stmt *sql_prepare(sqlite3 *db, const char *text, struct error *err);

/** @brief Makes one step of a statement that gives no rows, and resets it. @returns 0, or -1 with an
 * error */
int sql_do(sqlite3_stmt *statement, struct error *err);

/** @brief Binds a text without copying it; it must stay until the step. Absent: NULL. */
void sql_bind_text(sqlite3_stmt *statement, int index, struct text text);

/** @brief A column as text; "" where it is NULL. Borrowed until the next step. */
const char *sql_text(sqlite3_stmt *statement, int column);

#endif
