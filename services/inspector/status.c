/* status.c - `bigfusion status --scan`: what each service has before it, what became of the orders, how far
 * the stores were read, and which accounts are in trouble. */
#include "status.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#include "command.h"

enum { WINDOW_MS = 3000 }; /* in which rates are measured; services commit twice a second */

static int add_fate(void *context, const struct event *event, struct error *err)
{
    struct status *status = context;
    struct event_key parts;
    int is_order = event_key_parse(event->key, &parts) == 0 && text_is(parts.entity, "order");

    (void)err;
    fate_count_add(is_order ? &status->fates : &status->nameless, &status->survey.topics, event);
    return 0;
}

static int add_position(void *context, const struct event *event, struct error *err)
{
    struct status *status = context;

    (void)err;
    for (int i = 0; i < status->survey.config->store_count; i++)
        store_position_add(&status->stores[i], event);
    return 0;
}

static int read_topics(struct status *status, const char *const *names, int count, const char *what,
                       kafka_visit visit, struct error *err)
{
    struct survey_spans spans = {0};
    int rc = 0;

    for (int i = 0; rc == 0 && i < count; i++)
        rc = survey_add_topic(&status->survey, names[i], 0, &spans, err);
    if (rc == 0)
        rc = survey_read(&status->survey, &spans, what, visit, status, err);
    survey_spans_clear(&spans);
    return rc;
}

/* The fates are read while the rates are measured. */
static int find(struct status *status, struct error *err)
{
    const struct topics *topics = &status->survey.topics;
    const char *const fates[] = {topics->delivered, topics->skipped, topics->dead};
    const char *const cursors[] = {topics->cursors};

    if (flow_begin(&status->flow, &status->survey, err) != 0 ||
        read_topics(status, cursors, 1, "reading positions", add_position, err) != 0 ||
        read_topics(status, fates, 3, "reading fates", add_fate, err) != 0 ||
        flow_end(&status->flow, &status->survey, WINDOW_MS, err) != 0)
        return -1;
    status->now_ms = clock_now_ms();
    return 0;
}

int status_scan(const struct config *config, const struct command_line *line, struct error *err)
{
    struct status status = {0};
    int rc;

    survey_init(&status.survey, config);
    fate_count_init(&status.fates);
    fate_count_init(&status.nameless);
    status.stores = mem_alloc((size_t)config->store_count * sizeof(*status.stores));
    for (int i = 0; i < config->store_count; i++)
        store_position_init(&status.stores[i], config->stores[i].hash);
    rc = find(&status, err);
    if (rc == 0 && line->json)
        status_print_json(&status);
    else if (rc == 0)
        status_print_text(&status);
    free(status.stores);
    fate_count_clear(&status.nameless);
    fate_count_clear(&status.fates);
    flow_clear(&status.flow);
    survey_clear(&status.survey);
    return rc;
}
