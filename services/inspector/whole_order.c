#include "whole_order.h"

enum { ATTEMPTS_MAX = 5 };

static enum reason reason_of_completion(enum completion completion)
{
    switch (completion) {
    case COMPLETION_DONE:
        return REASON_NONE;
    case COMPLETION_GONE:
        return REASON_ARCHIVED;
    case COMPLETION_REFUSED:
        return REASON_REFUSED;
    case COMPLETION_TOO_LARGE:
        return REASON_TOO_LARGE;
    default:
        return REASON_GAVE_UP;
    }
}

/* Asks for the order and what is missing in it, as the poller does, a few times. */
static enum outcome complete(struct asker *asker, int64_t id, struct own_order *own,
                             struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        outcome = complete_order(asker, id, own, err);
        if (outcome == OUTCOME_OK && own->completion == COMPLETION_DONE)
            outcome = complete_parts(asker, own, err);
        if (outcome != OUTCOME_OK || own->completion != COMPLETION_FAILING)
            break;
        outcome = ask_wait_before_retry(asker, attempt, err);
        if (outcome != OUTCOME_OK)
            break;
    }
    return outcome;
}

enum outcome whole_order_take(struct asker *asker, const struct page_row *row,
                              struct whole_order *order, struct own_order *own, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    *order =
        (struct whole_order){.id = row->id, .modified_ms = row->modified_ms, .bytes = row->bytes};
    if (row->fault != NULL) {
        order->reason = REASON_MALFORMED;
        order->detail = row->fault;
    } else if (row->lines_missing || row->coupons_missing) {
        outcome = complete(asker, row->id, own, err);
        order->reason = reason_of_completion(own->completion);
        order->detail = "by its own calls";
        if (own->completion == COMPLETION_DONE) {
            order->modified_ms = own->row.modified_ms;
            order->bytes = own->completed.length > 0
                               ? (struct text){own->completed.data, own->completed.length}
                               : own->row.bytes;
        }
        if (outcome == OUTCOME_OK)
            error_clear(err);
    }
    return outcome;
}
