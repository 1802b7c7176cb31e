#include "bigcommerce/complete.h"

#include <string.h>

enum { PAGES_MAX = 200 };

static enum completion completion_of(enum bigcommerce_answer answer)
{
    switch (answer) {
    case BIGCOMMERCE_OK:
        return COMPLETION_DONE;
    case BIGCOMMERCE_GONE:
        return COMPLETION_GONE;
    case BIGCOMMERCE_REFUSED:
        return COMPLETION_REFUSED;
    case BIGCOMMERCE_TOO_LARGE:
        return COMPLETION_TOO_LARGE;
    default: /* Also a 403: the store takes this token for other requests, so it may pass later. */
        return COMPLETION_FAILING;
    }
}

static const char *name_of(enum ask_kind kind)
{
    return kind == ASK_PRODUCTS ? "products" : "coupons";
}

/* Asks for one page of line items or coupons. page gets its values, and lines what its line items
 * tell. */
static enum outcome fetch_page(struct asker *asker, const struct ask *what, struct buffer *page,
                               struct page_lines *lines, int *count, enum completion *completion,
                               struct error *err)
{
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(asker, what, &answer, &body, err);

    *count = 0;
    if (outcome != OUTCOME_OK)
        return outcome;
    *completion = completion_of(answer);
    if (*completion == COMPLETION_GONE && what->page > 1) {
        /* The first page was there, so this 404 means that there are no more pages. */
        error_clear(err);
        *completion = COMPLETION_DONE;
    } else if (*completion == COMPLETION_DONE && body.length > 0 &&
               page_join_array(page, body, what->kind == ASK_PRODUCTS ? lines : NULL, count, err) !=
                   0) {
        error_prefix(err, "%s: ", name_of(what->kind));
        *completion = COMPLETION_FAILING;
    } else if (*completion == COMPLETION_TOO_LARGE && bigcommerce_status(asker->client) != 0) {
        *completion = COMPLETION_FAILING; /* the store itself says 413, to a page of usual size */
    }
    return OUTCOME_OK;
}

static int is_same(const struct buffer *left, const struct buffer *right)
{
    return left->length == right->length && memcmp(left->data, right->data, left->length) == 0;
}

/* The order cannot be published: so much of it has come already. */
static void say_too_large(const struct asker *asker, struct own_order *own, size_t came_bytes,
                          struct error *err)
{
    error_clear(err);
    error_set(err, ERROR_PERMANENT, "the order is larger than %zu bytes", asker->order_max_bytes);
    own->completion = COMPLETION_TOO_LARGE;
    own->came_bytes = came_bytes;
}

/* Appends the values of a page, unless they make the order larger than any record. The rest is not
 * asked for then, so no store can make this program join more than that. */
static void join_page(const struct asker *asker, struct own_order *own, size_t before_bytes,
                      struct buffer *joined, const struct buffer *page, struct error *err)
{
    size_t bytes = before_bytes + joined->length + page->length;

    if (bytes > asker->order_max_bytes) {
        say_too_large(asker, own, bytes, err);
        return;
    }
    buffer_append(joined, ",", joined->length > 0);
    buffer_append(joined, page->data, page->length);
}

/* Asks for all pages of line items or coupons. Only an empty page is the end, because the store may
 * give fewer values at once than we ask for. A page that equals the page before is the end too: the
 * store then ignores the page number, and each of its answers holds everything.
 * joined and lines get the values of all pages. before_bytes: of the order without them. */
static enum outcome fetch_all(struct asker *asker, enum ask_kind kind, struct own_order *own,
                              size_t before_bytes, struct buffer *joined, struct page_lines *lines,
                              struct error *err)
{
    struct ask what = {.kind = kind, .id = own->row.id};
    struct buffer page = {0}, before = {0};
    enum outcome outcome;
    int count = 0;

