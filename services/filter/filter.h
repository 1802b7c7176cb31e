/* filter.h - one record of orders.raw: read it, ask the rule, say where it goes. No I/O, no clock.
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "record/event.h"
#include "record/order.h"
#include "stage/stage.h"

/* What the handler works with; embedded. */
struct filter {
    const struct stage_settings *settings; /* keeps */
    struct order_reader reader;
    char number[24]; /* modified_at as text, for the header of the record in hand */
};

void filter_init(struct filter *filter, const struct stage_settings *settings);
void filter_clear(struct filter *filter);

/**
 * @brief stage_handler, context is a struct filter. PASS: the same bytes to orders.eligible, header
 * kind = order or withdrawn. SKIP: reason and facts to skipped. DEAD `malformed`: what cannot be
 * read, or belongs to no configured store.
 */
void filter_handle(void *context, const struct event *in, struct result *out);

#endif
