/* NAME
 *     bigfusion-poller - asks each store for the orders that changed, and publishes them byte for
 *     byte
 *
 * SYNOPSIS
 *     bigfusion-poller [--config FILE] [--check] [--health] [--help] [--version]
 *
 * READS
 *     Each [store], every poll_interval_s:
 *         GET /v2/orders for the orders modified between the store's position less overlap_s and
 *         the store's own clock less settle_s; after a first start from the past also a piece of
 *         the older orders;
 *         GET /v2/orders/{id} and its /products and /coupons, where a list does not show all of an
 *         order;
 *         GET /v2/time.
 *         GET /v3/customers, those modified since the store's position of the customers.
 *     Every products_interval_s: GET /v3/catalog/products, all of it, and GET /v2/store.
 *
 *     <prefix>.cursors, whenever a lease is taken: how far the store was read.
 *
 *     Redis: the lease of each store, and marks that name the versions published already.
 *
 * WRITES
 *     <prefix>.orders.raw: each new version of each order, byte for byte as it came, or with one
 *     more member `bigfusion`.
 *
 *     <prefix>.contacts.raw: each customer of which something changed, with its addresses.
 *
 *     <prefix>.products.raw: each product of which something changed, with its variants.
 *
 *     <prefix>.dead: orders and products that can never be published: malformed, too_large, refused, gave_up.
 *
 *     <prefix>.skipped: held orders that are gone from the store when it is asked for them.
 *
 *     <prefix>.cursors: position, start_from and held orders of each store.
 *
 * GUARANTEES
 *     Each order is published at least once: the position moves only when Kafka has every order up
 *     to it. If Redis is emptied, some orders are published again, nothing worse: whether a store
 *     is polled for the first time is decided by <prefix>.cursors. Any number of pollers share the
 *     stores, and each store is polled by one of them at a time. No store waits for another store,
 *     and no order waits for another order that cannot be read.
 *
 * LIMITS
 *     For each store one thread and four open files; the soft limit of open files is raised by
 *     the program itself. A hard limit that is too low ends it with 100.
 *
 * SIGNALS
 *     TERM, INT: the program breaks off the rounds in hand (they are repeated later), gives the
 *     leases back and exits. At a second signal it exits at once.
 *
 * EXIT STATUS
 *     0 after a stop; 100 when a person must fix something; 111 when it should be started again.
 */
#include <stdio.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/health_ask.h"
#include "net/http.h"
#include "net/redis_watch.h"
#include "settings/config.h"

#include "worker.h"

static const struct config_program program = {
    .program = PROGRAM_POLLER,
    .name = "bigfusion-poller",
    .summary = "Asks each BigCommerce store for the orders that changed and publishes them to "
               "Kafka as they came.",
    .health = health_ask,
};

int main(int argc, char **argv)
{
    struct config config = {0};
    struct error err = {0};
    struct redis_watch *watch;
    char what[32];

    log_open("poller");
    if (config_load(&config, &program, argc, argv, &err) != 0)
        goto out;
    stop_install();
    snprintf(what, sizeof(what), "%d stores", config.store_count);
    if (limits_allow_files(limits_of_poller(config.store_count), what, &err) != 0 ||
        http_global_init(&err) != 0)
        goto out;
    if (health_start(config.health.listen, &err) == 0 &&
        (watch = redis_watch_start(&config, &err)) != NULL) {
        workers_run(&config, &err); /* returns when a stop is asked for, or on error */
        redis_watch_error(watch, &err);
        redis_watch_free(watch);
    }
    health_stop();
    http_global_cleanup();
out:
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
