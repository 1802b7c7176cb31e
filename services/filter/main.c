/* NAME
 *     bigfusion-filter - passes the orders that are to be synced, and records why the rest is not
 * SYNOPSIS
 *     bigfusion-filter [--config FILE] [--check] [--health] [--help] [--version]
 * READS
 *     <prefix>.orders.raw, as group <prefix>.filter
 * WRITES
 *     <prefix>.orders.eligible   the orders to be synced, byte for byte, and the orders that were
 *                                taken back (header kind = withdrawn)
 *     <prefix>.skipped           why an order is not synced, with facts about it
 *     <prefix>.dead              what cannot be read
 * GUARANTEES
 *     Every record ends in exactly one of these topics, at least once. The answer depends only on
 *     the record and the settings, so a record that is read twice gets the same answer twice. The
 *     rule is in rule.h; docs/mapping.md describes it for users.
 * SIGNALS
 *     TERM, INT: the program finishes what is under way, commits and leaves. After a second one it
 *     leaves at once. PIPE is ignored.
 * EXIT STATUS
 *     0 asked to stop; 100 a person must fix something; 111 start me again
 */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "mapping/filter.h"
#include "net/health.h"
#include "net/health_ask.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"

static const struct config_program program = {
    .program = PROGRAM_FILTER,
    .name = "bigfusion-filter",
    .summary = "Passes the orders that are to be synced, records why the rest is not.",
    .health = health_ask,
};

/* Runs until a stop is asked for. The configuration was checked before. */
static int run(const struct config *config, struct error *err)
{
    struct topics topics;
    struct filter filter;
    struct stage_settings settings = {.config = config, .service = "filter", .topics = &topics};
    const char *inputs[TOPIC_LANE_COUNT];
    struct stage *stage = NULL;
    int status = -1;

    topics_init(&topics, config);
    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        inputs[i] = topics.lanes[i].raw;
    settings.inputs = inputs;
    settings.input_count = TOPIC_LANE_COUNT;
    filter_init(&filter, &settings);
    if (health_start(config->health.listen, err) != 0)
        goto out;
    stage = stage_new(&settings, filter_handle, &filter, err);
    if (stage != NULL)
        status = stage_run(stage, err);
out:
    stage_free(stage);
    health_stop();
    filter_clear(&filter);
    topics_clear(&topics);
    return status;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct error err = {0};

    log_open("filter");
    if (config_load(&config, &program, argc, argv, &err) == 0) {
        stop_install();
        run(&config, &err);
    }
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
