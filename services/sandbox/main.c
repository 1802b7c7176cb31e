/* NAME
 *     bigfusion-sandbox - a stateful BigCommerce store and Infusionsoft account, with faults
 * SYNOPSIS
 *     bigfusion-sandbox [--listen HOST:PORT] [--journal FILE] [--stores K] [--orders N] [--seed S]
 *         [--quota off|key|oauth] [--visibility-delay-ms N] [--answer-delay-ms N]
 *         [--history SECONDS] [--changes N]
 * READS
 *     ISO 3166 data of the package iso-codes
 *     HTTP requests of the pipeline, of tests and of people
 * WRITES
 *     the journal: one JSON line for each request to either API and for each change in a store
 *     stdout: one line "listening on http://HOST:PORT" when it is ready
 *     stderr: log lines
 * GUARANTEES
 *     The journal line of an effect is written before its answer is sent. Equal --orders, --seed and
 *     store give equal orders, apart from their dates. Everything is kept in memory and is gone when
 *     the program ends.
 * SIGNALS
 *     TERM and INT end it. Answers that are still being delayed are sent at once.
 * EXIT STATUS
 *     0 stopped; 100 an option is wrong, the address is taken or data is missing; 111 the system
 *     refused something for now
 */
#include <stdio.h>

#include "base/log.h"
#include "base/stop.h"
#include "changes.h"
#include "options.h"
#include "server.h"
#include "timers.h"
#include "world.h"

static void run(const struct sandbox_options *options, struct world *world, struct error *err)
{
    struct timers timers;
    struct changes changes;
    struct server *server;

    if (timers_start(&timers) != 0) {
        error_set(err, ERROR_TEMPORARY, "cannot start a thread");
        return;
    }
    server = server_start(options->listen, world, &timers, err);
    if (server != NULL) {
        printf("listening on %s\n", world->base_url);
        fflush(stdout);
        log_info("listening url=%s stores=%zu orders=%zu", world->base_url, world->shop_count,
                 world->shops[0]->count);
        changes_start(&changes, world, &timers, options->changes);
        while (!stop_wait_ms(500))
            continue;
    }
    timers_stop(&timers);
    server_stop(server);
    log_info("stopped requests=%lld journal_lines=%lld",
             (long long)(world->requests[SIDE_INFUSIONSOFT] + world->requests[SIDE_BIGCOMMERCE]),
             (long long)world->journal.lines);
}

int main(int argc, char **argv)
{
    struct sandbox_options options;
    struct world world;
    struct error err = {0};
    enum options_answer answer = options_read(&options, argc, argv, &err);

    log_open("sandbox");
    if (answer == OPTIONS_DONE)
        return 0;
    if (answer == OPTIONS_RUN) {
        stop_install();
        if (world_init(&world, &options, &err) == 0)
            run(&options, &world, &err);
        world_clear(&world);
    }
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
