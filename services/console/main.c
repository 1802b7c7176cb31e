/* NAME
 *     bigfusion-console - keeps an index of all topics and answers questions about orders
 * SYNOPSIS
 *     bigfusion-console [--config FILE] [--check] [--health] [--help] [--version]
 * READS
 *     every topic of the pipeline, without a consumer group: [console] index_file says up to where
 * WRITES
 *     [console] index_file    what the topics tell of each order; docs/console.md describes it
 * GUARANTEES
 *     The index can be deleted at any time; it is rebuilt from the topics. A program that was killed
 *     goes on where its file stands, and no record is missing or counted twice. The file holds no
 *     name, no address and no e-mail.
 * SIGNALS
 *     TERM, INT: the batch in hand is written, then the program leaves. After a second one it leaves
 *     at once. PIPE is ignored.
 * EXIT STATUS
 *     0 asked to stop; 100 a person must fix something; 111 start me again
 */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/health.h"
#include "net/health_ask.h"
#include "settings/config.h"

#include "answer.h"
#include "api.h"
#include "feed.h"
#include "index.h"

enum { OPEN_WAIT_MS = 5000 };

static const struct config_program program = {
    .program = PROGRAM_CONSOLE,
    .name = "bigfusion-console",
    .summary = "Keeps an index of all topics and answers questions about orders.",
    .health = health_ask,
};

/* Opens the index. While the disk is full it waits: starting again and again would not help. */
static struct index *open_index(const struct config *config, struct error *err)
{
    for (int turn = 0;; turn++) {
        struct index *index = index_open(config, config->console.index_file, err);

        if (index != NULL || err->kind == ERROR_PERMANENT)
            return index;
        if (turn == 0)
            log_error("the index cannot be opened, waiting: %s", err->text);
        health_set_ready("index", 0, err->text);
        error_clear(err);
        if (stop_wait_ms(OPEN_WAIT_MS))
            return NULL;
    }
}

/* Runs until a stop is asked for. The configuration was checked before. */
static int run(const struct config *config, struct error *err)
{
    struct index *index = NULL;
    struct answers *answers = NULL;
    struct serve *serve = NULL;
    int status = -1;

    if (health_start(config->health.listen, err) != 0)
        return -1;
    index = open_index(config, err);
    if (index != NULL)
        answers = answers_new(config, index, err);
    if (answers != NULL)
        serve = api_start(config, answers, err);
    if (serve != NULL) {
        health_set_ready("index", 1, NULL);
        status = feed_run(config, index, err);
    }
    serve_stop(serve);
    answers_free(answers);
    index_close(index);
    health_stop();
    return status;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct error err = {0};

    log_open("console");
    if (config_load(&config, &program, argc, argv, &err) == 0) {
        stop_install();
        run(&config, &err);
    }
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
