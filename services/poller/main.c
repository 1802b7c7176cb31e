/* NAME
 *     bigfusion-poller - asks each store for the orders that changed and publishes them as they
 * came
 *
 * SYNOPSIS
 *     bigfusion-poller [--config FILE] [--check] [--help] [--version]
 *
 * READS
 *     Each [store], every poll_interval_s: GET /v2/orders, from its position less overlap_s to the
 *     store's own clock less settle_s; after a first start from the past also what is older, a
 * piece each time; /v2/orders/{id} with its /products and /coupons where the list leaves something
 * out; /v2/time.
 *
 *     <prefix>.cursors, at the start of each lease: how far the store was read.
 *
 *     Redis: the lease of each store, and marks of what was published already.
 *
 * WRITES
 *     <prefix>.orders.raw: each new version of each order, byte for byte as it came, or with one
 *     more member `bigfusion`.
 *
 *     <prefix>.dead: orders that can never be published: malformed, too_large, refused, gave_up.
 *
 *     <prefix>.skipped: orders that the store has no more when they are asked for by themselves.
 *
 *     <prefix>.cursors: position and start_from of each store, and the orders that wait for calls
 * of their own.
 *
 * GUARANTEES
 *     At least once: the position moves only when Kafka has every order up to it. An emptied Redis
 *     costs repetitions, nothing else: what a store's first start is, <prefix>.cursors says. Any
 *     number of pollers share the stores, and each store is polled by one at a time. No store
 *     waits for another one, and no order for another one that is broken.
 *
 * SIGNALS
 *     TERM, INT: leaves the round in hand where it is (it is repeated later), gives the leases
 *     back, exits. A second one: leaves at once.
 *
 * EXIT STATUS
 *     0 after a stop; 100 a person must fix something; 111 start me again.
 */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/http.h"
#include "net/redis_watch.h"
#include "settings/config.h"

#include "worker.h"

static const struct config_program program = {
    .program = PROGRAM_POLLER,
    .name = "bigfusion-poller",
    .summary = "Asks each BigCommerce store for the orders that changed and publishes them to "
               "Kafka as they came.",
};

int main(int argc, char **argv)
{
    struct config config = {0};
    struct error err = {0};
    struct redis_watch *watch;

    log_open("poller");
    if (config_load(&config, &program, argc, argv, &err) != 0)
        goto out;
    stop_install();
    if (http_global_init(&err) != 0)
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
