/* backfill_read.c - reads the orders of a window page by page, by their ids. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "act/paused.h"
#include "base/clock.h"

#include "backfill.h"
#include "whole_order.h"

enum { PAGE_SIZE = 100, ATTEMPTS_MAX = 5, BAD_MAX = 3, STEP_MS = 250, PAUSE_LOOK_MS = 5000 };

int backfill_check_pause(struct backfill *backfill, struct error *err)
{
    int64_t now_ms = clock_monotonic_ms();
    struct paused paused = {0};
    int rc;

    if (backfill->pause_asked_ms != 0 && now_ms - backfill->pause_asked_ms < PAUSE_LOOK_MS)
        return 0;
    backfill->pause_asked_ms = now_ms;
    rc = paused_read(backfill->config, &paused, err);
    if (rc == 0 && paused_find(&paused, PAUSED_STORE, backfill->store->hash) != NULL)
        rc = error_set(err, ERROR_PERMANENT,
                       "it is paused; after `bigfusion resume %.40s` the same command goes on",
                       backfill->store->code);
    paused_clear(&paused);
    return rc;
}

/* Leaves the last quarter of the store's quota to the poller. */
static enum outcome wait_for_quota(struct backfill *backfill, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    while (outcome == OUTCOME_OK && !backfill->is_cancelled &&
           clock_monotonic_ms() < backfill->asker_ready_ms) {
        outcome = ask_wait(&backfill->asker, STEP_MS, err);
        backfill->is_cancelled |= act_is_cancelled();
    }
    return outcome;
}

static void count_row(struct backfill *backfill, const struct page_row *row)
{
    if (backfill->position.first_id < 0)
        backfill->position.first_id = row->id;
    backfill->position.orders++;
    backfill->way.run_orders++;
}

static enum outcome take_row(struct backfill *backfill, const struct page_row *row,
                             struct error *err)
{
    struct whole_order order;
    struct own_order own = {0};
    enum outcome outcome = OUTCOME_OK;

    if (row->id <= backfill->position.last_id ||
        (row->placed_ms >= 0 &&
         (row->placed_ms < backfill->from_ms || row->placed_ms >= backfill->to_ms)))
        return OUTCOME_OK;
    if (backfill->is_dry)
        backfill->published++;
    else
        outcome = whole_order_take(&backfill->asker, row, &order, &own, err);
    if (outcome == OUTCOME_OK && !backfill->is_dry && backfill_send(backfill, &order, err) != 0)
        outcome = OUTCOME_TROUBLE;
    if (outcome == OUTCOME_OK)
        count_row(backfill, row);
    complete_clear(&own);
    return outcome;
}

static void show(struct backfill *backfill)
{
    backfill->way.first_id = backfill->position.first_id;
    backfill->way.at_id = backfill->position.last_id;
    backfill->way.orders = backfill->position.orders;
    backfill->way.run_ms = clock_monotonic_ms() - backfill->begun_ms;
    backfill_progress_show(&backfill->progress, &backfill->way);
}

/* Publishes the orders of a page. Once Kafka has them all, the position moves on. */
static enum outcome take_page(struct backfill *backfill, struct error *err)
{
    struct page *page = backfill->page;
    struct cursor_row rows[PAGE_ROWS_MAX];
    enum outcome outcome = OUTCOME_OK;

    for (int i = 0; i < page->count && outcome == OUTCOME_OK; i++) {
        rows[i] = (struct cursor_row){page->rows[i].id, page->rows[i].modified_ms};
        outcome = take_row(backfill, &page->rows[i], err);
    }
    if (outcome != OUTCOME_OK)
        return outcome;
    if (cursor_page(&backfill->cursor, rows, page->count) != 0) {
        error_set(err, ERROR_TEMPORARY, "the store gives the same orders again and again");
        return OUTCOME_TROUBLE;
    }
    backfill->room -= page->count;
    backfill->attempt = 0;
    if (page->count > 0)
        backfill->position.last_id = backfill->cursor.last_id;
    if (!backfill->is_dry && backfill->position.first_id >= 0)
        outcome = backfill_save(backfill, page->count == 0, err);
    show(backfill);
    return outcome;
}

