#include "round.h"

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
    HISTORY_LEAST_MS = 60000, /* a page of the history is read this often even if quota is scarce */
};

/* The saved position */

/* Saves a position. The lease is renewed right before, so the record's fence is the newest one. A
 * poller that is frozen here may still write its record later, but that has a smaller fence than
 * those of the next owner and does not count. */
static enum outcome save_position(struct round *round, const struct position *position,
                                  struct error *err)
{
    struct buffer value = {0};
    struct output output = {.topic = round->with.topics->cursors,
                            .key = text_of(round->with.store->hash)};
    enum outcome outcome;

    if (lease_renew(round->asker.lease, err) != 1)
        return ask_lost(err);
    position_print(&value, position, clock_now_ms());
    output.value = (struct text){value.data, value.length};
    output.partition_hash = event_hash(0, output.key);
    outcome = batch_produce_one(round->with.batches, &round->asker, &output, err);
    buffer_clear(&value);
    if (outcome == OUTCOME_OK)
        position_copy(&round->position, position);
    return outcome;
}

/* Saves how far the orders were read, and which of them are held. Both go into one record.
 * Otherwise a crash between two records could leave a position beyond an order that is not held. */
static enum outcome save_now(struct round *round, struct error *err)
{
    struct position *position = mem_alloc(sizeof(*position));
    enum outcome outcome;

    position_copy(position, &round->position);
    position->cursor_ms = round->window.cursor.position_ms;
    if (position->history_ms >= 0)
        position->history_id = round->history.cursor.last_id;
    if (round->history.cursor.done)
        position->history_ms = -1;
    position->contacts_ms = round->contacts.position_ms;
    position->fence = round->asker.lease->fence;
    held_copy(&position->held, &round->intake.held);
    outcome = save_position(round, position, err);
    if (outcome == OUTCOME_OK)
        round->intake.held.changed = round->contacts.changed = 0;
    free(position);
    return outcome;
}

/* Saves the position if orders moved it. If only time moved it, it is saved every ten minutes:
 * after a restart the window then is a little longer than necessary. */
static enum outcome save_progress(struct round *round, struct error *err)
{
    const struct cursor *cursor = &round->window.cursor;
    int64_t saved_ms = round->position.cursor_ms;

    if (cursor->position_ms <= saved_ms)
        return OUTCOME_OK;
    if (cursor->seen_ms <= saved_ms && cursor->position_ms - saved_ms < QUIET_SAVE_MS)
        return OUTCOME_OK;
    return save_now(round, err);
}

/* Asks the store for its clock. */
static enum outcome ask_time(struct round *round, struct error *err)
{
    const struct ask what = {.kind = ASK_TIME};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(&round->asker, &what, &answer, &body, err);

    /* A token that lacks the scope for /time is refused, but the refusal has a Date header as well.
     * The request for orders will show whether the token may read orders. */
    if (outcome == OUTCOME_CLOSED && bigcommerce_status(round->asker.client) == 403 &&
        bigcommerce_clock_ms(round->asker.client) >= 0)
        outcome = OUTCOME_OK;
    else if (outcome == OUTCOME_OK && bigcommerce_clock_ms(round->asker.client) < 0)
        outcome = OUTCOME_TROUBLE;
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}

/* Makes everything modified up to now, by the store's clock, the history. The position begins
 * there. */
static void begin_history(struct round *round, struct position *position)
{
    int64_t clock_ms = bigcommerce_clock_ms(round->asker.client);

    position->cursor_ms = clock_ms - clock_ms % 1000;
    position->history_ms = position->cursor_ms;
    position->history_id = -1;
    log_info("history begins store=%s start_from=%lld until=%lld", round->with.store->hash,
             (long long)position->start_from_ms, (long long)position->history_ms);
}

/* Resolves start_from, when a store is polled for the first time. */
static enum outcome resolve_start(struct round *round, struct error *err)
{
    struct position *position = mem_alloc(sizeof(*position));
    int64_t wanted_ms = round->with.store->start_from_ms;
    int64_t clock_ms = bigcommerce_clock_ms(round->asker.client);
    enum outcome outcome;

