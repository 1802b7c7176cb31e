/* round.h - one round of one store: first what is new, then the calls that held orders need for
 * themselves, then a piece of the history.
 *
 * A store is read on two lanes. The window: everything modified since the position. The history,
 * after a first start from the past: everything modified before it, walked once by id, one piece in
 * each round behind the window, so no new order waits for an old one. */
#ifndef POLLER_ROUND_H
#define POLLER_ROUND_H

#include "ask.h"
#include "batch.h"
#include "intake.h"
#include "position.h"
#include "reading.h"

/* One store under its lease. Belongs to one thread; some 200 KB, so not for the stack. */
struct round {
    const struct config *config; /* borrowed, as are the next three */
    const struct config_store *store;
    const struct topics *topics;
    struct batches *batches;
    struct asker asker;
    struct intake intake;
    struct reading reading;
    struct lane window;
    struct lane history;
    int history_failures;      /* in a row */
    int64_t history_due_ms;    /* monotonic: not walked before */
    int64_t history_walked_ms; /* monotonic: last page */
    struct position position;  /* as saved */
};

/**
 * @brief Finds out where to go on, right after the lease was taken: the saved position; at a
 * store's very first time start_from is resolved to a whole second of the store's clock and saved.
 */
enum outcome round_begin(struct round *round, struct positions *positions, int store_index,
                         struct error *err);

/**
 * @brief One round.
 * @param until_ms  monotonic: when the next round is due
 * @returns OUTCOME_OK when everything modified since the position was read; trouble with the
 * history is none of the round
 */
enum outcome round_run(struct round *round, int64_t until_ms, struct error *err);

void round_clear(struct round *round);

#endif
