/* complete.h - asks the store for one order by its id, and for the line items and coupons that the
 * store leaves out of it. Each call is made once. If it fails, the caller tries again later. */
#ifndef COMMON_COMPLETE_H
#define COMMON_COMPLETE_H

#include "bigcommerce/ask.h"
#include "bigcommerce/page.h"

/* What the calls for one order led to. */
enum completion {
    COMPLETION_DONE = 0,  /* the order is complete: in completed, or, if that is empty, row.bytes */
    COMPLETION_GONE,      /* the store does not have it: it was archived or deleted */
    COMPLETION_REFUSED,   /* the store refuses a call, and would refuse it again */
    COMPLETION_TOO_LARGE, /* the order is larger than asker->order_max_bytes */
    COMPLETION_FAILING,   /* a call brought no usable answer, although the store is not down */
};

/* Zero-initialised; released with complete_clear(). */
struct own_order {
    struct buffer body;      /* the answer to GET /v2/orders/{id} */
    struct page_row row;     /* its bytes lie in body; absent where nothing readable came */
    struct buffer completed; /* with its member `bigfusion`; empty if nothing was missing */
    enum completion completion;
    size_t came_bytes; /* with TOO_LARGE: how much of the order had come when that was clear */
};

/**
 * @brief Asks for the order by its id.
 * @param own  out, on OUTCOME_OK: body, row, completion. Unless completion is DONE, err says why
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome complete_order(struct asker *asker, int64_t id, struct own_order *own,
                            struct error *err);

/**
 * @brief Asks for what is missing in own->row, after complete_order() with DONE.
 * @param own  out, on OUTCOME_OK: completed, completion. Unless completion is DONE, err says why
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome complete_parts(struct asker *asker, struct own_order *own, struct error *err);

void complete_clear(struct own_order *own);

#endif
