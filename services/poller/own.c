#include "own.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bigcommerce/complete.h"
#include "net/health.h"

enum { ORDERS_MAX = 100 }; /* held orders that are asked for in one round */

/* Finds the bytes of an order as a list shows them, for its record in `dead`. They lie in body.
 * @param bytes  out; unchanged when no list shows the order */
static enum outcome find_listed(struct intake *intake, const struct held_order *order,
                                enum ask_kind kind, struct buffer *body, struct text *bytes,
                                struct error *err)
{
    /* min_id may be inclusive or not. In both cases the order is one of the first two. */
    const struct ask what = {.kind = kind,
                             .query = {.by_id = 1,
                                       .min_ms = -1,
                                       .max_ms = bigcommerce_clock_ms(intake->with->asker->client),
                                       .min_id = order->id - 1,
                                       .limit = 2,
                                       .page = 1}};
    struct page *page = mem_alloc(sizeof(*page));
    struct error ignored = {0};
    enum bigcommerce_answer answer;
    struct text answered;
    enum outcome outcome = ask(intake->with->asker, &what, &answer, &answered, &ignored);

    if (outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK) {
        bigcommerce_take_body(intake->with->asker->client, body);
        if (page_slice(page, answered, &ignored) == 0)
            for (int i = 0; i < page->count; i++)
                if (page->rows[i].id == order->id)
                    *bytes = page->rows[i].bytes;
    }
    free(page);
    if (outcome == OUTCOME_LOST || outcome == OUTCOME_STOPPED) {
        *err = ignored;
        return outcome;
    }
    return OUTCOME_OK;
}

/* Publishes the order as dead. Its record holds the order's bytes, if the store shows them in any
 * way, else only its id. */
static enum outcome bury(struct intake *intake, const struct held_order *order,
                         struct own_order *own, enum reason reason, struct error *err)
{
    struct buffer body = {0}, stub = {0};
    struct page_row row = own->row;
    const struct error why = *err;
    enum outcome outcome = OUTCOME_OK;
    int status = bigcommerce_status(intake->with->asker->client);

    error_clear(err);
    row.id = order->id;
    row.modified_ms = order->modified_ms;
    if (row.bytes.length == 0 && reason != REASON_TOO_LARGE)
        outcome = find_listed(intake, order, ASK_ORDERS, &body, &row.bytes, err);
    if (outcome == OUTCOME_OK && row.bytes.length == 0 && reason != REASON_TOO_LARGE)
        outcome = find_listed(intake, order, ASK_ORDERS_SLIM, &body, &row.bytes, err);
    if (outcome == OUTCOME_OK && row.bytes.length == 0) {
        buffer_printf(&stub, "{\"id\":%lld}", (long long)order->id);
        row.bytes = (struct text){stub.data, stub.length};
    }
    if (outcome == OUTCOME_OK)
        outcome = intake_take_single(intake,
                                     &(struct single_order){.row = &row,
                                                            .reason = reason,
                                                            .detail = why.text,
                                                            .came_bytes = own->came_bytes,
                                                            .status = status},
                                     order->digest, err);
    buffer_clear(&body);
    buffer_clear(&stub);
    return outcome;
}

/* No usable answer came. The order is asked for again later, by the schedule of the settings, or it
 * is given up. */
static enum outcome postpone(struct intake *intake, struct held_order *order, struct own_order *own,
                             struct error *err)
{
    const struct config *config = intake->with->config;

    if (held_fail(&intake->held, order, config->pusher.retry_delays_s, config->pusher.max_attempts,
                  clock_now_ms()))
        return bury(intake, order, own, REASON_GAVE_UP, err);
    log_warn("retried attempt=%d error=\"%s\"", order->failures, err->text);
    error_clear(err);
    return OUTCOME_OK;
}

static enum outcome publish(struct intake *intake, const struct held_order *order,
                            const struct own_order *own, struct error *err)
{
    const struct single_order single = {.row = &own->row,
                                        .whole = {own->completed.data, own->completed.length}};

    return intake_take_single(intake, &single, order->digest, err);
}

/* Acts on what the requests led to.
 * @param done  out: 1 when the order is to be held no longer */
