/* index_reader.h - what the files of the reader share: its statements, and one read transaction for
 * each question, so that an answer never mixes two batches. */
#ifndef CONSOLE_INDEX_READER_H
#define CONSOLE_INDEX_READER_H

#include "index_internal.h"
#include "index_read.h"

enum { INDEX_HISTORY_MAX = 2000 /* an order has rarely more than a hundred records */ };

enum index_query {
    INDEX_QUERY_STORE = 0,
    INDEX_QUERY_HASH,
    INDEX_QUERY_OTHER,
    INDEX_QUERY_OTHER_KEY,
    INDEX_QUERY_STATE,
    INDEX_QUERY_EVENTS,
    INDEX_QUERY_EMAIL,
    INDEX_QUERY_INFUSIONSOFT,
    INDEX_QUERY_STORES,
    INDEX_QUERY_LIST,
    INDEX_QUERY_COUNT_SOME,
    INDEX_QUERY_COUNTS,
    INDEX_QUERY_FATES,
    INDEX_QUERY_CURSOR,
    INDEX_QUERY_COUNT
};

struct index_reader {
    struct index *index; /* borrowed */
    int generation;      /* of the file that is open */
    sqlite3 *db;
    sqlite3_stmt *statements[INDEX_QUERY_COUNT]; /* prepared when first needed */
};

/** @brief Begins a question. Call index_reader_end() also where it fails. @returns 0, or -1 with an
 * error */
int index_reader_begin(struct index_reader *reader, struct error *err);

/** @brief Ends a question. @returns answer */
int index_reader_end(struct index_reader *reader, int answer);

/** @brief The statement, ready to be bound. @returns NULL with an error */
sqlite3_stmt *index_query(struct index_reader *reader, enum index_query query, struct error *err);

/** @brief The next row. @returns 1; 0 after the last one; -1 with an error */
int index_step(struct index_reader *reader, sqlite3_stmt *statement, struct error *err);

/** @brief The number of a store. @returns 1; 0 where it is not known; -1 with an error */
int index_store_number(struct index_reader *reader, struct text hash, int64_t *number,
                       struct error *err);

/** @brief The key of an order's number. @returns 0, or -1 with an error */
int index_key_of(struct index_reader *reader, int64_t number, char key[INDEX_KEY_BYTES],
                 struct error *err);

/** @brief Reads the state in a column. @returns 0, or -1 with an error */
int index_state_of(struct index_reader *reader, sqlite3_stmt *row, int column,
                   struct order_state *state, struct error *err);

#endif
