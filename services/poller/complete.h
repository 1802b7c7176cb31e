/* complete.h - one order asked for by itself, with the line items and coupons that the store leaves
 * out of it. Each call is made once: whoever asks tries again later. */
#ifndef POLLER_COMPLETE_H
#define POLLER_COMPLETE_H

#include "ask.h"
#include "page.h"

/* What came of an order's own calls. */
enum completion {
    COMPLETION_DONE = 0,  /* it is whole: see completed, else row.bytes */
    COMPLETION_GONE,      /* the store does not have it: it was archived or deleted */
    COMPLETION_REFUSED,   /* the store refuses a call: it always will */
    COMPLETION_TOO_LARGE, /* larger than any answer that we take */
    COMPLETION_FAILING,   /* no usable answer, while the store answers otherwise */
};

/* Zero-initialised; released with complete_clear(). */
struct own_order {
    struct buffer body;      /* the order as its own call brought it */
    struct page_row row;     /* lies in body; bytes absent where nothing readable came */
    struct buffer completed; /* with its member `bigfusion`; empty where nothing was missing */
    enum completion completion;
};

/**
 * @brief Asks for the order, then for what is missing in it.
 * @param own  out, on OUTCOME_OK; but for DONE err says why
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome complete_order(struct asker *asker, int64_t id, struct own_order *own,
                            struct error *err);

/** @brief Asks for what is missing in own->row, which its own call has brought. As above. */
enum outcome complete_parts(struct asker *asker, struct own_order *own, struct error *err);

void complete_clear(struct own_order *own);

#endif
