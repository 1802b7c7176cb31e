#include "complete.h"

#include <string.h>

/* An order with so many bytes of lines is larger than any record: what is left does not matter. */
enum { PAGES_MAX = 200, JOINED_MAX_BYTES = 32 << 20 };

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

static int is_same(const struct buffer *left, const struct buffer *right)
{
    return left->length == right->length && memcmp(left->data, right->data, left->length) == 0;
}

/* All pages: only an empty one ends them, since the store may give fewer values at once than we ask
 * for. A store that answers every page alike turns none here, and gave everything at once. */
static enum outcome fetch_all(struct asker *asker, enum ask_kind kind, int64_t id, int tries,
                              struct buffer *joined, enum completion *completion, struct error *err)
{
    struct ask what = {.kind = kind, .id = id};
    struct buffer page = {0}, before = {0};
    enum outcome outcome;
    int count = 0;

    do {
        struct buffer last = before;

        before = page;
        page = last;
        buffer_reset(&page);
        what.page++;
        outcome = fetch_page(asker, &what, tries, &page, &count, completion, err);
        if (outcome == OUTCOME_OK && *completion == COMPLETION_DONE && what.page > PAGES_MAX) {
            error_set(err, ERROR_TEMPORARY, "more than %d pages", PAGES_MAX);
            *completion = COMPLETION_FAILING;
        }
        if (outcome != OUTCOME_OK || *completion != COMPLETION_DONE || count == 0 ||
            is_same(&page, &before))
            break;
        buffer_append(joined, ",", joined->length > 0);
        buffer_append(joined, page.data, page.length);
    } while (joined->length < JOINED_MAX_BYTES);
    if (outcome != OUTCOME_OK || *completion != COMPLETION_DONE)
        error_prefix(err, "%s: ", kind == ASK_PRODUCTS ? "products" : "coupons");
    buffer_clear(&page);
    buffer_clear(&before);
    return outcome;
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
