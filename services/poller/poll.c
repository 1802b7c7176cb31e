#include "poll.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "health.h"
#include "log.h"

#include "own.h"
#include "scan.h"

enum { TRIES = 3, KEPT_BYTES = 1 << 20, QUIET_SAVE_MS = 600000, MARKS_SLACK_MS = 60000 };

/* The saved position */

/* Renewed right before the record is produced; what a frozen owner still writes has an older fence.
 */
static enum outcome save_position(struct poll *poll, const struct position *position,
                                  struct error *err)
{
    struct buffer value = {0};
    struct output output = {.topic = poll->topics->cursors, .key = text_of(poll->store->hash)};
    enum outcome outcome;

    if (lease_renew(poll->asker.lease, err) != 1)
        return ask_lost(err);
    position_print(&value, position, clock_now_ms());
    output.value = (struct text){value.data, value.length};
    output.partition_hash = event_hash(0, output.key);
    outcome = deal_record(&poll->dealer, &output, err);
    buffer_clear(&value);
    if (outcome == OUTCOME_OK)
        poll->position = *position;
    return outcome;
}

/* Saves how far the orders were read and which of them are held: one record, so that the position
 * never passes an order that nobody remembers. */
static enum outcome save_now(struct poll *poll, struct error *err)
{
    struct position *position = mem_alloc(sizeof(*position));
    enum outcome outcome;

    *position = poll->position;
    position->cursor_ms = poll->cursor.position_ms;
    position->fence = poll->asker.lease->fence;
    position->held = poll->dealer.held;
    outcome = save_position(poll, position, err);
    if (outcome == OUTCOME_OK)
        poll->dealer.held.changed = 0;
    free(position);
    return outcome;
}

/* What only time moved is saved now and then: after a restart a little more is looked at. */
static enum outcome save_progress(struct poll *poll, struct error *err)
{
    const struct cursor *cursor = &poll->cursor;
    int64_t saved_ms = poll->position.cursor_ms;

    if (cursor->position_ms <= saved_ms)
        return OUTCOME_OK;
    if (cursor->seen_ms <= saved_ms && cursor->position_ms - saved_ms < QUIET_SAVE_MS)
        return OUTCOME_OK;
    return save_now(poll, err);
}

/* Makes the store's clock known. */
static enum outcome ask_time(struct poll *poll, struct error *err)
{
    const struct ask what = {.kind = ASK_TIME};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(&poll->asker, &what, &answer, &body, err);

    /* A token without the scope for /time still shows the clock in its refusal; whether it may see
     * orders is seen there. */
    if (outcome == OUTCOME_CLOSED && bigcommerce_status(poll->asker.client) == 403 &&
        bigcommerce_clock_ms(poll->asker.client) >= 0)
        outcome = OUTCOME_OK;
    else if (outcome == OUTCOME_OK && bigcommerce_clock_ms(poll->asker.client) < 0)
        outcome = OUTCOME_TROUBLE;
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}

/* A store's very first time. */
static enum outcome resolve_start(struct poll *poll, struct error *err)
{
    struct position *position = mem_alloc(sizeof(*position));
    enum outcome outcome;
    int64_t wanted_ms = poll->store->start_from_ms;

    position->cursor_ms = -1;
    position->fence = poll->asker.lease->fence;
    if (wanted_ms != 0) {
        if (wanted_ms < 0)
            wanted_ms = bigcommerce_clock_ms(poll->asker.client);
        position->start_from_ms = wanted_ms - wanted_ms % 1000;
        position->cursor_ms = position->start_from_ms;
    }
    log_info("first start store=%s start_from=%lld", poll->store->hash,
             (long long)position->start_from_ms);
    outcome = save_position(poll, position, err);
    free(position);
    return outcome;
}

enum outcome poll_begin(struct poll *poll, struct positions *positions, int store_index,
                        struct error *err)
{
    struct lease *lease = poll->asker.lease;
    enum outcome outcome;

