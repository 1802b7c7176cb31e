/* round.h - one round of one store. It reads what is new, then it makes the requests that held
 * orders need for themselves, then it reads a piece of the history.
 *
 * A store is read on two lanes. The window is everything that was modified since the position. The
 * history exists after a first start from the past: it is everything that was modified before that
 * start. It is read once, by id, a piece in each round. As this comes last in a round, no new order
 * waits for an old one. */
#ifndef POLLER_ROUND_H
#define POLLER_ROUND_H

#include "contacts.h"
#include "intake.h"
#include "poll_context.h"
#include "position.h"
#include "reading.h"
#include "sweep.h"

/* What the rounds of one store need. Belongs to one thread. With some 200 KB it is too large for
 * the stack. */
struct round {
    struct poll_context with; /* its asker is the one below */
    struct asker asker;
    struct intake intake;
    struct reading reading;
    struct lane window;
    struct lane history;
    struct contacts contacts;
    struct sweep sweep;
    int history_failures;      /* failures in a row */
    int64_t history_due_ms;    /* monotonic: the history is not read before this time */
    int64_t history_walked_ms; /* monotonic: when its last page was asked for */
    struct position position;  /* as it was saved last */
};

/**
 * @brief Finds out where to go on, right after the lease was taken. This is the saved position.
 * When a store is polled for the first time, start_from is resolved to a whole second of the
 * store's clock, and saved.
 * @returns OUTCOME_OK, or why there can be no round now
 */
enum outcome round_begin(struct round *round, struct positions *positions, int store_index,
                         struct error *err);

/**
 * @brief Runs one round.
 * @param until_ms  monotonic: when the next round is due
 * @returns OUTCOME_OK when everything modified since the position was read, even if the history
 * could not be read; or what ended the round
 */
enum outcome round_run(struct round *round, int64_t until_ms, struct error *err);

void round_clear(struct round *round);

#endif
