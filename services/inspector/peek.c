/* peek.c - `bigfusion peek`: the newest record of an order in each topic, decoded. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/order_name.h"
#include "history/personal.h"
#include "history/spot.h"
#include "history/survey.h"

#include "order_records.h"
#include "record_view.h"

/* The newest record of one topic. */
struct newest {
    int64_t time_ms, offset;
    enum spot_kind kind;
    json_t *view; /* owned */
};

struct peek {
    struct survey survey;
    struct newest *records; /* one for each topic that has one */
    int count;
    struct personal personal; /* what must not be shown */
    int show_personal;
    char key[ORDER_KEY_BYTES];
    char name[ORDER_NAME_BYTES];
};

/* The entry of a topic; a new one has no view yet. */
static struct newest *entry_of(struct peek *peek, const char *topic)
{
    for (int i = 0; i < peek->count; i++)
        if (strcmp(json_string_value(json_object_get(peek->records[i].view, "topic")), topic) == 0)
            return &peek->records[i];
    peek->records = mem_realloc(peek->records, ((size_t)peek->count + 1) * sizeof(*peek->records));
    peek->records[peek->count] = (struct newest){.time_ms = -1};
    return &peek->records[peek->count++];
}

static int add_record(void *context, const struct event *event, struct error *err)
{
    struct peek *peek = context;
    enum spot_kind kind = spot_of(&peek->survey.topics, event->topic).kind;
    struct newest *newest = entry_of(peek, event->topic);

    (void)err;
    if (kind >= SPOT_PAYLOADS && !peek->show_personal)
        personal_learn(&peek->personal, event->value);
    if (newest->view != NULL &&
        (event->timestamp_ms < newest->time_ms ||
         (event->timestamp_ms == newest->time_ms && event->offset < newest->offset)))
        return 0;
    json_decref(newest->view);
    *newest =
        (struct newest){.time_ms = event->timestamp_ms,
                        .offset = event->offset,
                        .kind = kind,
                        .view = record_view(&peek->survey.topics, event, peek->show_personal)};
    return 0;
}

/* In the order in which a record passes the topics. */
static int compare(const void *a, const void *b)
{
    const struct newest *one = a, *two = b;

    if (one->kind != two->kind)
        return one->kind < two->kind ? -1 : 1;
    return (one->time_ms > two->time_ms) - (one->time_ms < two->time_ms);
}

static void print_text(const struct peek *peek)
{
    struct buffer text = {0};

    buffer_printf(&text, "%s (%s)\n\n", peek->name, peek->key);
    for (int i = 0; i < peek->count; i++)
        record_view_print(peek->records[i].view, &text);
    if (peek->count == 0)
        buffer_printf(&text,
                      "no record: no poll has seen it yet, or its records are no longer kept\n");
    else if (!peek->show_personal)
        buffer_printf(&text,
                      "*** stands for what may be about a person; --show-personal shows it\n");
    fwrite(text.data, 1, text.length, stdout);
    buffer_clear(&text);
    survey_print_cost(&peek->survey, stdout);
}

static void print_json(const struct peek *peek)
{
    json_t *records = mem_check(json_array()), *root;

    for (int i = 0; i < peek->count; i++)
        json_array_append(records, peek->records[i].view);
    root = mem_check(json_pack("{s:s, s:s, s:o, s:o}", "key", peek->key, "order", peek->name,
                               "records", records, "cost", survey_cost_json(&peek->survey)));
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
    printf("\n");
    json_decref(root);
}

static void print(struct peek *peek, int is_json)
{
    for (int i = 0; i < peek->count && !peek->show_personal; i++)
        record_view_hide(peek->records[i].view, &peek->personal);
    if (peek->count > 0)
        qsort(peek->records, (size_t)peek->count, sizeof(*peek->records), compare);
    if (is_json)
        print_json(peek);
    else
        print_text(peek);
}

int peek_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct peek peek = {.show_personal = command_line_has(line, COMMAND_OPTION_SHOW_PERSONAL)};
    int rc;

    if (record_name_parse(config, line->words, line->word_count, peek.key, err) != 0)
        return -1;
    order_name_print(config, peek.key, peek.name);
    survey_init(&peek.survey, config);
    rc = order_records_read_inputs(&peek.survey, peek.key, add_record, &peek, err);
    if (rc == 0)
        rc = order_records_read_fates(&peek.survey, peek.key, add_record, &peek, err);
    if (rc == 0)
        print(&peek, line->json);
    for (int i = 0; i < peek.count; i++)
        json_decref(peek.records[i].view);
    free(peek.records);
    personal_clear(&peek.personal);
    survey_clear(&peek.survey);
    return rc;
}
