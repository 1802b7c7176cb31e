#include "reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#include "scan.h"

enum { TRIES = 3, KEPT_BYTES = 1 << 20 };

/* Orders of an answer */

/* Gives orders to the intake. */
static enum outcome take_rows(struct reading *reading, struct answer_orders *orders,
                              struct error *err)
{
    orders->from_ms = reading->lane->cursor.min_ms;
    orders->to_ms = reading->lane->cursor.upper_ms;
    orders->forget_ms = reading->forget_ms;
    return intake_take_orders(reading->intake, orders, err);
}

static enum outcome move_over(struct reading *reading, const struct cursor_row *rows, int count,
                              struct error *err)
{
    if (cursor_page(&reading->lane->cursor, rows, count) == 0)
        return OUTCOME_OK;
    error_set(err, ERROR_TEMPORARY, "the store answers the same page again and again");
    return OUTCOME_TROUBLE;
}

/* Gives orders to the intake, then moves the cursor over them. */
static enum outcome take_and_move(struct reading *reading, struct answer_orders *orders,
                                  struct error *err)
{
    struct cursor_row rows[PAGE_ROWS_MAX];
    enum outcome outcome = take_rows(reading, orders, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    for (int i = 0; i < orders->count; i++) {
        rows[i] = (struct cursor_row){orders->rows[i].id, orders->rows[i].modified_ms};
        if (orders->left[i])
            cursor_hold(&reading->lane->cursor, orders->rows[i].modified_ms);
    }
    outcome = move_over(reading, rows, orders->count, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    reading->lane->failures = 0;
    return OUTCOME_OK;
}

/* Orders that cannot be read */

static void forget_bads(struct lane *lane)
{
    for (int i = 0; i < lane->bad_count; i++)
        free(lane->bads[i].data);
    free(lane->bads);
    lane->bads = NULL;
    lane->bad_count = 0;
    lane->bad_bytes = 0;
}

void lane_reset(struct lane *lane)
{
    forget_bads(lane);
    lane->failures = 0;
    buffer_reset(&lane->tried);
}

void lane_clear(struct lane *lane)
{
    forget_bads(lane);
    buffer_clear(&lane->tried);
}

static void remember_buried(struct reading *reading, struct text bytes)
{
    seen_mark_init(&reading->buried[reading->buried_next], 0, 0, bytes);
    reading->buried_next = (reading->buried_next + 1) % BURIED_MAX;
}

static int is_buried(const struct reading *reading, struct text bytes)
{
    struct seen_mark mark = {0};

    seen_mark_init(&mark, 0, 0, bytes);
    for (int i = 0; i < BURIED_MAX; i++)
        if (strcmp(reading->buried[i].member, mark.member) == 0)
            return 1;
    return 0;
}

/* Publishes the orders that were stepped over as dead, because the store has shown something
 * readable behind them. */
static enum outcome bury_bads(struct reading *reading, struct error *err)
{
    for (int i = 0; i < reading->lane->bad_count; i++) {
        const struct bad *bad = &reading->lane->bads[i];
        struct page_row row = {.bytes = {bad->data, bad->length}, .id = bad->id, .modified_ms = -1};
        struct answer_orders orders = {.rows = &row,
                                       .count = 1,
                                       .reason = REASON_MALFORMED,
                                       .detail = "not readable as JSON, even alone"};
        enum outcome outcome = take_rows(reading, &orders, err);

        if (outcome != OUTCOME_OK)
            return outcome;
        remember_buried(reading, row.bytes);
    }
    forget_bads(reading->lane);
    return OUTCOME_OK;
}

/* Steps over an order that cannot be read. bytes: what came for it. */
static enum outcome step_over(struct reading *reading, struct text bytes, struct error *err)
{
    if (reading->lane->bad_count == BADS_MAX ||
        reading->lane->bad_bytes + bytes.length > BADS_MAX_BYTES) {
        error_set(err, ERROR_TEMPORARY, "%d orders in a row cannot be read",
                  reading->lane->bad_count + 1);
        return OUTCOME_TROUBLE;
    }
    reading->lane->bads = mem_realloc(reading->lane->bads, ((size_t)reading->lane->bad_count + 1) *
                                                               sizeof(*reading->lane->bads));
    reading->lane->bads[reading->lane->bad_count++] =
        (struct bad){.data = mem_strndup(bytes.data, bytes.length),
                     .length = bytes.length,
                     .id = scan_id(bytes)};
    reading->lane->bad_bytes += bytes.length;
    error_clear(err);
    cursor_skip(&reading->lane->cursor);
    return OUTCOME_OK;
}

/* Takes in a single order, which may be dead, instead of the page that could not be read. */
static enum outcome take_single_row(struct reading *reading, const struct page_row *row,
                                    enum reason reason, const char *detail, struct error *err)
{
    struct answer_orders orders = {.rows = row, .count = 1, .reason = reason, .detail = detail};
    enum outcome outcome;

    error_clear(err);
    outcome = bury_bads(reading, err);
    return outcome == OUTCOME_OK ? take_and_move(reading, &orders, err) : outcome;
}

/* Holds an order that no list shows with its line items, but whose id and date are known from the
 * list without them. It is asked for by its id later. */
static enum outcome hold_one(struct reading *reading, const struct page_row *slim,
                             struct error *err)
{
    const struct cursor_row row = {slim->id, slim->modified_ms};

    if (held_add(&reading->intake->held, reading->intake->room, slim->id, slim->modified_ms, "",
                 clock_now_ms()) != 0)
        cursor_hold(&reading->lane->cursor, slim->modified_ms);
    return move_over(reading, &row, 1, err);
}

/* Decides what becomes of a single order that could not be read in several tries. The order is
 * asked for once more without line items, as they may be the cause. reading->lane->tried holds what
 * came for it, or is empty. err says why it could not be read. */
static enum outcome examine_bad(struct reading *reading, const struct cursor_query *query,
                                struct error *err)
{
    const struct ask what = {.kind = ASK_ORDERS_SLIM, .query = *query};
    const struct error why = *err;
    struct text bytes =
        page_strip_brackets((struct text){reading->lane->tried.data, reading->lane->tried.length});
    struct page_row *row = &reading->page.rows[0];
    struct error ignored = {0};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;

    error_clear(err);
    outcome = ask(reading->asker, &what, &answer, &body, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    bigcommerce_take_body(reading->asker->client, &reading->body);
    if (answer == BIGCOMMERCE_OK && page_slice(&reading->page, body, &ignored) == 0) {
        if (reading->page.count == 0) /* the order is gone */
            return take_and_move(reading, &(struct answer_orders){.rows = reading->page.rows}, err);
        if (reading->page.count == 1 && row->fault == NULL && reading->lane->tried.length == 0)
            return hold_one(reading, row, err);
        if (reading->page.count == 1 && row->fault == NULL) {
            row->bytes = bytes;
            remember_buried(reading, bytes);
            return take_single_row(reading, row, REASON_MALFORMED, why.text, err);
        }
    }
    if (reading->lane->tried.length > 0)
        return step_over(reading, bytes, err);
    /* No answer was about this order, so the store itself is in trouble. */
    error_clear(err);
    *err = why;
    return OUTCOME_TROUBLE;
}

/* Whether an answer is a list from its first bracket to its last. Only then the order in it may be
 * at fault; half an answer, or the page of a proxy, says nothing about the order. */
static int is_whole_list(struct text body)
{
    return page_strip_brackets(body).length < body.length;
}

/* Asks for fewer orders, because the page cannot be read. Once it is a single order, it is tried
 * again, and then examined. body: what came; err says why it cannot be read. */
static enum outcome ask_for_fewer(struct reading *reading, const struct cursor_query *query,
                                  struct text body, struct error *err)
{
    int whole = is_whole_list(body);
    int same = whole && body.length == reading->lane->tried.length &&
               memcmp(body.data, reading->lane->tried.data, body.length) == 0;

    log_debug("page not readable store=%s limit=%d error=\"%s\"", reading->asker->store,
              query->limit, err->text);
    if (cursor_shrink(&reading->lane->cursor) == 0) {
        error_clear(err);
        return whole ? OUTCOME_OK : ask_wait_before_retry(reading->asker, 1, err);
    }
    if (whole && is_buried(reading, page_strip_brackets(body))) {
        error_clear(err);
        cursor_skip(&reading->lane->cursor);
        return OUTCOME_OK;
    }
    buffer_reset(&reading->lane->tried);
    if (whole)
        buffer_append(&reading->lane->tried, body.data, body.length);
    if (!same && ++reading->lane->failures < TRIES) {
        error_clear(err);
        return ask_wait_before_retry(reading->asker, reading->lane->failures, err);
    }
    reading->lane->failures = 0;
    if (body.length > 0 && !same)
        return OUTCOME_TROUBLE;
    return examine_bad(reading, query, err);
}

/* Whether all orders have an id. If one has none, the page counts as unreadable, so that the order
 * is found by asking for fewer at once. */
static int has_ids(const struct page *page, struct error *err)
{
    for (int i = 0; i < page->count; i++)
        if (page->rows[i].id < 0) {
            error_set(err, ERROR_PERMANENT, "%s", page->rows[i].fault);
            return 0;
        }
    return 1;
}

enum outcome reading_page(struct reading *reading, const struct cursor_query *query,
                          struct error *err)
{
    const struct ask what = {.kind = ASK_ORDERS, .query = *query};
    struct answer_orders orders = {.rows = reading->page.rows};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(reading->asker, &what, &answer, &body, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer == BIGCOMMERCE_REFUSED || answer == BIGCOMMERCE_GONE)
        return OUTCOME_TROUBLE;
    if (answer != BIGCOMMERCE_OK)
        return ask_for_fewer(reading, query, (struct text){NULL, 0}, err);
    /* The rows of the page point into the body, so it must outlive the next request. */
    bigcommerce_take_body(reading->asker->client, &reading->body);
    if (page_slice(&reading->page, body, err) != 0 || !has_ids(&reading->page, err))
        return ask_for_fewer(reading, query, body, err);
    if (reading->page.count > query->limit) {
        error_set(err, ERROR_TEMPORARY, "the store sent %d orders where %d were asked for",
                  reading->page.count, query->limit);
        return OUTCOME_TROUBLE;
    }
    outcome = bury_bads(reading, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    buffer_reset(&reading->lane->tried);
    orders.count = reading->page.count;
    return take_and_move(reading, &orders, err);
}

static void release_large(struct buffer *buffer)
{
    if (buffer->capacity > KEPT_BYTES)
        buffer_clear(buffer);
}

void reading_release(struct reading *reading)
{
    /* The client's own buffer takes turns with reading->body. Both of them are looked at. */
    release_large(&reading->body);
    bigcommerce_take_body(reading->asker->client, &reading->body);
    release_large(&reading->body);
    release_large(&reading->lane->tried);
}

void reading_clear(struct reading *reading) { buffer_clear(&reading->body); }
