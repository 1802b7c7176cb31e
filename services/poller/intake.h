/* intake.h - the orders of one answer dealt with: published, acknowledged, marked as seen. An order
 * ends in the raw topic, in `dead` where it can never be published, in `skipped` where the store
 * has it no more; one that is incomplete is held until its own calls are made (own.h). */
#ifndef POLLER_INTAKE_H
#define POLLER_INTAKE_H

#include <stdint.h>

#include "base/error.h"
#include "record/reason.h"
#include "record/topic.h"
#include "settings/config.h"

#include "ask.h"
#include "held.h"
#include "page.h"
#include "batch.h"
#include "seen.h"

/* What takes in the orders of one store; embedded; all pointers borrowed. */
struct intake {
    const struct config *config;
    const struct config_store *store;
    const struct topics *topics;
    struct batches *batches;
    struct redis *redis;
    struct asker *asker;
    char *seen_key;
    int64_t start_from_ms;
    int64_t timeout_ms;                    /* longest of a call, see bigcommerce_timeout_ms() */
    int room;                              /* how many may be held */
    struct held held;                      /* saved beside the cursor */
    struct seen_mark marks[PAGE_ROWS_MAX]; /* of the page in hand */
    struct metric *published;
    struct metric *dead;
    struct metric *unchanged;
    struct metric *waiting;
};

/* The orders of one answer. */
struct answer_orders {
    const struct page_row *rows;
    int count;
    enum reason reason; /* NONE, or why the one row is dead whatever it holds */
    const char *detail; /* with reason */
    int64_t from_ms;    /* store's clock: the window that was asked for */
    int64_t to_ms;
    int64_t forget_ms;        /* what was modified before this instant does not come again */
    char left[PAGE_ROWS_MAX]; /* out: 1 where the order is not dealt with, since no more can be
                                 held; later rounds must come by again */
};

/* One order that stands alone, after its own calls. */
struct single_order {
    const struct page_row *row;
    struct text whole;  /* completed; absent where row->bytes are the whole order */
    enum reason reason; /* NONE; ARCHIVED: the store has it no more; else why it is dead */
    const char *detail; /* with reason */
    int status;         /* of the store's answer; with REFUSED and GAVE_UP */
};

void intake_init(struct intake *intake);
void intake_clear(struct intake *intake);

/**
 * @brief Publishes what is new of these orders and waits until Kafka has it. Those that need calls
 * of their own are held instead: no other order waits for them.
 * @returns OUTCOME_OK, or what ends the round: nothing is marked then, and all of it comes again
 */
enum outcome intake_take_orders(struct intake *intake, struct answer_orders *orders,
                                struct error *err);

/** @brief Whether this version of an order was published already. */
enum outcome intake_is_known(struct intake *intake, const struct page_row *row, int *known,
                             struct error *err);

/**
 * @brief Publishes one order, or its fate, and waits until Kafka has it.
 * @param digest  of its bytes in the list, which are then known too; or ""
 */
enum outcome intake_take_single(struct intake *intake, const struct single_order *single,
                                const char *digest, struct error *err);

#endif