static int has_ids(const struct page *page)
{
    for (int i = 0; i < page->count; i++)
        if (page->rows[i].id < 0)
            return 0;
    return 1;
}

/* Steps over what came whole, alone, and cannot be read, although nothing tells its id. */
static enum outcome step_over(struct backfill *backfill, struct text body, struct error *err)
{
    struct text bytes = page_strip_brackets(body);

    /* Half an answer says nothing about the order. */
    if (bytes.length == body.length)
        return OUTCOME_TROUBLE;
    error_clear(err);
    backfill->attempt = 0;
    backfill->unreadable++;
    fprintf(stderr, "bigfusion: the order behind id %" PRId64 " cannot be read: stepped over\n",
            backfill->position.last_id);
    if (!backfill->is_dry && backfill_send_unreadable(backfill, bytes, err) != 0)
        return OUTCOME_TROUBLE;
    cursor_skip(&backfill->cursor);
    return OUTCOME_OK;
}

/* Takes one order that cannot be read even when it is asked for alone: a request without its lines tells
 * its id, and it is asked for by that. cause: why it cannot be read; body: what came, may be empty */
static enum outcome take_alone(struct backfill *backfill, struct text body, struct error *err)
{
    const struct error cause = *err;
    struct ask what = {.kind = ASK_PLACED_SLIM};
    struct page *page = backfill->page;
    struct buffer kept = {0};
    enum bigcommerce_answer answer;
    int64_t dead = backfill->dead;
    enum outcome outcome;

    /* Too many in a row say that the store is in trouble, and none of the orders. */
    if (++backfill->bad > BAD_MAX)
        return OUTCOME_TROUBLE;
    buffer_append(&kept, body.data, body.length);
    cursor_next(&backfill->cursor, &what.query);
    outcome = ask(&backfill->asker, &what, &answer, &body, err);
    if (outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK) {
        bigcommerce_take_body(backfill->asker.client, &backfill->body);
        if (page_slice(page, body, err) != 0 || !has_ids(page))
            outcome = step_over(backfill, (struct text){kept.data, kept.length}, err);
        else {
            if (page->count == 1)
                page->rows[0].lines_missing = 1;
            outcome = take_page(backfill, err);
        }
    } else if (outcome == OUTCOME_OK) {
        *err = cause;
        outcome = OUTCOME_TROUBLE;
    }
    if (outcome == OUTCOME_OK && dead == backfill->dead && page->count > 0)
        backfill->bad = 0;
    buffer_clear(&kept);
    return outcome;
}

/* No usable answer came: fewer orders are asked for, at last one alone, a few times. body: what came, may
 * be empty */
static enum outcome narrow(struct backfill *backfill, enum bigcommerce_answer answer,
                           struct text body, struct error *err)
{
    if (cursor_shrink(&backfill->cursor) == 0) {
        if (answer == BIGCOMMERCE_TROUBLE)
            return ask_wait_before_retry(&backfill->asker, 1, err);
        return OUTCOME_OK;
    }
    if (answer != BIGCOMMERCE_TOO_LARGE && ++backfill->attempt < ATTEMPTS_MAX)
        return ask_wait_before_retry(&backfill->asker, backfill->attempt, err);
    return take_alone(backfill, body, err);
}

static enum outcome read_page(struct backfill *backfill, struct error *err)
{
    struct ask what = {.kind = ASK_PLACED};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = wait_for_quota(backfill, err);