    if (positions_read(positions, store_index, lease->renewed_ms, &poll->position, err) != 0)
        return OUTCOME_TROUBLE;
    /* The saved fence is ahead of Redis' clock: the next one has to be greater all the same. */
    if (poll->position.fence >= lease->fence) {
        log_warn("fence raised store=%s saved=%lld", poll->store->hash,
                 (long long)poll->position.fence);
        if (lease_raise(lease, poll->position.fence, err) != 1)
            return ask_lost(err);
    }
    outcome = ask_time(poll, err);
    if (outcome == OUTCOME_OK && poll->position.fence == 0)
        outcome = resolve_start(poll, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    cursor_init(&poll->cursor, poll->position.cursor_ms, (int)poll->config->poller.page_size);
    poll->dealer.start_from_ms = poll->position.start_from_ms;
    poll->dealer.held = poll->position.held;
    return OUTCOME_OK;
}

/* Orders of an answer */

/* Where marks may be dropped: no round asks for anything older, nor does the first one after a
 * restart. */
static int64_t forget_before(const struct poll *poll)
{
    int64_t overlap_ms = poll->config->poller.overlap_s * 1000;

    return poll->position.cursor_ms < 0 ? 0
                                        : poll->position.cursor_ms - overlap_ms - MARKS_SLACK_MS;
}

/* Publishes rows, or buries them, and marks them. */
static enum outcome deal_rows(struct poll *poll, struct deal *deal, struct error *err)
{
    deal->from_ms = poll->cursor.min_ms;
    deal->to_ms = poll->cursor.upper_ms;
    deal->forget_ms = forget_before(poll);
    return deal_orders(&poll->dealer, deal, err);
}

static enum outcome move_over(struct poll *poll, const struct cursor_row *rows, int count,
                              struct error *err)
{
    if (cursor_page(&poll->cursor, rows, count) == 0)
        return OUTCOME_OK;
    error_set(err, ERROR_TEMPORARY, "the store answers the same page again and again");
    return OUTCOME_TROUBLE;
}

/* Deals with rows, then moves the cursor over them. */
static enum outcome deal_with(struct poll *poll, struct deal *deal, struct error *err)
{
    struct cursor_row rows[PAGE_ROWS_MAX];
    enum outcome outcome = deal_rows(poll, deal, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    for (int i = 0; i < deal->count; i++) {
        rows[i] = (struct cursor_row){deal->rows[i].id, deal->rows[i].modified_ms};
        if (deal->left[i])
            cursor_hold(&poll->cursor, deal->rows[i].modified_ms);
    }
    outcome = move_over(poll, rows, deal->count, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    poll->failures = 0;
    return save_progress(poll, err);
}

/* Orders that cannot be read */

static void forget_bads(struct poll *poll)
{
    for (int i = 0; i < poll->bad_count; i++)
        free(poll->bads[i].data);
    free(poll->bads);
    poll->bads = NULL;
    poll->bad_count = 0;
    poll->bad_bytes = 0;
}

static void remember_buried(struct poll *poll, struct text bytes)
{
    seen_mark_init(&poll->buried[poll->buried_next], 0, 0, bytes);
    poll->buried_next = (poll->buried_next + 1) % BURIED_MAX;
}

static int is_buried(const struct poll *poll, struct text bytes)
{
    struct seen_mark mark = {0};

    seen_mark_init(&mark, 0, 0, bytes);
    for (int i = 0; i < BURIED_MAX; i++)
        if (strcmp(poll->buried[i].member, mark.member) == 0)
            return 1;
    return 0;
}

/* The orders that were stepped over are dead: the store shows the one behind them. */
static enum outcome bury_bads(struct poll *poll, struct error *err)
{
    for (int i = 0; i < poll->bad_count; i++) {
        const struct bad *bad = &poll->bads[i];
        struct page_row row = {.bytes = {bad->data, bad->length}, .id = bad->id, .modified_ms = -1};
        struct deal deal = {.rows = &row,
                            .count = 1,
                            .reason = REASON_MALFORMED,
                            .detail = "not readable as JSON, even alone"};
        enum outcome outcome = deal_rows(poll, &deal, err);

        if (outcome != OUTCOME_OK)
            return outcome;
        remember_buried(poll, row.bytes);
    }
    forget_bads(poll);
    return OUTCOME_OK;
}

/* Steps over the order whose bytes these are. */
static enum outcome step_over(struct poll *poll, struct text bytes, struct error *err)
{
    if (poll->bad_count == BADS_MAX || poll->bad_bytes + bytes.length > BADS_MAX_BYTES) {
        error_set(err, ERROR_TEMPORARY, "%d orders in a row cannot be read", poll->bad_count + 1);
        return OUTCOME_TROUBLE;
    }
    poll->bads = mem_realloc(poll->bads, ((size_t)poll->bad_count + 1) * sizeof(*poll->bads));
    poll->bads[poll->bad_count++] = (struct bad){.data = mem_strndup(bytes.data, bytes.length),
                                                 .length = bytes.length,
                                                 .id = scan_id(bytes)};
    poll->bad_bytes += bytes.length;
    error_clear(err);
    cursor_skip(&poll->cursor);
    return OUTCOME_OK;
}

/* One order, dead or not, in place of the page that could not be read. */
static enum outcome deal_with_one(struct poll *poll, const struct page_row *row, enum reason reason,
                                  const char *detail, struct error *err)
{
    struct deal deal = {.rows = row, .count = 1, .reason = reason, .detail = detail};
    enum outcome outcome;

    error_clear(err);
    outcome = bury_bads(poll, err);
    return outcome == OUTCOME_OK ? deal_with(poll, &deal, err) : outcome;
}

/* An order that no list call brings, but whose id and date are known: its own call will. */
static enum outcome hold_one(struct poll *poll, const struct page_row *slim, struct error *err)
{
    const struct cursor_row row = {slim->id, slim->modified_ms};

    if (held_add(&poll->dealer.held, poll->dealer.room, slim->id, slim->modified_ms, "",
                 clock_now_ms()) != 0)
        cursor_hold(&poll->cursor, slim->modified_ms);
    return move_over(poll, &row, 1, err);
}

/* One order that cannot be read, after some tries. poll->tried: what came for it, or empty. err
 * says why. */
static enum outcome examine_bad(struct poll *poll, const struct cursor_query *query,
                                struct error *err)
{
    const struct ask what = {.kind = ASK_ORDERS_SLIM, .query = *query};
    const struct error why = *err;
    struct text bytes = page_strip_brackets((struct text){poll->tried.data, poll->tried.length});
    struct page_row *row = &poll->page.rows[0];
    struct error ignored = {0};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;

    error_clear(err);
    outcome = ask(&poll->asker, &what, &answer, &body, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    bigcommerce_take_body(poll->asker.client, &poll->body);
    if (answer == BIGCOMMERCE_OK && page_slice(&poll->page, body, &ignored) == 0) {
        if (poll->page.count == 0) /* it is gone */
            return deal_with(poll, &(struct deal){.rows = poll->page.rows}, err);
        if (poll->page.count == 1 && row->fault == NULL && poll->tried.length == 0)
            return hold_one(poll, row, err);
        if (poll->page.count == 1 && row->fault == NULL) {
            row->bytes = bytes;
            remember_buried(poll, bytes);
            return deal_with_one(poll, row, REASON_MALFORMED, why.text, err);
        }
    }
    if (poll->tried.length > 0)
        return step_over(poll, bytes, err);
    /* Nothing that is about this order: the store itself is in trouble. */
    error_clear(err);
    *err = why;
    return OUTCOME_TROUBLE;
}

/* Only an answer that is a whole list can speak against the order in it; a proxy's page or half an
 * answer cannot. */
static int is_whole_list(struct text body)
{
    return page_strip_brackets(body).length < body.length;
}

/* The page cannot be read: fewer orders, at last one alone. err says why. */
static enum outcome ask_for_fewer(struct poll *poll, const struct cursor_query *query,
                                  struct text body, struct error *err)
{
    int whole = is_whole_list(body);
    int same = whole && body.length == poll->tried.length &&
               memcmp(body.data, poll->tried.data, body.length) == 0;

    log_debug("page not readable store=%s limit=%d error=\"%s\"", poll->store->hash, query->limit,
              err->text);
    if (cursor_shrink(&poll->cursor) == 0) {
        error_clear(err);
        return whole ? OUTCOME_OK : ask_wait_before_retry(&poll->asker, 1, err);
    }
    if (whole && is_buried(poll, page_strip_brackets(body))) {
        error_clear(err);
        cursor_skip(&poll->cursor);
        return OUTCOME_OK;
    }
    buffer_reset(&poll->tried);
    if (whole)
        buffer_append(&poll->tried, body.data, body.length);
    if (!same && ++poll->failures < TRIES) {
        error_clear(err);
        return ask_wait_before_retry(&poll->asker, poll->failures, err);
    }
    poll->failures = 0;
    if (body.length > 0 && !same)
        return OUTCOME_TROUBLE;
    return examine_bad(poll, query, err);
}

/* An order without an id cannot be told from the others: the page counts as unreadable. */
static int has_ids(const struct page *page, struct error *err)
{
    for (int i = 0; i < page->count; i++)
        if (page->rows[i].id < 0) {
            error_set(err, ERROR_PERMANENT, "%s", page->rows[i].fault);
            return 0;
        }
    return 1;
}

static enum outcome poll_page(struct poll *poll, const struct cursor_query *query,
                              struct error *err)
{
    const struct ask what = {.kind = ASK_ORDERS, .query = *query};
    struct deal deal = {.rows = poll->page.rows};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(&poll->asker, &what, &answer, &body, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer == BIGCOMMERCE_REFUSED || answer == BIGCOMMERCE_GONE)
        return OUTCOME_TROUBLE;
    if (answer != BIGCOMMERCE_OK)
        return ask_for_fewer(poll, query, (struct text){NULL, 0}, err);
    /* The orders of the page lie in its bytes, while calls of their own bring further answers. */
    bigcommerce_take_body(poll->asker.client, &poll->body);
    if (page_slice(&poll->page, body, err) != 0 || !has_ids(&poll->page, err))
        return ask_for_fewer(poll, query, body, err);
    if (poll->page.count > query->limit) {
        error_set(err, ERROR_TEMPORARY, "the store sent %d orders where %d were asked for",
                  poll->page.count, query->limit);
        return OUTCOME_TROUBLE;
    }
    outcome = bury_bads(poll, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    buffer_reset(&poll->tried);
    deal.count = poll->page.count;
    return deal_with(poll, &deal, err);
}

static void release_large(struct buffer *buffer)
{
    if (buffer->capacity > KEPT_BYTES)
        buffer_clear(buffer);
}

/* Everything that was modified since the position, up to now. */
static enum outcome poll_window(struct poll *poll, struct error *err)
{
    int64_t upper_ms = bigcommerce_clock_ms(poll->asker.client);
    enum outcome outcome = OUTCOME_OK;
    struct cursor_query query;

    forget_bads(poll);
    buffer_reset(&poll->tried);
    poll->failures = 0;
    cursor_begin(&poll->cursor, upper_ms - poll->config->poller.settle_s * 1000,
                 poll->config->poller.overlap_s * 1000, poll->position.start_from_ms);
    /* Nothing to ask for: no answer would correct a clock that is wrong. */
    if (!cursor_next(&poll->cursor, &query))
        outcome = ask_time(poll, err);
    while (outcome == OUTCOME_OK && cursor_next(&poll->cursor, &query))
        outcome = poll_page(poll, &query, err);
    return outcome;
}

enum outcome poll_round(struct poll *poll, int64_t until_ms, struct error *err)
{
    enum outcome outcome = poll_window(poll, err);

    if (outcome == OUTCOME_OK)
        outcome = own_calls(&poll->dealer, until_ms, err);
    if (outcome == OUTCOME_OK && poll->dealer.held.changed)
        outcome = save_now(poll, err);
    /* Both of the client's buffers pass through here, one in each round. */
    release_large(&poll->body);
    bigcommerce_take_body(poll->asker.client, &poll->body);
    release_large(&poll->body);
    release_large(&poll->tried);
    return outcome;
}

void poll_clear(struct poll *poll)
{
    dealer_clear(&poll->dealer);
    buffer_clear(&poll->body);
    buffer_clear(&poll->tried);
    forget_bads(poll);
}
