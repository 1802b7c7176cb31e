/* unfinished.h - the orders that may have no fate yet, and which fates they have. Pure.
 *
 * Every record that is not finished lies at or behind the committed offset of its consumer group,
 * because an offset is committed only when all records before it are finished. So whoever adds all
 * records from there on has every order without a fate, and others besides. The others fall out
 * when the fates are added. Only one entry for each order is kept. */
#ifndef COMMON_UNFINISHED_H
#define COMMON_UNFINISHED_H

#include <stdint.h>

#include "history/spot.h"
#include "record/event.h"
#include "record/reason.h"

/* An order, as its newest version's furthest record tells. */
struct unfinished {
    int64_t modified_at; /* the version; -1: its record does not say */
    int64_t since_ms;    /* when this version was first seen: polled_at, else the record's time */
    int64_t time_ms;     /* of the record */
    int64_t offset;
    int64_t next_try_ms; /* RETRY: when it is due; else -1 */
    struct spot spot;
    int32_t partition;
    int64_t attempt;  /* how often it failed by itself so far */
    char *detail;     /* the begin of what the record says about itself, or NULL; owned */
    char *account;    /* name of its account, or NULL; owned */
    char *doubt;      /* the step whose outcome is not known, or NULL; owned. Set by the caller */
    int is_withdrawn; /* the version withdraws the order */
    int is_replay;    /* it was sent again: fates from before it do not count */
    int is_answered;  /* it has a fate that stays: delivered, or skipped */
    int is_dead;      /* it has the fate dead, which a tombstone takes back */
    char key[];
};

struct unfinished_table {
    const struct topics *topics;   /* borrowed */
    const int64_t *retry_delays_s; /* borrowed: the delay of each retry topic */
    struct unfinished **slots;     /* hash table; NULL: free */
    size_t slot_count, count;
    int takes_all;    /* set after unfinished_init(): customers and products count as orders do */
    int64_t nameless; /* how many records were added that name no order */
};

void unfinished_init(struct unfinished_table *table, const struct topics *topics,
                     const int64_t *retry_delays_s);
void unfinished_clear(struct unfinished_table *table);

/** @brief Adds a record of an input topic. The newest version counts, and of several records of
 * one version the one that is furthest in the pipeline. */
void unfinished_add(struct unfinished_table *table, const struct event *event);

/** @brief Adds a record of `delivered`, `skipped` or `dead`. Records of one topic come in the order
 * of their offsets. */
void unfinished_add_fate(struct unfinished_table *table, const struct event *event);

/** @brief Whether the order is without a fate, as far as the records that were added tell. */
int unfinished_is_open(const struct unfinished *order);

/** @brief Why the order waits: a reason of the list in record/reason.h. A doubt does not count where
 * the account is what keeps the order waiting. */
enum reason unfinished_reason(const struct unfinished *order);

/** @brief A time that is before every fate of these versions, by any clock that is less than a day
 * wrong; INT64_MAX where there is no order. */
int64_t unfinished_fates_since(const struct unfinished_table *table);

/**
 * @brief The orders without a fate, those that have waited longest first.
 * @param before_ms  only those that are there since before this time
 * @param count      out
 * @returns an array of borrowed entries; new: free()
 */
struct unfinished **unfinished_list(const struct unfinished_table *table, int64_t before_ms,
                                    size_t *count);

#endif
