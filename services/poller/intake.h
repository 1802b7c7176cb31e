/* intake.h - brings the orders of one answer into Kafka, waits until Kafka has them, and marks them
 * as seen. An order goes to the raw topic. It goes to `dead` if it can never be published, and to
 * `skipped` if the store does not have it any more. An order that the answer does not show
 * completely is held, until requests of its own complete it (see own.h). */
#ifndef POLLER_INTAKE_H
#define POLLER_INTAKE_H

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "bigcommerce/page.h"
#include "net/metric.h"
#include "record/reason.h"
#include "record/trace.h"

#include "held.h"
#include "poll_context.h"
#include "seen.h"

/* The intake of one store. Embedded. */
struct intake {
    const struct poll_context *with; /* borrowed, set by the owner */
    char *seen_key;
    int64_t start_from_ms;
    int64_t timeout_ms;                    /* the longest that one request may take */
    int room;                              /* how many orders may be held */
    struct held held;                      /* saved together with the cursor */
    struct seen_mark marks[PAGE_ROWS_MAX]; /* of the orders of the answer in hand */
    struct metric *published;
    struct metric *dead;
    struct metric *unchanged;
    struct metric *waiting;
};

/* The orders of one answer. */
struct answer_orders {
    const struct page_row *rows;
    int count;
    enum reason reason;       /* NONE; or why the only row is dead, whatever it holds */
    const char *detail;       /* belongs to reason */
    int64_t from_ms;          /* store's clock: the window that was asked for begins here, */
    int64_t to_ms;            /* and ends here */
    int64_t forget_ms;        /* no later answer shows what was modified before this instant */
    char left[PAGE_ROWS_MAX]; /* out: 1 where an order should be held but there is no room for it.
                                 It was not dealt with, so a later round must ask for it again */
};

/* One order after the requests of its own. */
struct single_order {
    const struct page_row *row;
    struct text whole;  /* the completed order; absent where row->bytes are the whole order */
    enum reason reason; /* NONE; ARCHIVED: it is gone from the store; else why it is dead */
    const char *detail; /* belongs to reason */
    size_t came_bytes;  /* with TOO_LARGE: how much of it came */
    int status;         /* with REFUSED and GAVE_UP: the HTTP status of the store's answer */
};

void intake_init(struct intake *intake);
void intake_clear(struct intake *intake);

/**
 * @brief Publishes those of the orders that are new, and waits until Kafka has them. Orders that
 * need requests of their own are held instead, so that no other order waits for them.
 * @returns OUTCOME_OK, or what ends the round. Nothing is marked as seen then, so the next round
 * publishes all of these orders again
 */
enum outcome intake_take_orders(struct intake *intake, struct answer_orders *orders,
                                struct error *err);

/* What names one version of an order in its record and in the log. */
struct order_label {
    char key[160];
    char version[24];
    char trace[TRACE_BYTES]; /* the header traceparent */
    struct log_about about;  /* borrowed from the two */
};

/** @brief Fills the label in. The trace is made of key and date, so a version that is published
 * twice, and what is logged before it is published, has the same. id: -1: it cannot be told;
 * modified_ms: -1: the same; digest: of the order's bytes, stands for what cannot be told */
void intake_label(struct order_label *label, const char *store, int64_t id, int64_t modified_ms,
                  const char *digest);

/** @brief Finds out whether this version of an order was published already. */
enum outcome intake_is_known(struct intake *intake, const struct page_row *row, int *known,
                             struct error *err);

/**
 * @brief Publishes one order, or its record in `dead` or `skipped`, and waits until Kafka has it.
 * @param digest  of its bytes in the list, or "". A list that shows the same bytes again does not
 * bring the order again
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome intake_take_single(struct intake *intake, const struct single_order *single,
                                const char *digest, struct error *err);

#endif
