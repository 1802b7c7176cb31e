/* changed.h - publishes those products or customers of a page that changed since they were published,
 * and marks them. */
#ifndef POLLER_CHANGED_H
#define POLLER_CHANGED_H

#include <stdint.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/metric.h"
#include "record/event.h"
#include "record/reason.h"
#include "record/trace.h"

#include "catalog_marks.h"
#include "poll_context.h"

enum { CHANGED_NUMBER_BYTES = 24, CHANGED_PAGE_MAX = 100 };

/* Where the records of one kind go. Embedded; set by the owner. */
struct changed_lane {
    const struct poll_context *with; /* borrowed */
    const char *kind;                /* static: "contact", "product" */
    enum topic_lane lane;
    char *marks_key;       /* of catalog_marks.h */
    int64_t start_from_ms; /* for the header start_from; -1: none */
    struct metric *published, *unchanged, *dead;
};

/* One of a page, and the record that it becomes. The owner sets what stands before is_changed. */
struct changed {
    struct catalog_mark mark; /* id and digest; the version is found out */
    struct buffer value;
    int64_t version_ms; /* the version that it is to have; a later one where that was published */
    int is_changed;     /* it is new, or not as it was published */
    int is_dead;
    struct output output;
    char key[160];
    char modified_at[CHANGED_NUMBER_BYTES];
    char polled_at[CHANGED_NUMBER_BYTES];
    char start_from[CHANGED_NUMBER_BYTES];
    char trace[TRACE_BYTES];
    char size_text[96];
    struct log_about about;
};

/**
 * @brief Finds out which ones changed, and their versions.
 * @returns OUTCOME_OK; LOST: Redis does not answer, or the lease is lost, so that another poller may
 * have published what is newer; STOPPED
 */
enum outcome changed_find(const struct changed_lane *lane, struct changed *list, int count,
                          struct error *err);

/**
 * @brief Publishes the changed ones, waits until Kafka has them, and marks them. One that is larger
 * than max_record_bytes, or than its topic takes, is dead.
 * @param published  out: how many changed, dead ones among them
 * @returns OUTCOME_OK; TROUBLE: Kafka does not take a record; LOST, STOPPED. Nothing is marked then,
 * so the page is read again
 */
enum outcome changed_publish(const struct changed_lane *lane, struct changed *list, int count,
                             int *published, struct error *err);

/** @brief Publishes one that cannot be read as dead. @returns as batch_produce_one() */
enum outcome changed_bury(const struct changed_lane *lane, int64_t id, enum reason reason,
                          const char *detail, struct error *err);

#endif
