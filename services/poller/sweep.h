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

#include "bigcommerce/ask.h"
#include "mapping/map_catalog.h"
#include "net/metric.h"
#include "record/topic.h"
#include "settings/config.h"

#include "batch.h"
#include "catalog_marks.h"

enum { SWEEP_PAGE_MAX = 50 }; /* products in one answer; each may have 600 variants */

/* Embedded; the first six are borrowed and set by the owner. */
struct sweep {
    const struct config *config;
    const struct config_store *store;
    const struct topics *topics;
    struct batches *batches;
    struct redis *redis;
    struct asker *asker;

    char *marks_key;
    char currency[4];      /* of the store's prices; "": not asked yet */
    int under_way;         /* a sweep has begun and is not complete */
    int64_t last_id;       /* the products up to here were dealt with */
    int limit;             /* products that are asked for at once */
    int64_t begun_ms;      /* monotonic: when the sweep began, */
    int64_t due_ms;        /* when it goes on, or the next one begins, */
    int64_t paged_ms;      /* and when a page was last asked for */
    int alone;             /* failures in a row at a product that was asked for alone */
    int failures;          /* in a row */
    int products, changed; /* of this sweep */

    struct map_catalog map;
    struct buffer digested;
    struct metric *published, *unchanged, *dead, *sweeps_ok, *sweeps_failed, *last_sweep;
};

void sweep_init(struct sweep *sweep);
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
