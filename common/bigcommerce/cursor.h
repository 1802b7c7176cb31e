/* cursor.h - decides what to ask a store for next, from what was seen so far. Pure: no clock, no
 * I/O.
 *
 * A round asks for the orders that were modified in a closed window. The window begins at the saved
 * position less an overlap, and ends at the store's own clock less a settling time. A cursor does
 * not go through a list by page number: while orders change, they move from page to page, and some
 * would be missed. It reads a window in one of two ways instead.
 *
 * By id: sort=id:asc, each request with min_id, until a page is empty. Ids do not change. An order
 * that is modified meanwhile leaves the window, but moves no other order; the next round shows it
 * with its new date. Each round begins this way, so a quiet store is read with two requests.
 *
 * By date: sort=date_modified:asc. If the first page of a round is full, there may be a long
 * backlog. Each page then starts at the last date seen, less one second, so the position moves on
 * while the backlog is read. If a whole page lies within one second (after a bulk edit), this would
 * not move on: those seconds alone are then read by id. Once a page is not full, the rest of the
 * window is read by id.
 *
 * A page that is not full is not the end, because the store may give fewer orders at once than we
 * ask for. Only an empty page is the end. It is not documented whether the store's limits of dates
 * are inclusive. So windows overlap by a second, which is right in both cases. min_id is the last
 * id seen; once the store has shown that min_id is inclusive, it is the id after that.
 *
 * The position follows the dates of the orders, because an order may become visible later than the
 * date that it carries. If no order comes for long, the position follows the store's clock, one
 * overlap behind the end of the window, so that orders of an old bulk edit are not read again in
 * each round.
 *
 * An order that cannot be read even alone is stepped over with page=2 and limit=1. This is the only
 * case in which a page number above 1 is used. */
#ifndef POLLER_CURSOR_H
#define POLLER_CURSOR_H

#include <stdint.h>

/* What is asked of the store. */
struct cursor_query {
    int by_id;      /* 1: sort=id:asc; 0: sort=date_modified:asc */
    int64_t min_ms; /* min_date_modified, a multiple of 1000; -1: no limit */
    int64_t max_ms; /* max_date_modified, a multiple of 1000 */
    int64_t min_id; /* -1: none */
    int limit;
    int page;
};

/* One order of an answer. */
struct cursor_row {
    int64_t id;          /* -1: unknown */
    int64_t modified_ms; /* -1: unknown */
};

/* Embedded. Other modules may read position_ms, limit, seen_ms, min_ms, upper_ms, last_id and done;
 * they change nothing. "Dealt with" means that an order is in Kafka, or is held (see held.h). */
struct cursor {
    /* Every order modified up to here was dealt with; -1: none yet. */
    int64_t position_ms;
    /* Orders asked for in one page. It stays smaller from round to round after trouble, and grows
     * with each page that can be read. */
    int limit;
    int page_size; /* the largest limit */
    /* Some order of this instant was not dealt with, so the position stays before it in this round;
     * INT64_MAX: none. */
    int64_t hold_ms;
    int64_t seen_ms; /* latest date_modified seen in this round; -1: none */
    int64_t overlap_ms;
    int64_t min_ms;    /* begin of the window that is still to be read; -1: no limit */
    int64_t upper_ms;  /* end of the round's window */
    int by_id;         /* 1: reads by id; 0: by date */
    int probing;       /* by_id: a round began so; a full page changes to reading by date */
    int64_t window_ms; /* by_id: what is read by id covers everything modified up to here */
    int64_t last_id;   /* by_id: every order of the window up to this id was seen; -1: none */
    int inclusive;     /* the store has shown that it also gives the order whose id is min_id */
    int cap;           /* the most orders that the store gives in one page; 0: unknown */
    int short_count;   /* by_id: how many the page before held, if it was not full; else 0 */
    int skip;          /* how many orders at the beginning of the query's result are stepped over,
                          because they cannot be read */
    int done;          /* the round, or the history, is read */
};

/** @brief Makes a cursor that has seen nothing. position_ms is -1 for the beginning of time. */
void cursor_init(struct cursor *cursor, int64_t position_ms, int page_size);

/**
 * @brief Begins a round.
 * @param upper_ms    the store's clock less the settling time
 * @param overlap_ms  how far before the position the window begins, for orders that become visible
 * late; less than 2 s counts as 2 s
 * @param floor_ms    orders from before this instant are not asked for (start_from); 0: no limit
 */
void cursor_begin(struct cursor *cursor, int64_t upper_ms, int64_t overlap_ms, int64_t floor_ms);

/**
 * @brief Begins to read a history, or goes on with it: everything modified up to until_ms, only by
 * id. How far it came is in last_id; position_ms means nothing for it.
 * @param floor_ms  orders modified before this instant are not asked for (start_from); 0: no limit
 * @param last_id   every order up to this id was dealt with; -1: none
 */
void cursor_walk(struct cursor *cursor, int64_t until_ms, int64_t floor_ms, int64_t last_id);

/** @brief Says what to ask for now. @returns 1, or 0 when the round is over */
int cursor_next(const struct cursor *cursor, struct cursor_query *query);

/**
 * @brief Moves on: the answer to the query of cursor_next() came, and its orders were dealt with.
 * @returns 0, or -1 when the store gives the same orders again and again (it ignores min_id)
 */
int cursor_page(struct cursor *cursor, const struct cursor_row *rows, int count);

/** @brief Asks for fewer orders at once, because the answer could not be read. @returns 0, or -1
 * when only one order was asked for already */
int cursor_shrink(struct cursor *cursor);

/** @brief Steps over the one order that was asked for (limit is 1), because it cannot be read even
 * alone: the next query asks for the order behind it. */
void cursor_skip(struct cursor *cursor);

/** @brief Keeps the position before an order that was seen but not dealt with, so that a later
 * round asks for it again. It counts for this round only. */
void cursor_hold(struct cursor *cursor, int64_t modified_ms);

#endif
