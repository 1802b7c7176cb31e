/* contacts.h - reads the customers of a store that were modified, and publishes those of which
 * something changed that is synced.
 *
 * Each round reads a closed window of date_modified, from the position less an overlap to the
 * store's clock less the settling time, by the store's cursor, whose order is that of the ids. A
 * customer that is modified meanwhile leaves the window and moves no other; the next round shows
 * it. When the window is read to its end, the position moves there. How far a window was read lives
 * in memory alone: a poller that takes the store over reads it anew, and what was published already
 * is recognised by its mark.
 *
 * Orders go first: this comes after them in a round, and what goes wrong with customers does not
 * end the round. */
#ifndef POLLER_CONTACTS_H
#define POLLER_CONTACTS_H

#include <stdint.h>

#include "changed.h"
#include "groups.h"
#include "pace.h"
#include "poll_context.h"

enum { CONTACTS_PAGE_MAX = 100 }; /* customers in one answer; each may have ten addresses */

/* Embedded. */
struct contacts {
    const struct poll_context *with; /* borrowed */
    struct changed_lane
        lane; /* its start_from_ms: what was modified before is not read; 0: no limit */
    struct pace pace;
    struct groups groups;
    int64_t position_ms;      /* all that was modified up to here was published */
    int64_t min_ms, upper_ms; /* the window that is read; upper_ms -1: none is under way */
    struct buffer after;      /* the store's cursor in the window; "": its beginning */
    int changed;              /* customers that were published since the position was saved */
    struct metric *last_poll;
};

/** @brief with is kept. */
void contacts_init(struct contacts *contacts, const struct poll_context *with);
void contacts_clear(struct contacts *contacts);

/** @brief The lease was taken: goes on from a position. -1: nothing was read yet. */
void contacts_restart(struct contacts *contacts, int64_t position_ms, int64_t start_from_ms);

/**
 * @brief Reads what is new, until the next round is due.
 * @param until_ms  monotonic. One page is read even if that is over
 * @returns OUTCOME_OK, also where the customers cannot be read; LOST or STOPPED
 */
enum outcome contacts_run(struct contacts *contacts, int64_t until_ms, struct error *err);

/**
 * @brief Reads one page: publishes what changed and waits until Kafka has it.
 * @param count  out: customers of the page; 0: the window ends here; -1: the answer is no page, err
 * says why
 * @returns OUTCOME_OK; TROUBLE: Kafka does not take a record; LOST, STOPPED. Nothing is marked then
 */
enum outcome contacts_take_page(struct contacts *contacts, struct text body, int *count,
                                struct error *err);

/** @brief Reads an answer with one customer: its id, and the cursor behind it.
 * @param after  out: appended
 * @returns 0; -1: it has none, or does not tell the cursor. Pure */
int contacts_read_one(struct text body, int64_t *id, struct buffer *after);

/** @brief Whether an answer has a list of customers, which may be empty. Pure. */
int contacts_is_page(struct text body);

#endif
