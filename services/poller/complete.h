/* complete.h - an order whose line items or coupons the list call left out, completed by calls of
 * its own. */
#ifndef POLLER_COMPLETE_H
#define POLLER_COMPLETE_H

#include "ask.h"
#include "page.h"

/* What came of an order's own calls. */
enum completion {
    COMPLETION_DONE = 0, /* target holds the order, completed */
    COMPLETION_REFUSED,  /* the store refuses a call: it always will */
    COMPLETION_FAILING,  /* no usable answer, while the store answers otherwise */
};

/**
 * @brief Asks for what the row says is missing.
 * @param tries       how often each call is tried before it counts as failing, >= 1
 * @param target      receives the order with its member `bigfusion`; appended to
 * @param completion  out, on OUTCOME_OK; but for DONE err says why
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome complete_order(struct asker *asker, const struct page_row *row, int tries,
                            struct buffer *target, enum completion *completion, struct error *err);

#endif
