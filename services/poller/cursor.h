/* cursor.h - what to ask a store next, given what was seen. Pure: no clock, no I/O.
 *
 * A round asks for the orders that were modified in a closed window: from the saved position, less
 * an overlap, to the store's own clock less a settling time. It never turns pages, since pages
 * drift while orders change:
 *
 * by id: sort=id:asc, then with min_id until a page is empty. Ids do not shift. An order that
 * changes meanwhile leaves the window and moves no other one; it comes again with its new date. A
 * round begins this way, and a quiet store is read with two requests.
 *
 * by date: sort=date_modified:asc, where the first page is full: each page starts at the last date
 * seen, less one second, so a long backlog is read with a position that moves on. Where that would
 * not advance (a whole page within a second, after a bulk edit), those seconds alone are walked by
 * id; where a page is not full, the rest of the window is.
 *
 * A page that is not full is no end: the store may give fewer orders at once than we ask for. Only
 * an empty page is. Whether the store's limits are inclusive is not documented, so windows overlap
 * by a second and both readings are right. min_id is the last id seen until the store shows that it
 * is inclusive; from then on the next one.
 *
 * The position follows the dates of the orders, as a commit may show late. Where nothing happens it
 * follows the store's clock, twice the overlap behind in the end, so that what a bulk edit left
 * there is not read again for ever.
 *
 * An order that cannot be read even alone is stepped over with page=2 of limit=1, the one place
 * where a page is turned. */
#ifndef POLLER_CURSOR_H
#define POLLER_CURSOR_H

#include <stdint.h>

/* What is asked of the store. */
struct cursor_query {
    int by_id;      /* sort=id:asc, else sort=date_modified:asc */
    int64_t min_ms; /* min_date_modified, whole seconds; -1: none */
    int64_t max_ms; /* max_date_modified, whole seconds */
    int64_t min_id; /* -1: none */
    int limit;
    int page;
};

/* What came back: one order, in the order of the answer. */
struct cursor_row {
    int64_t id;          /* -1: unknown */
    int64_t modified_ms; /* -1: unknown */
};

/* Embedded. Read only, from outside: position_ms, limit, seen_ms, min_ms, upper_ms,
 * last_id, done. */
struct cursor {
    int64_t position_ms; /* every order modified up to here was dealt with; -1: none yet */
    int limit; /* rows asked for; kept from round to round, so that trouble is not met anew each
                  time */
    int page_size;
    int64_t hold_ms; /* an order of this instant is not dealt with: the position stays before it */
    int64_t seen_ms; /* latest date_modified seen in this round; -1 */
    int64_t overlap_ms;
    int64_t min_ms;
    int64_t upper_ms;
    int by_id;
    int probing;       /* by_id: the walk that a round begins with; a full page ends it */
    int64_t window_ms; /* by_id: the walked window covers everything up to here */
    int64_t last_id;   /* by_id: every order of the window up to this id was seen; -1: none */
    int inclusive;     /* the store is known to answer min_id itself as well */
    int cap;           /* no page holds more, as far as the store has shown; 0: unknown */
    int short_count;   /* by_id: rows of the page before, if it was not full; else 0 */
    int skip;          /* unreadable orders at the front of what is asked for */
    int done;
};

/** @brief A cursor that has seen nothing. position_ms: -1 for the beginning of time. */
void cursor_init(struct cursor *cursor, int64_t position_ms, int page_size);

/**
 * @brief Begins a round.
 * @param upper_ms    store's clock less the settling time
 * @param overlap_ms  how far behind the position to look again, for late commits; at least 2 s are
 * taken
 * @param floor_ms    nothing before this instant is asked for (start_from), or 0
 */
void cursor_begin(struct cursor *cursor, int64_t upper_ms, int64_t overlap_ms, int64_t floor_ms);

/**
 * @brief Begins, or goes on with, the walk over a history: everything modified up to until_ms, by
 * id alone. Its position is last_id; position_ms means nothing.
 * @param floor_ms  nothing modified before this instant is asked for (start_from), or 0
 * @param last_id   every order up to this id was dealt with; -1: none
 */
void cursor_walk(struct cursor *cursor, int64_t until_ms, int64_t floor_ms, int64_t last_id);

/** @brief What to ask now. @returns 1, or 0 when the round is over */
int cursor_next(const struct cursor *cursor, struct cursor_query *query);

/**
 * @brief The answer to that query came, and every order in it is dealt with.
 * @returns 0, or -1 when the store answers the same again and again (it ignores min_id)
 */
int cursor_page(struct cursor *cursor, const struct cursor_row *rows, int count);

/** @brief The answer could not be read: ask for fewer. @returns 0, or -1 when it was one order
 * already */
int cursor_shrink(struct cursor *cursor);

/** @brief The one order asked for cannot be read even alone (limit is 1): the next query is for the
 * one behind it. */
void cursor_skip(struct cursor *cursor);

/** @brief An order of that instant was seen but not dealt with: later rounds must come by again.
 * For this round only. */
void cursor_hold(struct cursor *cursor, int64_t modified_ms);

#endif
