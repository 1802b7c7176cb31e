#include "bigcommerce/cursor.h"

enum { SECOND_MS = 1000, SHRINK_BY = 4 };

static int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t whole_second(int64_t at_ms) { return at_ms - at_ms % SECOND_MS; }

static void walk_by_id(struct cursor *cursor, int64_t window_ms)
{
    cursor->by_id = 1;
    cursor->probing = 0;
    cursor->last_id = -1;
    cursor->short_count = 0;
    cursor->window_ms = min_of(window_ms, cursor->upper_ms);
}

void cursor_init(struct cursor *cursor, int64_t position_ms, int page_size)
{
    *cursor =
        (struct cursor){.position_ms = position_ms, .limit = page_size, .page_size = page_size};
}

void cursor_begin(struct cursor *cursor, int64_t upper_ms, int64_t overlap_ms, int64_t floor_ms)
{
    cursor->hold_ms = INT64_MAX;
    cursor->seen_ms = -1;
    cursor->upper_ms = whole_second(upper_ms);
    cursor->overlap_ms = max_of(overlap_ms, 2 * SECOND_MS);
    cursor->min_ms = -1;
    if (cursor->position_ms >= 0)
        cursor->min_ms = max_of(0, whole_second(cursor->position_ms) - cursor->overlap_ms);
    if (floor_ms > 0)
        cursor->min_ms = max_of(cursor->min_ms, whole_second(floor_ms) - SECOND_MS);
    cursor->skip = 0;
    cursor->done = cursor->min_ms >= cursor->upper_ms;
    walk_by_id(cursor, cursor->upper_ms);
    cursor->probing = 1;
}

void cursor_walk(struct cursor *cursor, int64_t until_ms, int64_t floor_ms, int64_t last_id)
{
    cursor->hold_ms = INT64_MAX;
    cursor->seen_ms = -1;
    cursor->upper_ms = whole_second(until_ms);
    cursor->overlap_ms = 0;
    cursor->min_ms = floor_ms > 0 ? max_of(0, whole_second(floor_ms) - SECOND_MS) : -1;
    cursor->skip = 0;
    cursor->done = 0;
    walk_by_id(cursor, cursor->upper_ms);
    cursor->last_id = last_id;
}

int cursor_next(const struct cursor *cursor, struct cursor_query *query)
{
    if (cursor->done)
        return 0;
    *query = (struct cursor_query){
        .by_id = cursor->by_id,
        .min_ms = cursor->min_ms,
        .max_ms = cursor->upper_ms,
        .min_id = -1,
        .limit = cursor->limit,
        .page = cursor->skip + 1,
    };
    /* The window counts as read up to window_ms. One second more is asked for, because the store's
     * limit may be exclusive. */
    if (cursor->by_id)
        query->max_ms = min_of(cursor->window_ms + SECOND_MS, cursor->upper_ms);
    if (cursor->by_id && cursor->last_id >= 0)
        query->min_id = cursor->last_id + (cursor->inclusive ? 1 : 0);
    return 1;
}

static void advance_to(struct cursor *cursor, int64_t at_ms)
{
    if (cursor->hold_ms != INT64_MAX)
        at_ms = min_of(at_ms, cursor->hold_ms - SECOND_MS);
    cursor->position_ms = max_of(cursor->position_ms, at_ms);
}

/* Everything modified up to at_ms was dealt with. The position moves there, but not beyond the
 * latest date that this round saw. */
static void advance(struct cursor *cursor, int64_t at_ms)
{
    advance_to(cursor, min_of(min_of(at_ms, cursor->seen_ms), cursor->upper_ms));
}

static void end_round(struct cursor *cursor)
{
    advance(cursor, cursor->upper_ms);
    advance_to(cursor, cursor->upper_ms - cursor->overlap_ms);
    cursor->done = 1;
}

static void end_window(struct cursor *cursor)
{
    advance(cursor, cursor->window_ms);
    cursor->by_id = 0;
    cursor->min_ms = cursor->window_ms;
    if (cursor->min_ms >= cursor->upper_ms)
        end_round(cursor);
}

