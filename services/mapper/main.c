/* NAME
 *     bigfusion-mapper - builds what is sent to Infusionsoft out of a BigCommerce order
 * SYNOPSIS
 *     bigfusion-mapper [--config FILE] [--check] [--health] [--help] [--version]
 * READS
 *     <prefix>.orders.eligible, as group <prefix>.mapper
 *     the countries and regions of the package iso-codes, at start
 * WRITES
 *     <prefix>.orders.payloads   contact, products, order and goals of one order, as
 *                                docs/mapping.md describes
 *     <prefix>.dead              what cannot be mapped: malformed, total_mismatch,
 *                                currency_mismatch
 * GUARANTEES
 *     Every record ends in exactly one of these topics, at least once. The payload depends only on
 *     the record and the settings, so a record that is read twice is mapped to the same payload
 *     twice. No wrong amount is ever sent: the lines add up to the store's total.
 * SIGNALS
 *     TERM, INT: the program finishes what is under way, commits and leaves. After a second one it
 *     leaves at once. PIPE is ignored.
 * EXIT STATUS
 *     0 asked to stop; 100 a person must fix something; 111 start me again
 */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "mapping/mapper.h"
#include "mapping/region.h"
#include "net/health.h"
#include "net/health_ask.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"

static const struct config_program program = {
    .program = PROGRAM_MAPPER,
    .name = "bigfusion-mapper",
    .summary = "Builds what is sent to Infusionsoft out of a BigCommerce order.",
    .health = health_ask,
};

/* Runs until a stop is asked for. The configuration was checked before. */
static int run(const struct config *config, const struct regions *regions, struct error *err)
{
    struct topics topics;
    struct mapper mapper;
    struct stage_settings settings = {.config = config, .service = "mapper", .topics = &topics};
    const char *inputs[TOPIC_LANE_COUNT];
    struct stage *stage = NULL;
    int status = -1;

    topics_init(&topics, config);
    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        inputs[i] = topics.lanes[i].eligible;
    settings.inputs = inputs;
    settings.input_count = TOPIC_LANE_COUNT;
    mapper_init(&mapper, &settings, regions);
    if (health_start(config->health.listen, err) != 0)
        goto out;
    stage = stage_new(&settings, mapper_handle, &mapper, err);
    if (stage != NULL)
        status = stage_run(stage, err);
out:
    stage_free(stage);
    health_stop();
    mapper_clear(&mapper);
    topics_clear(&topics);
    return status;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct error err = {0};
    struct regions *regions = NULL;

    log_open("mapper");
    if (config_load(&config, &program, argc, argv, &err) == 0) {
        stop_install();
        regions = regions_new(REGION_FOLDER, &err);
    }
    if (regions != NULL)
        run(&config, regions, &err);
    regions_free(regions);
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
