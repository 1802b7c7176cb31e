/* backfill_progress.h - tells on standard error how far a backfill is: a bar on a terminal, elsewhere a
 * line every five seconds. */
#ifndef INSPECTOR_BACKFILL_PROGRESS_H
#define INSPECTOR_BACKFILL_PROGRESS_H

#include <stdint.h>

#include "base/mem.h"

/* What is known. Ids count as the way: they grow with time, and a store gives no number of the orders of
 * a window. */
struct backfill_way {
    int64_t first_id, end_id; /* the lowest and the highest id of the window; -1: not known */
    int64_t begun_id;         /* where this run began; -1: at the beginning */
    int64_t at_id;            /* how far it is; -1: nothing was read */
    int64_t orders;           /* of the whole backfill */
    int64_t run_orders;       /* of this run */
    int64_t run_ms;           /* how long this run takes already */
    int64_t in_front;         /* not 0: it waits, for so many orders are in front of the services */
};

/** @brief Appends "[####......] 40 %, 5120 orders, 210 a second, 3 min 2 s left". Pure. */
void backfill_way_print(const struct backfill_way *way, struct buffer *target);

/* Embedded; zeroed but for what. */
struct backfill_progress {
    const char *what; /* "backfill BC" */
    int is_terminal;
    int is_shown;
    int64_t next_ms; /* monotonic: when the next line is due */
};

void backfill_progress_begin(struct backfill_progress *progress, const char *what);

/** @brief Shows the way, where a line is due. */
void backfill_progress_show(struct backfill_progress *progress, const struct backfill_way *way);

/** @brief Clears the terminal's line. */
void backfill_progress_end(struct backfill_progress *progress);

#endif
