#include "poll.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"

#include "own.h"

enum {
    QUIET_SAVE_MS = 600000,
    MARKS_SLACK_MS = 60000,
    HISTORY_BASE_MS = 5000,
    HISTORY_CAP_MS = 60000,
    HISTORY_LEAST_MS = 60000, /* where the quota is always scarce, a page is asked for this often */
};

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
        position_copy(&poll->position, position);
    return outcome;
}

/* Saves how far the orders were read and which of them are held: one record, so that the position
 * never passes an order that nobody remembers. */
static enum outcome save_now(struct poll *poll, struct error *err)
{
    struct position *position = mem_alloc(sizeof(*position));
    enum outcome outcome;

    position_copy(position, &poll->position);
    position->cursor_ms = poll->window.cursor.position_ms;
    if (position->history_ms >= 0)
        position->history_id = poll->history.cursor.last_id;
    if (poll->history.cursor.done)
        position->history_ms = -1;
    position->fence = poll->asker.lease->fence;
    held_copy(&position->held, &poll->dealer.held);
    outcome = save_position(poll, position, err);
    if (outcome == OUTCOME_OK)
        poll->dealer.held.changed = 0;
    free(position);
    return outcome;
}

/* What only time moved is saved now and then: after a restart a little more is looked at. */
static enum outcome save_progress(struct poll *poll, struct error *err)
{
    const struct cursor *cursor = &poll->window.cursor;
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

/* Everything up to the store's clock is history, what comes is polled. */
static void begin_history(struct poll *poll, struct position *position)
{
    int64_t clock_ms = bigcommerce_clock_ms(poll->asker.client);

    position->cursor_ms = clock_ms - clock_ms % 1000;
    position->history_ms = position->cursor_ms;
    position->history_id = -1;
    log_info("history begins store=%s start_from=%lld until=%lld", poll->store->hash,
             (long long)position->start_from_ms, (long long)position->history_ms);
}

/* A store's very first time. */
static enum outcome resolve_start(struct poll *poll, struct error *err)
{
    struct position *position = mem_alloc(sizeof(*position));
    int64_t wanted_ms = poll->store->start_from_ms;
    int64_t clock_ms = bigcommerce_clock_ms(poll->asker.client);
    enum outcome outcome;

    position_init(position);
    position->fence = poll->asker.lease->fence;
    if (wanted_ms < 0)
        wanted_ms = clock_ms;
    position->start_from_ms = wanted_ms - wanted_ms % 1000;
    position->cursor_ms = position->start_from_ms;
    log_info("first start store=%s start_from=%lld", poll->store->hash,
             (long long)position->start_from_ms);
    if (position->start_from_ms < clock_ms - clock_ms % 1000)
        begin_history(poll, position);
    outcome = save_position(poll, position, err);
    free(position);
    return outcome;
}

/* Begins, or goes on, behind the last order of the history that was dealt with. */
static void go_on_with_history(struct poll *poll)
{
    const struct position *position = &poll->position;

    lane_reset(&poll->history);
    cursor_walk(&poll->history.cursor, position->history_ms, position->start_from_ms,
                position->history_id);
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
    if (poll->position.cursor_ms < 0) /* saved before there was a history */
        begin_history(poll, &poll->position);
    cursor_init(&poll->window.cursor, poll->position.cursor_ms,
                (int)poll->config->poller.page_size);
    cursor_init(&poll->history.cursor, -1, (int)poll->config->poller.page_size);
    go_on_with_history(poll);
    poll->dealer.start_from_ms = poll->position.start_from_ms;
    held_copy(&poll->dealer.held, &poll->position.held);
    return OUTCOME_OK;
}

/* Where marks may be dropped: no round asks for anything older, nor does the first one after a
 * restart. What the history holds besides is never asked for again. */
static int64_t forget_before(const struct poll *poll)
{
    return poll->position.cursor_ms - poll->config->poller.overlap_s * 1000 - MARKS_SLACK_MS;
}

static enum outcome read_page(struct poll *poll, struct lane *lane,
                              const struct cursor_query *query, struct error *err)
{
    poll->reading.lane = lane;
    poll->reading.forget_ms = forget_before(poll);
    return reading_page(&poll->reading, query, err);
}

/* Everything that was modified since the position, up to now. */
static enum outcome read_window(struct poll *poll, struct error *err)
{
    int64_t upper_ms = bigcommerce_clock_ms(poll->asker.client);
    struct cursor *cursor = &poll->window.cursor;
    enum outcome outcome = OUTCOME_OK;
    struct cursor_query query;