static enum outcome settle(struct intake *intake, struct held_order *order, struct own_order *own,
                           int *done, struct error *err)
{
    struct page_row gone = {.id = order->id, .modified_ms = order->modified_ms};
    int failures = order->failures;
    enum outcome outcome;

    *done = 1;
    switch (own->completion) {
    case COMPLETION_DONE:
        return publish(intake, order, own, err);
    case COMPLETION_GONE:
        error_clear(err);
        return intake_take_single(
            intake,
            &(struct single_order){.row = &gone,
                                   .reason = REASON_ARCHIVED,
                                   .detail = "the store does not have it any more"},
            order->digest, err);
    case COMPLETION_REFUSED:
        return bury(intake, order, own, REASON_REFUSED, err);
    case COMPLETION_TOO_LARGE:
        return bury(intake, order, own, REASON_TOO_LARGE, err);
    default:
        outcome = postpone(intake, order, own, err);
        *done = failures + 1 >= intake->with->config->pusher.max_attempts;
        return outcome;
    }
}

/* Asks for one held order.
 * @param slow  out: 1 when its requests took all the time that they were given */
static enum outcome try_one(struct intake *intake, struct held_order *order, int64_t allowance_ms,
                            int *slow, struct error *err)
{
    struct asker *asker = intake->with->asker;
    struct own_order own = {0};
    struct order_label label;
    int64_t id = order->id, begun_ms = clock_monotonic_ms();
    int done = 0, known = 0;
    enum outcome outcome;

    intake_label(&label, intake->with->store->hash, id, order->modified_ms, order->digest);
    log_set_about(&label.about);
    bigcommerce_limit_ms(asker->client, allowance_ms);
    outcome = complete_order(asker, id, &own, err);
    if (outcome == OUTCOME_OK && own.completion == COMPLETION_DONE)
        outcome = intake_is_known(intake, &own.row, &known, err);
    if (outcome == OUTCOME_OK && own.completion == COMPLETION_DONE && !known)
        outcome = complete_parts(asker, &own, err);
    *slow = clock_monotonic_ms() - begun_ms >= allowance_ms;
    if (outcome == OUTCOME_OK && known)
        done = 1;
    else if (outcome == OUTCOME_OK)
        outcome = settle(intake, order, &own, &done, err);
    if (outcome == OUTCOME_OK && done)
        held_remove(&intake->held, id);
    bigcommerce_limit_ms(asker->client, 0);
    complete_clear(&own);
    log_set_about(NULL);
    return outcome;
}

enum outcome own_calls(struct intake *intake, int64_t until_ms, struct error *err)
{
    const int64_t *delays_s = intake->with->config->pusher.retry_delays_s;
    int64_t least_ms = clock_monotonic_ms() + intake->with->store->poll_interval_s * 1000 / 4;
    int64_t longest_ms = 0;
    int hung = 0;
    enum outcome outcome = OUTCOME_OK;

    /* After a rush, reading the window takes longer than the interval, and the next round is due
     * already. One order a round would take hours then. */
    if (until_ms < least_ms)
        until_ms = least_ms;
    for (int i = 0; i < 3; i++)
        if (delays_s[i] * 1000 > longest_ms)
            longest_ms = delays_s[i] * 1000;
    for (int i = 0; i < ORDERS_MAX && outcome == OUTCOME_OK; i++) {
        struct held_order *order = held_next(&intake->held, clock_now_ms(), longest_ms);
        int64_t allowance_ms, now_ms = clock_monotonic_ms();
        int slow;

        if (order == NULL)
            break;
        allowance_ms = held_allowance_ms(
            order, delays_s, intake->with->store->poll_interval_s * 1000, intake->timeout_ms);
        /* Once a request took all its time, the next one may do so too. It is then sent only if
         * there is that much time. */
        if (i > 0 && (now_ms + (hung ? allowance_ms : 0) >= until_ms ||
                      bigcommerce_is_scarce(intake->with->asker->client)))
            break;
        outcome = try_one(intake, order, allowance_ms, &slow, err);
        hung |= slow;
    }
    metric_set(intake->waiting, intake->held.count);
    return outcome;
}