/* Whether a page with count orders is full, so that more orders are to be expected behind it. */
static int is_full(const struct cursor *cursor, int count)
{
    return count >= cursor->limit || (cursor->cap > 0 && count >= cursor->cap);
}

/* The page before was shorter than asked for, but it was not the last one: its length is what the
 * store gives at most. A longer page shows that this was a wrong conclusion. */
static void learn_cap(struct cursor *cursor, int count)
{
    if (cursor->short_count > 0)
        cursor->cap = cursor->short_count;
    if (count > cursor->cap)
        cursor->cap = 0;
    cursor->short_count = count < cursor->limit ? count : 0;
}

/* Takes in a page of a window that is read by id. Only an empty page is its end: a shorter page
 * than asked for may be all that the store gives at once. */
static int page_by_id(struct cursor *cursor, const struct cursor_row *rows, int count)
{
    int64_t first = INT64_MAX, last = -1, asked_from = cursor->last_id;

    if (count == 0) {
        end_window(cursor);
        return 0;
    }
    for (int i = 0; i < count; i++) {
        first = min_of(first, rows[i].id);
        last = max_of(last, rows[i].id);
    }
    if (last <= asked_from && cursor->inclusive)
        return -1;
    /* The store gave the order whose id was min_id: from now on min_id is the id after the last. */
    if (first <= asked_from)
        cursor->inclusive = 1;
    if (last <= asked_from)
        return 0;
    learn_cap(cursor, count);
    cursor->last_id = last;
    if (cursor->probing && is_full(cursor, count)) {
        cursor->probing = 0;
        cursor->by_id = 0;
    }
    return 0;
}

/* @returns the latest date of the orders, or -1; ascending: whether their dates ascend */
static int64_t last_date(const struct cursor_row *rows, int count, int *ascending)
{
    int64_t last = -1;

    *ascending = 1;
    for (int i = 0; i < count; i++) {
        if (rows[i].modified_ms >= 0 && rows[i].modified_ms < last)
            *ascending = 0;
        last = max_of(last, rows[i].modified_ms);
    }
    return last;
}

static void page_by_date(struct cursor *cursor, const struct cursor_row *rows, int count,
                         int skipped)
{
    int ascending;
    int64_t last = last_date(rows, count, &ascending);

    if (count == 0) {
        end_round(cursor);
    } else if (!ascending || last < 0) {
        walk_by_id(cursor, cursor->upper_ms);
    } else if (skipped) {
        /* Some orders between min_ms and last were stepped over. By date they could be met again and
         * again, so this part is read by id, where each of them is met once more. */
        walk_by_id(cursor, max_of(last, cursor->min_ms + SECOND_MS));
    } else if (!is_full(cursor, count)) {
        walk_by_id(cursor, cursor->upper_ms);
    } else if (last - SECOND_MS > cursor->min_ms) {
        advance(cursor, last);
        cursor->min_ms = last - SECOND_MS;
    } else {
        walk_by_id(cursor, cursor->min_ms + SECOND_MS);
    }
}

int cursor_page(struct cursor *cursor, const struct cursor_row *rows, int count)
{
    int skipped = cursor->skip > 0;
    int answer = 0;

    for (int i = 0; i < count; i++)
        cursor->seen_ms = max_of(cursor->seen_ms, rows[i].modified_ms);
    cursor->skip = 0;
    if (cursor->by_id)
        answer = page_by_id(cursor, rows, count);
    else
        page_by_date(cursor, rows, count, skipped);
    cursor->limit = (int)min_of((int64_t)cursor->limit * SHRINK_BY, cursor->page_size);
    return answer;
}

int cursor_shrink(struct cursor *cursor)
{
    if (cursor->limit <= 1)
        return -1;
    cursor->limit = cursor->limit < SHRINK_BY ? 1 : cursor->limit / SHRINK_BY;
    return 0;
}

void cursor_skip(struct cursor *cursor)
{
    cursor->limit = 1;
    cursor->skip++;
}

void cursor_hold(struct cursor *cursor, int64_t modified_ms)
{
    cursor->hold_ms = min_of(cursor->hold_ms, modified_ms);
}
