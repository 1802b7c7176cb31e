#include "order_records.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/spot.h"

/* Whose records are visited, and by what. */
struct filter {
    const char *key;
    kafka_visit visit;
    void *context;
};

static int visit_own(void *context, const struct event *event, struct error *err)
{
    const struct filter *filter = context;

    return text_is(event->key, filter->key) ? filter->visit(filter->context, event, err) : 0;
}

/* Records of these topics are placed by their key, so only one partition can have the order's. */
static int is_placed_by_key(enum spot_kind kind)
{
    return kind == SPOT_RAW || kind == SPOT_ELIGIBLE || kind >= SPOT_SKIPPED;
}

static int count_partitions(const struct kafka_place *places, int count, const char *topic)
{
    int partitions = 0;

    for (int i = 0; i < count; i++)
        partitions += strcmp(places[i].topic, topic) == 0;
    return partitions;
}

static int read_topics(struct survey *survey, const char *key, const char *const *topics, int count,
                       const char *what, kafka_visit visit, void *context, struct error *err)
{
    struct filter filter = {key, visit, context};
    struct survey_spans spans = {0};
    struct kafka_place *places = NULL;
    uint32_t hash = event_hash(0, text_of(key));
    int place_count = 0;
    int rc = kafka_group_places(survey->config, NULL, topics, count, &places, &place_count, err);

    for (int i = 0; i < place_count; i++) {
        const struct kafka_place *place = &places[i];
        uint32_t partitions = (uint32_t)count_partitions(places, place_count, place->topic);

        if (!is_placed_by_key(spot_of(&survey->topics, place->topic).kind) ||
            (uint32_t)place->partition == hash % partitions)
            survey_spans_add(&spans, place->topic, place->partition, place->low, place->end);
    }
    if (rc == 0)
        rc = survey_read(survey, &spans, what, visit_own, &filter, err);
    survey_spans_clear(&spans);
    kafka_places_free(places, place_count);
    return rc;
}

int order_records_read_inputs(struct survey *survey, const char *key, kafka_visit visit,
                              void *context, struct error *err)
{
    const struct topics *topics = &survey->topics;
    const char **names = mem_alloc(SPOT_INPUTS_ALL((size_t)topics->account_count) * sizeof(*names));
    int count = 0, rc;

    for (int group = 0; group < SPOT_GROUP_COUNT; group++)
        count += spot_inputs(topics, group, names + count);
    rc = read_topics(survey, key, names, count, "reading the topics", visit, context, err);
    free(names);
    return rc;
}

int order_records_read_fates(struct survey *survey, const char *key, kafka_visit visit,
                             void *context, struct error *err)
{
    const struct topics *topics = &survey->topics;
    const char *const fates[] = {topics->skipped, topics->delivered, topics->dead};

    return read_topics(survey, key, fates, 3, "reading the fates", visit, context, err);
}