    for (;;) {
        struct page_lines with_page = *lines;
        struct buffer last = before;

        before = page;
        page = last;
        buffer_reset(&page);
        what.page++;
        outcome = fetch_page(asker, &what, &page, &with_page, &count, &own->completion, err);
        if (outcome == OUTCOME_OK && own->completion == COMPLETION_DONE && what.page > PAGES_MAX) {
            error_set(err, ERROR_TEMPORARY, "%s: more than %d pages", name_of(kind), PAGES_MAX);
            own->completion = COMPLETION_FAILING;
        }
        if (outcome == OUTCOME_OK && own->completion == COMPLETION_TOO_LARGE)
            say_too_large(asker, own, before_bytes + joined->length + asker->order_max_bytes, err);
        if (outcome != OUTCOME_OK || own->completion != COMPLETION_DONE || count == 0 ||
            is_same(&page, &before))
            break;
        join_page(asker, own, before_bytes, joined, &page, err);
        if (own->completion != COMPLETION_DONE)
            break;
        *lines = with_page;
    }
    buffer_clear(&page);
    buffer_clear(&before);
    return outcome;
}

/* The store answered 404 to a request for line items or coupons. Asks for the order itself: only if
 * that is not there either, the order is gone. */
static enum outcome check_gone(struct asker *asker, struct own_order *own, struct error *err)
{
    const struct ask what = {.kind = ASK_ORDER, .id = own->row.id};
    struct error ignored = {0};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(asker, &what, &answer, &body, &ignored);

    if (outcome != OUTCOME_OK)
        *err = ignored;
    else if (answer != BIGCOMMERCE_GONE)
        own->completion = COMPLETION_FAILING;
    return outcome;
}

enum outcome complete_parts(struct asker *asker, struct own_order *own, struct error *err)
{
    const struct page_row *row = &own->row;
    struct buffer products = {0}, coupons = {0};
    struct page_lines lines = {0}; /* of products */
    int coupons_missing = row->coupons_missing;
    enum outcome outcome = OUTCOME_OK;

    own->completion = COMPLETION_DONE;
    if (row->lines_missing) {
        outcome = fetch_all(asker, ASK_PRODUCTS, own, row->bytes.length, &products, &lines, err);
        if (outcome != OUTCOME_OK || own->completion != COMPLETION_DONE)
            goto out;
        coupons_missing = page_coupons_missing(row, &lines);
    }
    if (coupons_missing) {
        outcome = fetch_all(asker, ASK_COUPONS, own, row->bytes.length + products.length, &coupons,
                            &lines, err);
        if (outcome != OUTCOME_OK || own->completion != COMPLETION_DONE)
            goto out;
    }
    buffer_reset(&own->completed);
    if (row->lines_missing || coupons_missing)
        page_splice(&own->completed, row->bytes, row->lines_missing ? &products : NULL,
                    coupons_missing ? &coupons : NULL);
out:
    if (outcome == OUTCOME_OK && own->completion == COMPLETION_GONE)
        outcome = check_gone(asker, own, err);
    buffer_clear(&products);
    buffer_clear(&coupons);
    return outcome;
}

enum outcome complete_order(struct asker *asker, int64_t id, struct own_order *own,
                            struct error *err)
{
    const struct ask what = {.kind = ASK_ORDER, .id = id};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(asker, &what, &answer, &body, err);

    own->row = (struct page_row){.id = id, .modified_ms = -1};
    if (outcome != OUTCOME_OK)
        return outcome;
    own->completion = completion_of(answer);
    if (own->completion == COMPLETION_TOO_LARGE)
        own->came_bytes = asker->order_max_bytes;
    if (own->completion != COMPLETION_DONE)
        return OUTCOME_OK;
    /* The body must outlive the requests for line items and coupons. */
    bigcommerce_take_body(asker->client, &own->body);
    page_read_order(&own->row, body);
    if (own->row.fault == NULL && own->row.id == id)
        return OUTCOME_OK;
    error_set(err, ERROR_TEMPORARY, "its own call answers with something else: %s",
              own->row.fault != NULL ? own->row.fault : "another order");
    own->row = (struct page_row){.id = id, .modified_ms = -1};
    own->completion = COMPLETION_FAILING;
    return OUTCOME_OK;
}

void complete_clear(struct own_order *own)
{
    buffer_clear(&own->body);
    buffer_clear(&own->completed);
}
