#include "whole_order.h"

enum { ATTEMPTS_MAX = 5, OTHERS_MAX = 3 };

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

/* Asks for an order by each kind of call that one may need. That the store does not have it is an answer
 * too.
 * @param is_answered  out, on OUTCOME_OK; where it is 0, err says why */
static enum outcome ask_for_other(struct asker *asker, int64_t id, int *is_answered,
                                  struct error *err)
{
    static const enum ask_kind parts[] = {ASK_PRODUCTS, ASK_COUPONS};
    struct own_order own = {0};
    enum outcome outcome = complete_order(asker, id, &own, err);

    *is_answered = own.completion != COMPLETION_FAILING;
    for (int i = 0; i < 2 && outcome == OUTCOME_OK && *is_answered; i++) {
        const struct ask what = {.kind = parts[i], .id = id, .page = 1};
        enum bigcommerce_answer answer = BIGCOMMERCE_TROUBLE;
        struct text body;

        outcome = ask(asker, &what, &answer, &body, err);
        *is_answered = answer == BIGCOMMERCE_OK || answer == BIGCOMMERCE_GONE ||
                       answer == BIGCOMMERCE_REFUSED || answer == BIGCOMMERCE_TOO_LARGE;
    }
    complete_clear(&own);
    return outcome;
}

/* Tells an order that alone is broken from a store in trouble: that one answers for no other order either.
 * @returns OUTCOME_TROUBLE where it answers for none of a few, or what else ends the reading */
static enum outcome check_store(struct asker *asker, int64_t id, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;
    int is_answered = 0;

    for (int i = 1; i <= OTHERS_MAX && outcome == OUTCOME_OK && !is_answered; i++)
        outcome = ask_for_other(asker, id > OTHERS_MAX ? id - i : id + i, &is_answered, err);
    return outcome == OUTCOME_OK && !is_answered ? OUTCOME_TROUBLE : outcome;
}

/* Asks for the order and what is missing in it, as the poller does, a few times. The last time only right
 * after the store answered for another order. */
static enum outcome complete(struct asker *asker, int64_t id, struct own_order *own,
                             struct error *err)
{
    for (int attempt = 1;; attempt++) {
        enum outcome outcome = complete_order(asker, id, own, err);

        if (outcome == OUTCOME_OK && own->completion == COMPLETION_DONE)
            outcome = complete_parts(asker, own, err);
        if (outcome != OUTCOME_OK || own->completion != COMPLETION_FAILING ||
            attempt == ATTEMPTS_MAX)
            return outcome;
        outcome = ask_wait_before_retry(asker, attempt, err);
        if (outcome == OUTCOME_OK && attempt == ATTEMPTS_MAX - 1)
            outcome = check_store(asker, id, err);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
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