    position_init(position);
    position->fence = round->asker.lease->fence;
    if (wanted_ms < 0)
        wanted_ms = clock_ms;
    position->start_from_ms = wanted_ms - wanted_ms % 1000;
    position->cursor_ms = position->start_from_ms;
    log_info("first start store=%s start_from=%lld", round->with.store->hash,
             (long long)position->start_from_ms);
    if (position->start_from_ms < clock_ms - clock_ms % 1000)
        begin_history(round, position);
    outcome = save_position(round, position, err);
    free(position);
    return outcome;
}

/* Puts the cursor of the history behind the last order of it that was dealt with. */
static void go_on_with_history(struct round *round)
{
    const struct position *position = &round->position;

    lane_reset(&round->history);
    cursor_walk(&round->history.cursor, position->history_ms, position->start_from_ms,
                position->history_id);
}

enum outcome round_begin(struct round *round, struct positions *positions, int store_index,
                         struct error *err)
{
    struct lease *lease = round->asker.lease;
    enum outcome outcome;

    if (positions_read(positions, store_index, lease->renewed_ms, &round->position, err) != 0)
        return OUTCOME_TROUBLE;
    /* The new fence is made from Redis' clock, and that is behind. It must be greater than the
     * saved one, or our records would not count. */
    if (round->position.fence >= lease->fence) {
        log_warn("fence raised store=%s saved=%lld", round->with.store->hash,
                 (long long)round->position.fence);
        if (lease_raise(lease, round->position.fence, err) != 1)
            return ask_lost(err);
    }
    outcome = ask_time(round, err);
    if (outcome == OUTCOME_OK && round->position.fence == 0)
        outcome = resolve_start(round, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (round->position.cursor_ms < 0) /* an older version saved it without a history */
        begin_history(round, &round->position);
    cursor_init(&round->window.cursor, round->position.cursor_ms,
                (int)round->with.config->poller.page_size);
    cursor_init(&round->history.cursor, -1, (int)round->with.config->poller.page_size);
    go_on_with_history(round);
    sweep_restart(&round->sweep);
    contacts_restart(&round->contacts, round->position.contacts_ms, round->position.start_from_ms);
    round->intake.start_from_ms = round->position.start_from_ms;
    held_copy(&round->intake.held, &round->position.held);
    return OUTCOME_OK;
}

/* Marks of orders that were modified before this instant can be dropped. No round asks for such an
 * order again, also not after a restart. Orders of the history are older, but read only once. */
static int64_t forget_before(const struct round *round)
{
    return round->position.cursor_ms - round->with.config->poller.overlap_s * 1000 - MARKS_SLACK_MS;
}

static enum outcome read_page(struct round *round, struct lane *lane,
                              const struct cursor_query *query, struct error *err)
{
    round->reading.lane = lane;
    round->reading.forget_ms = forget_before(round);
    return reading_page(&round->reading, query, err);
}

/* Reads everything that was modified since the position. */
static enum outcome read_window(struct round *round, struct error *err)
{
    int64_t upper_ms = bigcommerce_clock_ms(round->asker.client);
    struct cursor *cursor = &round->window.cursor;
    enum outcome outcome = OUTCOME_OK;
    struct cursor_query query;

