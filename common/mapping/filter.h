/* filter.h - the filter's handler: reads one record of orders.raw, asks the rule about it and says
 * to which topic it goes. It does no I/O and reads no clock. */
#ifndef COMMON_FILTER_H
#define COMMON_FILTER_H

#include "record/event.h"
#include "record/order.h"
#include "stage/stage.h"

/* What the handler works with. Embedded. */
struct filter {
    const struct stage_settings *settings; /* keeps */
    struct order_reader reader;
    char number[24]; /* modified_at as text, for the header of the record in hand */
};

void filter_init(struct filter *filter, const struct stage_settings *settings);
void filter_clear(struct filter *filter);

/**
 * @brief The handler of the stage (see stage_handler); context is a struct filter.
 * PASS: the same bytes go to orders.eligible, with header kind = order, withdrawn, contact or product.
 * SKIP: the reason and some facts go to skipped.
 * DEAD `malformed`: the record cannot be read, or belongs to no configured store.
 */
void filter_handle(void *context, const struct event *in, struct result *out);

#endif
