/* index_read.h - questions to the index. Each thread has a reader of its own: a connection that
 * cannot write, and sees the last batch that was written whole. */
#ifndef CONSOLE_INDEX_READ_H
#define CONSOLE_INDEX_READ_H

#include <stdint.h>

#include "base/error.h"
#include "history/history_step.h"
#include "history/order_state.h"
#include "history/store_position.h"

#include "index.h"

enum { INDEX_KEY_BYTES = 200, INDEX_FOUND_MAX = 100 };

struct index_reader;

/** @brief New: release with index_reader_close(). index is borrowed and must live longer. @returns
 * NULL with an error */
struct index_reader *index_reader_open(struct index *index, struct error *err);
void index_reader_close(struct index_reader *reader);

/* One order. Embedded, zero-initialised; release with index_order_clear(). */
struct index_order {
    char key[INDEX_KEY_BYTES]; /* "abc123/order/1042" */
    struct order_state state;
    struct history_steps history; /* every record that is kept, sorted; empty in lists */
};

void index_order_clear(struct index_order *order);

/** @brief Finds an order by the key of its records, with its history. @returns 1; 0 when the index
 * does not know it; -1 with an error */
int index_find(struct index_reader *reader, const char *key, struct index_order *order,
               struct error *err);

/* Keys of orders, the newest first: that with the latest record. */
struct index_keys {
    char keys[INDEX_FOUND_MAX][INDEX_KEY_BYTES];
    int count;
    int is_more; /* there are more than INDEX_FOUND_MAX */
};

/** @brief The orders of an e-mail. digest: 32 hex digits, from digest_hex_nocase() of the trimmed
 * address. @returns 0, or -1 with an error */
int index_find_email(struct index_reader *reader, const char *digest, struct index_keys *keys,
                     struct error *err);

/** @brief The orders that have this id in Infusionsoft. account: its name; NULL: in any of them.
 * @returns 0, or -1 with an error */
int index_find_infusionsoft(struct index_reader *reader, const char *account, const char *order_id,
                            struct index_keys *keys, struct error *err);

/** @brief The orders of all stores that have this BigCommerce id. @returns 0, or -1 with an error */
int index_find_number(struct index_reader *reader, int64_t id, struct index_keys *keys,
                      struct error *err);

/* Which orders; a zero-initialised filter means all. */
struct index_filter {
    unsigned lists;         /* bits 1 << enum order_list; 0: all */
    const char *store_hash; /* or NULL */
    enum reason reason;     /* REASON_NONE: any */
    int64_t since_ms;       /* only those that are on their list since then or later; 0: all */
    int64_t before_ms;      /* only those that are on it since before then; 0: all */
};

/* A place in a list: pass what the last page returned. All zero: the begin. */
struct index_place {
    int64_t since_ms, number;
    int is_set;
};

/* Part of a list, without histories. Embedded, zero-initialised; release with index_page_clear(). */
struct index_page {
    struct index_order *orders;
    int count;
    struct index_place next; /* is_set 0: that was the end */
};

void index_page_clear(struct index_page *page);

/** @brief Those that are longest on their list come first. @returns 0, or -1 with an error */
int index_list(struct index_reader *reader, const struct index_filter *filter,
               const struct index_place *after, int limit, struct index_page *page,
               struct error *err);

/* How many orders are on which list, and why. */
struct index_counts {
    int64_t total;
    int64_t lists[ORDER_LIST_COUNT];
    int64_t reasons[REASON_COUNT]; /* REASON_NONE: delivered, or a reason that is not known */
};

/** @brief Counts the orders of a filter. @returns 0, or -1 with an error */
int index_counts(struct index_reader *reader, const struct index_filter *filter,
                 struct index_counts *counts, struct error *err);

/* Fates and the time from placed to created in one step of time. */
struct index_time_step {
    int64_t from_ms;
    int64_t delivered, skipped, dead;
    int64_t p50_ms, p95_ms, max_ms; /* placed to created of those delivered in it; -1: none */
};

/** @brief The fates since from_ms, in count steps of step_ms each, by the time of the fate's record.
 * steps: out, room for count. @returns 0, or -1 with an error */
int index_series(struct index_reader *reader, int64_t from_ms, int64_t step_ms, int count,
                 struct index_time_step *steps, struct error *err);

/** @brief How far a store was read, from the topic `cursors`. hash: borrowed by position. A store
 * that is not known has fence -1. @returns 0, or -1 with an error */
int index_store_position(struct index_reader *reader, const char *hash,
                         struct store_position *position, struct error *err);

#endif