    lane_reset(&round->window);
    cursor_begin(cursor, upper_ms - round->with.config->poller.settle_s * 1000,
                 round->with.config->poller.overlap_s * 1000, round->position.start_from_ms);
    /* The window is empty, so no request would be sent. If that is because the store's clock is
     * known wrongly, only an answer can correct it. So the store is asked for its clock. */
    if (!cursor_next(cursor, &query))
        outcome = ask_time(round, err);
    while (outcome == OUTCOME_OK && cursor_next(cursor, &query)) {
        outcome = read_page(round, &round->window, &query, err);
        if (outcome == OUTCOME_OK)
            outcome = save_progress(round, err);
    }
    return outcome;
}

/* How many orders a page of the history may bring now; 0: the history has to wait. New orders go
 * first, so the history leaves half of the places for held orders, and the last quarter of the
 * store's quota, to them. */
static int history_room(const struct round *round, int64_t until_ms, int pages)
{
    int64_t now_ms = clock_monotonic_ms();
    int room = round->intake.room / 2 - round->intake.held.count;

    if (room <= 0 || now_ms < round->history_due_ms || (pages > 0 && now_ms >= until_ms))
        return 0;
    if (bigcommerce_is_scarce(round->asker.client) &&
        now_ms - round->history_walked_ms < HISTORY_LEAST_MS)
        return 0;
    return room;
}

/* Puts the history off after a failure. The round goes on, so that no new order waits. */
static enum outcome postpone_history(struct round *round, struct error *err)
{
    const struct retry_policy policy = {0, HISTORY_BASE_MS, HISTORY_CAP_MS};

    if (++round->history_failures == 1)
        log_warn("history waits store=%s error=\"%s\"", round->with.store->hash, err->text);
    round->history_due_ms =
        clock_monotonic_ms() + retry_delay_ms(&policy, round->history_failures, retry_chance(), -1);
    go_on_with_history(round);
    error_clear(err);
    return OUTCOME_OK;
}

/* Reads a piece of the history, until the next round is due. */
static enum outcome read_history(struct round *round, int64_t until_ms, struct error *err)
{
    struct cursor *cursor = &round->history.cursor;
    struct cursor_query query;
    int room;

    for (int pages = 0; round->position.history_ms >= 0 && cursor_next(cursor, &query) &&
                        (room = history_room(round, until_ms, pages)) > 0;
         pages++) {
        enum outcome outcome;

        if (query.limit > room)
            query.limit = room;
        round->history_walked_ms = clock_monotonic_ms();
        outcome = read_page(round, &round->history, &query, err);
        if (outcome == OUTCOME_TROUBLE)
            return postpone_history(round, err);
        if (outcome == OUTCOME_OK && (cursor->last_id > round->position.history_id || cursor->done))
            outcome = save_now(round, err);
        if (outcome != OUTCOME_OK)
            return outcome;
        round->history_failures = 0;
        if (cursor->done)
            log_info("history complete store=%s", round->with.store->hash);
    }
    return OUTCOME_OK;
}

/* Reads the customers, and saves how far, as save_progress() does for orders. */
static enum outcome read_contacts(struct round *round, int64_t until_ms, struct error *err)
{
    enum outcome outcome = contacts_run(&round->contacts, until_ms, err);
    int64_t moved_ms = round->contacts.position_ms - round->position.contacts_ms;

    if (outcome == OUTCOME_OK && moved_ms > 0 &&
        (round->contacts.changed > 0 || moved_ms >= QUIET_SAVE_MS))
        outcome = save_now(round, err);
    return outcome;
}

enum outcome round_run(struct round *round, int64_t until_ms, struct error *err)
{
    enum outcome outcome = read_window(round, err);

    if (outcome == OUTCOME_OK)
        outcome = own_calls(&round->intake, until_ms, err);
    if (outcome == OUTCOME_OK && round->intake.held.changed)
        outcome = save_now(round, err);
    if (outcome == OUTCOME_OK)
        outcome = read_history(round, until_ms, err);
    if (outcome == OUTCOME_OK)
        outcome = read_contacts(round, until_ms, err);
    if (outcome == OUTCOME_OK)
        outcome = sweep_run(&round->sweep, until_ms, err);
    reading_release(&round->reading);
    return outcome;
}

void round_clear(struct round *round)
{
    contacts_clear(&round->contacts);
    sweep_clear(&round->sweep);
    intake_clear(&round->intake);
    reading_clear(&round->reading);
    lane_clear(&round->window);
    lane_clear(&round->history);
}
