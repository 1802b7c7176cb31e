/* index_internal.h - what the files of the index share: the layout of its file, and the writer. */
#ifndef CONSOLE_INDEX_INTERNAL_H
#define CONSOLE_INDEX_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "history/order_state.h"
#include "history/store_position.h"
#include "record/topic.h"

#include "index.h"
#include "sql.h"

/* The number of an order: the store's number and the BigCommerce id, so that the orders of one time
 * and store lie beside each other in the file. Keys of any other form have numbers from
 * INDEX_OTHER_FIRST on. */
#define INDEX_ID_BITS 44
#define INDEX_ID_LIMIT (INT64_C(1) << INDEX_ID_BITS)
#define INDEX_OTHER_FIRST (INT64_C(1) << 62)

enum {
    INDEX_STORES_MAX = 100000, /* of more stores the keys are kept as texts */
    INDEX_BUSY_MS = 5000,
    INDEX_VERSION = 1,             /* user_version of the file; another one is rebuilt */
    INDEX_APPLICATION = 0x62664958 /* application_id: "bfIX" */
};

/* A store, or what the topic `cursors` says of one. */
struct index_store {
    char hash[EVENT_STORE_BYTES_MAX + 1];
    int is_written;
};

struct index_topic {
    char *name; /* owned */
    int is_written;
};

struct index_place_read {
    int topic; /* index into topics */
    int32_t partition;
    int64_t next;
    int is_written;
};

struct index_cursor {
    char hash[EVENT_STORE_BYTES_MAX + 1];
    struct store_position position;
    int is_written;
};

/* A record of the batch. The larger a batch is, the more of its records lie on the same pages of the
 * file; so a record takes no more memory than it must (index_write.c). */
struct index_item {
    int64_t number; /* -1: it is not known yet */
    int64_t offset;
    size_t at; /* in the batch's texts: the record and its facts; in front of it its key, where
                  number was -1 */
    int32_t partition;
    int topic;
    unsigned facts_length, key_length;
};

/* A person that was forgotten. */
struct index_forgotten {
    unsigned char digest[ORDER_DIGEST_BYTES];
    int64_t at_ms; /* records that were written until then are meant */
};

struct index {
    const struct config *config; /* borrowed */
    const char *path;            /* borrowed */
    struct topics topic_names;
    struct order_record_reader reader;
    sqlite3 *db;
    int lock_fd;
    atomic_int generation; /* counts the files: readers open again when it changes */
    atomic_int is_suspect; /* a reader found the file damaged */
    sqlite3_stmt *begin, *commit, *find, *insert, *update, *event, *position, *meta, *topic, *store,
        *cursor, *count, *oldest, *other_insert, *other_find;
    struct index_store *stores; /* number = index + 1 */
    int store_count;
    int *store_slots; /* hash table of indexes into stores; -1: free */
    int store_slot_count;
    struct index_topic *topics; /* number = index + 1 */
    int topic_count, last_topic;
    struct index_place_read *places;
    int place_count, last_place;
    struct index_cursor *cursors;
    int cursor_count;
    struct index_item *items;
    int item_count, item_capacity;
    int64_t record_count; /* of the batch, also those that are no item */
    struct index_item **sorted;
    struct buffer texts;                            /* records, facts and keys of the batch */
    struct index_forgotten *forgotten, *forgetting; /* index_forgotten.c, index_forget.c */
    int forgotten_count;
    int64_t counts[ORDER_LIST_COUNT][REASON_COUNT]; /* of orders in the file */
    int64_t moved[ORDER_LIST_COUNT][REASON_COUNT];  /* what the transaction changes of them */
    int64_t prune_after;                            /* the number that was looked at last */
    struct old_orders *old;                         /* what index_prune() removes */
    int is_finished;      /* the indexes for lists and searches are there */
    pthread_mutex_t lock; /* protects progress */
    struct index_progress progress;
};

/** @brief The number of an order's key, or -1 where it has another form. The store gets a number
 * where it has none. */
int64_t index_number_of(struct index *index, struct text key);

/** @brief The place of a partition in index->places; it is made where it is missing. */
struct index_place_read *index_place_of(struct index *index, const char *topic, int32_t partition);

/** @brief The index of a topic in index->topics; it is added where it is missing. */
int index_topic_of(struct index *index, const char *name);

/** @brief Adds a record of `cursors`. */
void index_apply_cursor(struct index *index, const struct event *event);

/** @brief Reads stores, topics, positions and cursors of the file. @returns 0, or -1 with an error */
int index_tables_read(struct index *index, struct error *err);
void index_tables_clear(struct index *index);

/** @brief Writes what is new in them, inside the transaction. @returns 0, or -1 with an error */
int index_tables_write(struct index *index, struct error *err);

/** @brief Says that everything up to here is written. */
void index_tables_written(struct index *index);

/** @brief Sets the file aside and begins a new one. why: for the log. @returns 0, or -1 with an
 * error */
int index_renew(struct index *index, const char *why, struct error *err);

/** @brief Runs write in one transaction, and writes the small tables and counts with it. @returns 0;
 * -1 with an error: the file is as it was before */
int index_write_all(struct index *index, int (*write)(struct index *index, struct error *err),
                    struct error *err);

/* index_write.c */

/** @brief Reads an order's state. @returns 1; 0 where it is new; -1 with an error */
int index_state_read(struct index *index, int64_t number, struct order_state *state,
                     struct error *err);

/** @brief Writes an order's state, inside a transaction. @returns 0, or -1 with an error */
int index_state_write(struct index *index, int64_t number, const struct order_state *state,
                      int is_new, struct error *err);

/* index_forgotten.c */

/** @brief Adds a person, or a later time, to the list in memory. @returns the entry, borrowed */
struct index_forgotten *index_forgotten_add(struct index *index, const unsigned char *digest,
                                            int64_t at_ms);

/** @brief Reads the list of forgotten persons from the file. @returns 0, or -1 with an error */
int index_forgotten_read(struct index *index, struct error *err);
void index_forgotten_clear(struct index *index);

/** @brief Takes the e-mail's digest out of a record that is older than when its person was
 * forgotten. */
void index_forgotten_hide(const struct index *index, struct order_record *record);

/** @brief Splits an order's key as the numbers need it: no zero in front of the id, and an id that
 * has room. @returns 0, or -1 when the key has another form */
int index_key_split(struct text key, struct text *hash, int64_t *id);

/** @brief Writes one value of the table meta. @returns 0, or -1 with an error */
int index_meta_write(struct index *index, const char *name, int64_t value, struct error *err);

#endif
