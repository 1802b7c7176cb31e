/* sweep.h - reads the whole catalogue of a store at an interval and publishes the products of which
 * something changed that is synced. `date_modified` of a product does not tell when a variant
 * changed, so each product is compared with what was published of it.
 *
 * A sweep is the last part of a round: it leaves the store's quota to orders, and goes on in the
 * next round where this one has no more time. It lives in memory alone: a poller that takes the
 * store over begins anew, and what was published already is recognised by its mark. What goes wrong
 * with the catalogue does not end the round. */
#ifndef POLLER_SWEEP_H
#define POLLER_SWEEP_H

#include <stdint.h>

#include "mapping/map_catalog.h"

#include "changed.h"
#include "pace.h"
#include "poll_context.h"

enum { SWEEP_PAGE_MAX = 50 }; /* products in one answer; each may have 600 variants */

/* Embedded. */
struct sweep {
    const struct poll_context *with; /* borrowed */
    struct changed_lane lane;
    struct pace pace;
    char currency[4];      /* of the store's prices; "": not asked yet */
    int under_way;         /* a sweep has begun and is not complete */
    int64_t last_id;       /* the products up to here were dealt with */
    int64_t begun_ms;      /* monotonic: when the sweep began */
    int products, changed; /* of this sweep */

    struct map_catalog map;
    struct buffer digested;
    struct metric *sweeps_ok, *sweeps_failed, *last_sweep;
};

/** @brief with is kept. */
void sweep_init(struct sweep *sweep, const struct poll_context *with);
void sweep_clear(struct sweep *sweep);

/** @brief Forgets a sweep that was begun: the lease was taken anew. */
void sweep_restart(struct sweep *sweep);

/**
 * @brief Reads a piece of the catalogue, where it is due.
 * @param until_ms  monotonic: when the next round is due. One page is read even if that is over
 * @returns OUTCOME_OK, also where the catalogue cannot be read; LOST or STOPPED
 */
enum outcome sweep_run(struct sweep *sweep, int64_t until_ms, struct error *err);

#endif