    if (outcome != OUTCOME_OK || backfill->is_cancelled)
        return outcome;
    cursor_next(&backfill->cursor, &what.query);
    outcome = ask(&backfill->asker, &what, &answer, &body, err);
    backfill->asker_ready_ms = clock_monotonic_ms() + bigcommerce_scarce_ms(backfill->asker.client);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer == BIGCOMMERCE_TOO_LARGE || answer == BIGCOMMERCE_TROUBLE)
        return narrow(backfill, answer, (struct text){0}, err);
    if (answer != BIGCOMMERCE_OK)
        return OUTCOME_TROUBLE;
    /* The rows must outlive the calls for single orders. */
    bigcommerce_take_body(backfill->asker.client, &backfill->body);
    if (page_slice(backfill->page, body, err) != 0 || !has_ids(backfill->page))
        return narrow(backfill, BIGCOMMERCE_OK, body, err);
    backfill->bad = 0;
    return take_page(backfill, err);
}

/* Asks for the highest id, for the progress alone: where the store does not tell it, no bar is shown. */
static enum outcome find_end(struct backfill *backfill, struct error *err)
{
    struct ask what = {.kind = ASK_PLACED_LAST};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;

    cursor_next(&backfill->cursor, &what.query);
    outcome = ask(&backfill->asker, &what, &answer, &body, err);
    if (outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK &&
        page_slice(backfill->page, body, err) == 0 && backfill->page->count == 1)
        backfill->way.end_id = backfill->page->rows[0].id;
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}

static int tell(enum outcome outcome, const struct backfill *backfill, struct error *err)
{
    if (outcome == OUTCOME_OK || (outcome == OUTCOME_STOPPED && backfill->is_cancelled)) {
        error_clear(err);
        return 0;
    }
    if (outcome == OUTCOME_STOPPED)
        return error_set(err, ERROR_TEMPORARY, "stopped before all orders were read");
    if (err->kind == ERROR_NONE)
        error_set(err, ERROR_TEMPORARY, "no answer that can be used");
    if (outcome == OUTCOME_CLOSED)
        err->kind = ERROR_PERMANENT; /* the token is wrong, or lacks a scope */
    return error_prefix(err, "store %s: ", backfill->store->code);
}

int backfill_read(struct backfill *backfill, struct error *err)
{
    char *what = mem_printf("backfill %s", backfill->store->code);
    struct cursor_query query;
    enum outcome outcome;

    backfill->asker = (struct asker){
        .store = backfill->store->hash,
        .client = bigcommerce_new(backfill->store, &backfill->config->http,
                                  bigcommerce_timeout_ms(backfill->config->poller.lease_s * 1000)),
        .lease = backfill->lease,
        .order_max_bytes = (size_t)backfill->config->kafka.max_record_bytes};
    backfill->page = mem_alloc(sizeof(*backfill->page));
    backfill->begun_ms = clock_monotonic_ms();
    backfill->way = (struct backfill_way){.first_id = backfill->position.first_id,
                                          .end_id = -1,
                                          .begun_id = backfill->position.last_id,
                                          .at_id = backfill->position.last_id};
    cursor_init(&backfill->cursor, -1, PAGE_SIZE);
    cursor_walk(&backfill->cursor, backfill->to_ms, backfill->from_ms, backfill->position.last_id);
    backfill_progress_begin(&backfill->progress, what);
    outcome = find_end(backfill, err);
    while (outcome == OUTCOME_OK && !backfill->is_cancelled &&
           cursor_next(&backfill->cursor, &query)) {
        if (!backfill->is_dry && backfill_check_pause(backfill, err) != 0)
            outcome = OUTCOME_TROUBLE;
        else if (!backfill->is_dry)
            outcome = backfill_wait_for_room(backfill, err);
        if (outcome == OUTCOME_OK && !backfill->is_cancelled)
            outcome = read_page(backfill, err);
        backfill->is_cancelled |= act_is_cancelled();
    }
    backfill_progress_end(&backfill->progress);
    bigcommerce_free(backfill->asker.client);
    buffer_clear(&backfill->body);
    free(backfill->page);
    free(what);
    return tell(outcome, backfill, err);
}
