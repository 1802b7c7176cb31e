/* preview_read.c - reads the newest orders of a store by its API. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "bigcommerce/ask.h"
#include "bigcommerce/page.h"

#include "preview.h"

enum {
    TIMEOUT_MS = 30000,
    PAGE_SIZE = 128,
    BAD_MAX = 3,
    ATTEMPTS_MAX = 5, /* for a page of one order */
    SHOW_EACH_MS = 2000,
    SHOW_TERMINAL_MS = 200,
};

/* A reading that is going on. */
struct reading {
    struct asker asker;
    int64_t last, done;
    preview_visit visit;
    void *context;
    int64_t lowest_id; /* of the orders read so far; 0: none yet */
    int64_t offset;    /* how many orders of the list were asked for; a multiple of limit */
    int limit;         /* orders asked for at once, a power of two: fewer after trouble */
    int attempt;       /* how often in a row the query for one order failed */
    int bad;           /* how many orders in a row could not be read even alone */
    struct page page;
    struct buffer body; /* what the rows of page point into */
    int64_t shown_ms;
    int is_terminal;
};

static void show(struct reading *reading, int is_last)
{
    int64_t now_ms = clock_monotonic_ms();

    if (is_last && reading->is_terminal)
        fprintf(stderr, "\r\033[K");
    if (is_last ||
        now_ms - reading->shown_ms < (reading->is_terminal ? SHOW_TERMINAL_MS : SHOW_EACH_MS))
        return;
    reading->shown_ms = now_ms;
    fprintf(stderr, "%sreading orders: %" PRId64 " of at most %" PRId64 "%s",
            reading->is_terminal ? "\r" : "", reading->done, reading->last,
            reading->is_terminal ? "\033[K" : "\n");
}

static void hand_over(struct reading *reading, const struct whole_order *order)
{
    reading->visit(reading->context, order);
    reading->done++;
    show(reading, 0);
}

static enum outcome take_row(struct reading *reading, const struct page_row *row, struct error *err)
{
    struct whole_order order;
    struct own_order own = {0};
    enum outcome outcome = whole_order_take(&reading->asker, row, &order, &own, err);

    if (outcome == OUTCOME_OK)
        hand_over(reading, &order);
    complete_clear(&own);
    return outcome;
}

/* An answer came that cannot be read: fewer orders are asked for. One that cannot be read even
 * alone is stepped over. */
static enum outcome narrow(struct reading *reading, struct error *err)
{
    const struct whole_order bad = {.id = -1,
                                    .modified_ms = -1,
                                    .reason = REASON_MALFORMED,
                                    .detail = "the store's answer cannot be read"};

    if (reading->limit > 1) {
        reading->limit /= 2;
        error_clear(err);
        return OUTCOME_OK;
    }
    if (++reading->attempt < ATTEMPTS_MAX)
        return ask_wait_before_retry(&reading->asker, reading->attempt, err);
    if (reading->bad == BAD_MAX) /* the store is in trouble, and not an order */
        return OUTCOME_TROUBLE;
    error_clear(err);
    reading->attempt = 0;
    reading->bad++;
    reading->offset++;
    hand_over(reading, &bad);
    return OUTCOME_OK;
}

/* Hands over the orders of a page. An order that is placed meanwhile moves all others back in the
 * list, so the end of the page before may come once more. */
static enum outcome take_page(struct reading *reading, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    for (int i = 0; i < reading->page.count && outcome == OUTCOME_OK; i++) {
        const struct page_row *row = &reading->page.rows[i];

        if (reading->done == reading->last)
            break;
        if (row->id > 0 && reading->lowest_id > 0 && row->id >= reading->lowest_id)
            continue;
        if (row->id > 0)
            reading->lowest_id = row->id;
        outcome = take_row(reading, row, err);
    }
    return outcome;
}

/* Asks for a page and hands its orders over. is_over: out, there are no more. */
static enum outcome read_page(struct reading *reading, int *is_over, struct error *err)
{
    const struct ask what = {
        .kind = ASK_NEWEST,
        .query = {.limit = reading->limit, .page = (int)(reading->offset / reading->limit) + 1}};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(&reading->asker, &what, &answer, &body, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer == BIGCOMMERCE_REFUSED || answer == BIGCOMMERCE_GONE)
        return OUTCOME_TROUBLE;
    if (answer != BIGCOMMERCE_OK)
        return narrow(reading, err);
    /* The rows must outlive the calls for single orders. */
    bigcommerce_take_body(reading->asker.client, &reading->body);
    if (page_slice(&reading->page, body, err) != 0)
        return narrow(reading, err);
    reading->attempt = reading->bad = 0;
    *is_over = reading->page.count == 0;
    reading->offset += reading->limit;
    if (reading->limit < PAGE_SIZE && reading->offset % (2 * reading->limit) == 0)
        reading->limit *= 2;
    return take_page(reading, err);
}

static int tell(enum outcome outcome, const struct config_store *store, struct error *err)
{
    if (outcome == OUTCOME_OK)
        return 0;
    if (outcome == OUTCOME_STOPPED)
        return error_set(err, ERROR_TEMPORARY, "stopped before all orders were read");
    if (err->kind == ERROR_NONE)
        error_set(err, ERROR_TEMPORARY, "no answer that can be used");
    if (outcome == OUTCOME_CLOSED)
        err->kind = ERROR_PERMANENT; /* the token is wrong, or lacks a scope */
    return error_prefix(err, "store %s: ", store->code);
}

int preview_read(const struct config *config, const struct config_store *store, int64_t last,
                 preview_visit visit, void *context, struct error *err)
{
    struct reading *reading = mem_alloc(sizeof(*reading)); /* a page is large */
    enum outcome outcome = OUTCOME_OK;
    int is_over = 0;

    reading->asker = (struct asker){.store = store->hash,
                                    .client = bigcommerce_new(store, &config->http, TIMEOUT_MS),
                                    .order_max_bytes = (size_t)config->kafka.max_record_bytes};
    reading->last = last;
    reading->visit = visit;
    reading->context = context;
    reading->limit = 1;
    while (reading->limit < PAGE_SIZE && reading->limit < last)
        reading->limit *= 2;
    reading->is_terminal = isatty(STDERR_FILENO);
    reading->shown_ms = clock_monotonic_ms();
    while (outcome == OUTCOME_OK && !is_over && reading->done < last)
        outcome = read_page(reading, &is_over, err);
    show(reading, 1);
    bigcommerce_free(reading->asker.client);
    buffer_clear(&reading->body);
    free(reading);
    return tell(outcome, store, err);
}
