#include "complete.h"

enum { PAGES_MAX = 200 };

/* One page of lines or coupons, tried a few times. */
static enum outcome fetch_page(struct asker *asker, const struct ask *what, int tries,
                               struct buffer *joined, int *count, enum completion *completion,
                               struct error *err)
{
    for (int attempt = 1;; attempt++) {
        enum bigcommerce_answer answer;
        struct text body;
        enum outcome outcome = ask(asker, what, &answer, &body, err);

        *count = 0;
        if (outcome != OUTCOME_OK)
            return outcome;
        *completion = COMPLETION_DONE;
        if (answer == BIGCOMMERCE_OK &&
            (body.length == 0 || page_join_array(joined, body, count, err) == 0))
            return OUTCOME_OK;
        if (answer == BIGCOMMERCE_REFUSED || answer == BIGCOMMERCE_CLOSED) {
            *completion = COMPLETION_REFUSED;
            return OUTCOME_OK;
        }
        if (attempt >= tries) {
            *completion = COMPLETION_FAILING;
            return OUTCOME_OK;
        }
        outcome = ask_wait_before_retry(asker, attempt, err);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
}

static enum outcome fetch_all(struct asker *asker, enum ask_kind kind, int64_t id, int tries,
                              struct buffer *joined, enum completion *completion, struct error *err)
{
    struct ask what = {.kind = kind, .id = id, .page = 1};
    int count;

    do {
        enum outcome outcome = fetch_page(asker, &what, tries, joined, &count, completion, err);

        if (outcome != OUTCOME_OK || *completion != COMPLETION_DONE) {
            error_prefix(err, "%s: ", kind == ASK_PRODUCTS ? "products" : "coupons");
            return outcome;
        }
    } while (count >= BIGCOMMERCE_LINES_MAX && ++what.page <= PAGES_MAX);
    return OUTCOME_OK;
}

enum outcome complete_order(struct asker *asker, const struct page_row *row, int tries,
                            struct buffer *target, enum completion *completion, struct error *err)
{
    struct buffer products = {0}, coupons = {0};
    int coupons_missing = row->coupons_missing;
    enum outcome outcome = OUTCOME_OK;

    *completion = COMPLETION_DONE;
    if (row->lines_missing) {
        outcome = fetch_all(asker, ASK_PRODUCTS, row->id, tries, &products, completion, err);
        if (outcome != OUTCOME_OK || *completion != COMPLETION_DONE)
            goto out;
        coupons_missing =
            page_coupons_missing(row->bytes, (struct text){products.data, products.length});
    }
    if (coupons_missing) {
        outcome = fetch_all(asker, ASK_COUPONS, row->id, tries, &coupons, completion, err);
        if (outcome != OUTCOME_OK || *completion != COMPLETION_DONE)
            goto out;
    }
    page_splice(target, row->bytes, row->lines_missing ? &products : NULL,
                coupons_missing ? &coupons : NULL);
out:
    buffer_clear(&products);
    buffer_clear(&coupons);
    return outcome;
}
