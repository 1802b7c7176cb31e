#include "history/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "history/group_members.h"
#include "history/outside_text.h"

enum { WHY_MAX_BYTES = 160 }; /* of reason and detail each; the pusher's details are shorter */

/* What a reading of single records adds to. */
struct reading {
    struct flow *flow;
    int is_newest; /* 1: the newest records are read; 0: the oldest unread ones */
};

static struct flow_topic *topic_of(struct flow *flow, const char *topic)
{
    for (int i = 0; i < flow->count; i++)
        if (strcmp(flow->topics[i].topic, topic) == 0)
            return &flow->topics[i];
    return NULL;
}

static void make_topics(struct flow *flow, const struct topics *topics)
{
    const char **inputs = mem_alloc(SPOT_INPUTS((size_t)topics->account_count) * sizeof(*inputs));

    flow->topics =
        mem_alloc(SPOT_INPUTS_ALL((size_t)topics->account_count) * sizeof(*flow->topics));
    for (int group = 0; group < SPOT_GROUP_COUNT; group++) {
        int count = spot_inputs(topics, group, inputs);

        for (int i = 0; i < count; i++)
            flow->topics[flow->count++] = (struct flow_topic){
                .topic = inputs[i], .group = group, .oldest_ms = -1, .newest_ms = -1};
    }
    free(inputs);
}

/* Reads where one service stands in all its topics. */
static int read_places(struct survey *survey, int group, struct kafka_place **places, int *count,
                       struct error *err)
{
    const char **inputs =
        mem_alloc(SPOT_INPUTS((size_t)survey->topics.account_count) * sizeof(*inputs));
    int input_count = spot_inputs(&survey->topics, group, inputs);
    char *name = mem_printf("%s.%s", survey->config->kafka.topic_prefix, spot_groups[group]);
    int rc = kafka_group_places(survey->config, name, inputs, input_count, places, count, err);

    free(name);
    free(inputs);
    return rc;
}

int flow_begin(struct flow *flow, struct survey *survey, struct error *err)
{
    make_topics(flow, &survey->topics);
    flow->begin_ms = clock_monotonic_ms();
    for (int group = 0; group < SPOT_GROUP_COUNT; group++) {
        struct kafka_place *places;
        int count;

        if (read_places(survey, group, &places, &count, err) != 0)
            return -1;
        for (int i = 0; i < count; i++) {
            struct flow_topic *topic = topic_of(flow, places[i].topic);

            topic->begin_committed += survey_unread_from(&places[i]);
            topic->begin_end += places[i].end;
        }
        kafka_places_free(places, count);
    }
    return 0;
}

/* Adds the spans of the oldest unread record of each partition, or, for waiting topics with unread
 * records, of the newest record. */
static void add_single(struct flow *flow, const struct topics *topics,
                       const struct kafka_place *place, struct survey_spans *oldest,
                       struct survey_spans *newest)
{
    struct flow_topic *topic = topic_of(flow, place->topic);
    int64_t from = survey_unread_from(place);

    topic->end_committed += from;
    topic->end_end += place->end;
    if (place->end <= from)
        return;
    topic->unread += place->end - from;
    survey_spans_add(oldest, topic->topic, place->partition, from, from + 1);
    if (spot_of(topics, topic->topic).kind >= SPOT_WAITING)
        survey_spans_add(newest, topic->topic, place->partition, place->end - 1, place->end);
}

static int visit(void *context, const struct event *event, struct error *err)
{
    struct reading *reading = context;
    struct flow_topic *topic = topic_of(reading->flow, event->topic);
    struct buffer why = {0};

    (void)err;
    if (!reading->is_newest) {
        if (topic->oldest_ms < 0 || event->timestamp_ms < topic->oldest_ms)
            topic->oldest_ms = event->timestamp_ms;
        return 0;
    }
    if (event->timestamp_ms < topic->newest_ms)
        return 0;
    topic->newest_ms = event->timestamp_ms;
    outside_text_print(&why, outside_text_begin(event->headers[HEADER_REASON], WHY_MAX_BYTES));
    if (event->headers[HEADER_DETAIL].length > 0) {
        buffer_printf(&why, ": ");
        outside_text_print(&why, outside_text_begin(event->headers[HEADER_DETAIL], WHY_MAX_BYTES));
    }
    free(topic->newest_why);
    topic->newest_why = why.data;
    return 0;
}

static int read_single(struct flow *flow, struct survey *survey, struct error *err)
{
    struct survey_spans oldest = {0}, newest = {0};
    struct reading reading = {.flow = flow};
    int rc = 0;

    for (int group = 0; rc == 0 && group < SPOT_GROUP_COUNT; group++) {
        struct kafka_place *places;
        int count;

        rc = read_places(survey, group, &places, &count, err);
        for (int i = 0; rc == 0 && i < count; i++)
            add_single(flow, &survey->topics, &places[i], &oldest, &newest);
        kafka_places_free(places, count);
    }
    flow->window_ms = clock_monotonic_ms() - flow->begin_ms;
    if (rc == 0)
        rc = survey_read(survey, &oldest, "reading the oldest records", visit, &reading, err);
    reading.is_newest = 1;
    if (rc == 0)
        rc = survey_read(survey, &newest, "reading waiting records", visit, &reading, err);
    survey_spans_clear(&oldest);
    survey_spans_clear(&newest);
    return rc;
}

static int read_members(struct flow *flow, const struct config *config, struct error *err)
{
    struct group_members groups[SPOT_GROUP_COUNT] = {{0}};
    char *names[SPOT_GROUP_COUNT];
    int rc;

    for (int i = 0; i < SPOT_GROUP_COUNT; i++) {
        names[i] = mem_printf("%s.%s", config->kafka.topic_prefix, spot_groups[i]);
        groups[i].group = names[i];
    }
    rc = group_members_read(config, groups, SPOT_GROUP_COUNT, err);
    for (int i = 0; i < SPOT_GROUP_COUNT; i++) {
        flow->members[i] = groups[i].count;
        memcpy(flow->states[i], groups[i].state, sizeof(flow->states[i]));
        free(names[i]);
    }
    return rc;
}

int flow_end(struct flow *flow, struct survey *survey, int64_t least_ms, struct error *err)
{
    int64_t left_ms = flow->begin_ms + least_ms - clock_monotonic_ms();

    if (left_ms > 0 && stop_wait_ms(left_ms))
        return error_set(err, ERROR_TEMPORARY, "asked to stop");
    if (read_members(flow, survey->config, err) != 0)
        return -1;
    return read_single(flow, survey, err);
}

void flow_clear(struct flow *flow)
{
    for (int i = 0; i < flow->count; i++)
        free(flow->topics[i].newest_why);
    free(flow->topics);
    *flow = (struct flow){0};
}