    lane_reset(&poll->window);
    cursor_begin(cursor, upper_ms - poll->config->poller.settle_s * 1000,
                 poll->config->poller.overlap_s * 1000, poll->position.start_from_ms);
    /* Nothing to ask for: no answer would correct a clock that is wrong. */
    if (!cursor_next(cursor, &query))
        outcome = ask_time(poll, err);
    while (outcome == OUTCOME_OK && cursor_next(cursor, &query)) {
        outcome = read_page(poll, &poll->window, &query, err);
        if (outcome == OUTCOME_OK)
            outcome = save_progress(poll, err);
    }
    return outcome;
}

/* How many orders a page of the history may bring now; 0: it has to wait. The polling has
 * precedence: it has half of the places for held orders to itself, and the last quarter of the
 * store's quota. */
static int history_room(const struct poll *poll, int64_t until_ms, int pages)
{
    int64_t now_ms = clock_monotonic_ms();
    int room = poll->dealer.room / 2 - poll->dealer.held.count;

    if (room <= 0 || now_ms < poll->history_due_ms || (pages > 0 && now_ms >= until_ms))
        return 0;
    if (bigcommerce_is_scarce(poll->asker.client) &&
        now_ms - poll->history_walked_ms < HISTORY_LEAST_MS)
        return 0;
    return room;
}

/* What is wrong with the history holds up no new order: it is tried again later. */
static enum outcome postpone_history(struct poll *poll, struct error *err)
{
    const struct retry_policy policy = {0, HISTORY_BASE_MS, HISTORY_CAP_MS};

    if (++poll->history_failures == 1)
        log_warn("history waits store=%s error=\"%s\"", poll->store->hash, err->text);
    poll->history_due_ms =
        clock_monotonic_ms() + retry_delay_ms(&policy, poll->history_failures, retry_chance(), -1);
    go_on_with_history(poll);
    error_clear(err);
    return OUTCOME_OK;
}

/* A piece of the history, until the next round is due. */
static enum outcome read_history(struct poll *poll, int64_t until_ms, struct error *err)
{
    struct cursor *cursor = &poll->history.cursor;
    struct cursor_query query;
    int room;

    for (int pages = 0; poll->position.history_ms >= 0 && cursor_next(cursor, &query) &&
                        (room = history_room(poll, until_ms, pages)) > 0;
         pages++) {
        enum outcome outcome;

        if (query.limit > room)
            query.limit = room;
        poll->history_walked_ms = clock_monotonic_ms();
        outcome = read_page(poll, &poll->history, &query, err);
        if (outcome == OUTCOME_TROUBLE)
            return postpone_history(poll, err);
        if (outcome == OUTCOME_OK && (cursor->last_id > poll->position.history_id || cursor->done))
            outcome = save_now(poll, err);
        if (outcome != OUTCOME_OK)
            return outcome;
        poll->history_failures = 0;
        if (cursor->done)
            log_info("history complete store=%s", poll->store->hash);
    }
    return OUTCOME_OK;
}

enum outcome poll_round(struct poll *poll, int64_t until_ms, struct error *err)
{
    enum outcome outcome = read_window(poll, err);

    if (outcome == OUTCOME_OK)
        outcome = own_calls(&poll->dealer, until_ms, err);
    if (outcome == OUTCOME_OK && poll->dealer.held.changed)
        outcome = save_now(poll, err);
    if (outcome == OUTCOME_OK)
        outcome = read_history(poll, until_ms, err);
    reading_release(&poll->reading);
    return outcome;
}

void poll_clear(struct poll *poll)
{
    dealer_clear(&poll->dealer);
    reading_clear(&poll->reading);
    lane_clear(&poll->window);
    lane_clear(&poll->history);
}
