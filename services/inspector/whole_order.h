/* whole_order.h - an order of a page as the poller would publish it: with the line items and coupons that
 * the page left out. */
#ifndef INSPECTOR_WHOLE_ORDER_H
#define INSPECTOR_WHOLE_ORDER_H

#include <stdint.h>

#include "bigcommerce/ask.h"
#include "bigcommerce/complete.h"
#include "record/reason.h"

/* One order as it was read from the store. */
struct whole_order {
    int64_t id; /* -1: it cannot be told */
    int64_t modified_ms;
    struct text bytes;  /* what the poller would publish; borrowed */
    enum reason reason; /* not NONE: the poller itself would publish it as dead or skipped */
    const char *detail; /* why, for people; borrowed; nothing personal */
};

/**
 * @brief Takes a row of a page. Where something is missing in it, the order is asked for by its id, a few
 * times. It is given up only where the store answers the same calls for another order.
 * @param order  out, on OUTCOME_OK: points into the row's page and into own
 * @param own    zeroed; to be released with complete_clear() in any case
 * @returns OUTCOME_OK, or what ends the reading: OUTCOME_TROUBLE where the store answers for no order
 */
enum outcome whole_order_take(struct asker *asker, const struct page_row *row,
                              struct whole_order *order, struct own_order *own, struct error *err);

#endif
