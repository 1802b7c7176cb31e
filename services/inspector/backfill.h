/* backfill.h - the parts of `bigfusion backfill`: it reads the orders that were placed in a window by
 * their ids, and publishes each to the lane of the history. docs/backfill.md describes it. */
#ifndef INSPECTOR_BACKFILL_H
#define INSPECTOR_BACKFILL_H

#include <stdint.h>

#include "act/act.h"
#include "base/error.h"
#include "base/mem.h"
#include "bigcommerce/ask.h"
#include "bigcommerce/page.h"
#include "history/survey.h"
#include "settings/config.h"

#include "backfill_lock.h"
#include "backfill_position.h"
#include "backfill_progress.h"

/* One backfill. Embedded; the caller sets what stands up to `act`. */
struct backfill {
    const struct config *config;
    const struct config_store *store;
    struct survey *survey;  /* for the names of topics */
    int64_t from_ms, to_ms; /* orders placed from then on, and before then */
    int64_t start_from_ms;  /* what the poller saved */
    int is_dry;             /* count only */
    char key[BACKFILL_KEY_BYTES];
    struct backfill_position position;
    struct act *act;     /* NULL where is_dry */
    struct lease *lease; /* NULL where is_dry */

    /* the reading */
    struct asker asker;
    struct cursor cursor;
    struct page *page;
    int64_t
        asker_ready_ms; /* monotonic: no page is asked for before, to leave quota to the poller */
    struct buffer body; /* what the rows of page point into */
    int64_t
        pause_asked_ms; /* monotonic: when it was last looked whether an operator paused the store */
    int attempt;        /* how often in a row one order could not be read */
    int bad;            /* how many orders in a row could not be read, even by their ids */
    int64_t room;       /* how many may be published before the services are asked again */
    int is_cancelled;
    struct backfill_way way;
    struct backfill_progress progress;
    int64_t begun_ms;

    /* what was found in this run */
    int64_t published;  /* to the history; where is_dry: counted */
    int64_t dead;       /* could not be published as they are */
    int64_t gone;       /* the store had them in its list, but not by their ids */
    int64_t unreadable; /* stepped over: no answer about them could be read */
};

/**
 * @brief Reads and publishes until the window's end or until the act is cancelled (backfill_read.c).
 * @returns 0, also where it was cancelled; -1 with an error. The position is saved up to the last page
 * in both cases
 */
int backfill_read(struct backfill *backfill, struct error *err);

/** @brief Looks whether an operator paused the store; seldom, as this reads a topic (backfill_read.c).
 * @returns 0, or -1 with an error */
int backfill_check_pause(struct backfill *backfill, struct error *err);

/** @brief Queues the record of one order, or of why there is none (backfill_send.c). @returns 0, or -1
 * with an error */
struct whole_order;
int backfill_send(struct backfill *backfill, const struct whole_order *order, struct error *err);

/** @brief Queues what came for an order whose id cannot be read as a dead record. */
int backfill_send_unreadable(struct backfill *backfill, struct text bytes, struct error *err);

/** @brief Waits until Kafka has all that was queued, then saves the position; is_end: the window is
 * read, and the position goes. @returns OUTCOME_OK, or what ends the reading */
enum outcome backfill_save(struct backfill *backfill, int is_end, struct error *err);

/** @brief Waits until few enough orders of the history are in front of the services.
 * @returns OUTCOME_OK, also where it was cancelled; or what ends the reading */
enum outcome backfill_wait_for_room(struct backfill *backfill, struct error *err);

#endif
