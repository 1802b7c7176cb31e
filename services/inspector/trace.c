/* trace.c - `bigfusion trace`: every record of one order in the topics of the pipeline. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/history_step.h"
#include "history/order_name.h"
#include "history/personal.h"
#include "history/survey.h"
#include "history/unfinished.h"
#include "record/reason.h"

#include "order_records.h"

/* What is collected about the order. The table tells whether its newest version has a fate. */
struct trace {
    struct survey survey;
    struct unfinished_table table;
    struct history_steps steps;
    struct personal personal; /* what must not be shown */
    char key[ORDER_KEY_BYTES];
    char name[ORDER_NAME_BYTES];
};

static int add_record(void *context, const struct event *event, struct error *err)
{
    struct trace *trace = context;

    enum spot_kind kind = spot_of(&trace->survey.topics, event->topic).kind;

    (void)err;
    history_steps_add(&trace->steps, &trace->survey.topics, event);
    if (kind >= SPOT_PAYLOADS)
        personal_learn(&trace->personal, event->value);
    if (kind < SPOT_SKIPPED)
        unfinished_add(&trace->table, event);
    return 0;
}

/* The fates come after all other records, because only those of known orders are taken. */
static int add_fate(void *context, const struct event *event, struct error *err)
{
    struct trace *trace = context;

    unfinished_add_fate(&trace->table, event);
    return add_record(context, event, err);
}

/* The order's newest version, if it has no fate; else NULL. */
static const struct unfinished *open_version(const struct trace *trace)
{
    size_t count;
    struct unfinished **list = unfinished_list(&trace->table, INT64_MAX, &count);
    const struct unfinished *order = count > 0 ? list[0] : NULL;

    free(list);
    return order;
}

static void print_text(const struct trace *trace)
{
    const struct history_step *fate = history_steps_fate(&trace->steps);
    const struct unfinished *open = open_version(trace);
    const char *reason =
        fate != NULL ? json_string_value(json_object_get(fate->facts, "reason")) : NULL;

    printf("%s (%s)\n", trace->name, trace->key);
    for (int i = 0; i < trace->steps.count; i++)
        history_step_print(&trace->steps.steps[i], stdout);
    if (trace->steps.count == 0)
        printf("no record: no poll has seen it yet, or its records are no longer kept\n");
    else if (open != NULL)
        printf("no fate yet: %s in %s\n", reason_name(unfinished_reason(open)),
               spot_name(&trace->survey.topics, open->spot.topic));
    else if (fate != NULL)
        printf("fate: %s%s%s\n", json_string_value(json_object_get(fate->facts, "stage")),
               reason != NULL ? " " : "", reason != NULL ? reason : "");
    survey_print_cost(&trace->survey, stdout);
}

static void print_json(const struct trace *trace)
{
    const struct history_step *fate = history_steps_fate(&trace->steps);
    const struct unfinished *open = open_version(trace);
    json_t *records = mem_check(json_array());
    json_t *answer = json_null(), *root;

    for (int i = 0; i < trace->steps.count; i++)
        json_array_append(records, trace->steps.steps[i].facts);
    if (open != NULL)
        answer =
            json_pack("{s:s, s:s}", "stage", spot_name(&trace->survey.topics, open->spot.topic),
                      "reason", reason_name(unfinished_reason(open)));
    root = mem_check(json_pack("{s:s, s:s, s:o, s:O?, s:o, s:o}", "key", trace->key, "order",
                               trace->name, "records", records, "fate",
                               open == NULL && fate != NULL ? fate->facts : NULL, "waiting", answer,
                               "cost", survey_cost_json(&trace->survey)));
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII);
    printf("\n");
    json_decref(root);
}

int trace_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct trace trace = {0};
    int rc;

    if (record_name_parse(config, line->words, line->word_count, trace.key, err) != 0)
        return -1;
    order_name_print(config, trace.key, trace.name);
    survey_init(&trace.survey, config);
    unfinished_init(&trace.table, &trace.survey.topics, config->pusher.retry_delays_s);
    trace.table.takes_all = 1;
    rc = order_records_read_inputs(&trace.survey, trace.key, add_record, &trace, err);
    if (rc == 0)
        rc = order_records_read_fates(&trace.survey, trace.key, add_fate, &trace, err);
    history_steps_hide(&trace.steps, &trace.personal);
    history_steps_sort(&trace.steps);
    if (rc == 0 && line->json)
        print_json(&trace);
    else if (rc == 0)
        print_text(&trace);
    history_steps_clear(&trace.steps);
    personal_clear(&trace.personal);
    unfinished_clear(&trace.table);
    survey_clear(&trace.survey);
    return rc;
}
