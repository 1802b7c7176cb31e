#include "rebuild_plan.h"

#include <stdlib.h>
#include <string.h>

enum rebuild_kind rebuild_plan_kind(const struct topics *topics, const char *topic)
{
    if (strcmp(topic, topics->delivered) == 0 || strcmp(topic, topics->dead) == 0 ||
        strcmp(topic, topics->skipped) == 0)
        return REBUILD_FATE;
    return topics_is_payloads(topics, topic) ? REBUILD_PAYLOAD : REBUILD_WAITING;
}

struct rebuild_part rebuild_plan_part(enum rebuild_kind kind, const struct kafka_place *place)
{
    int is_committed = place->committed >= 0 && place->committed <= place->end;
    struct rebuild_part part = {.kind = kind,
                                .topic = place->topic,
                                .partition = place->partition,
                                .from = place->low,
                                .to = place->end};

    if (kind == REBUILD_FATE) {
        part.is_marked = 1;
    } else {
        if (is_committed && place->committed > place->low)
            part.from = place->committed;
        part.is_marked = is_committed && place->mark >= 0;
        part.touched_to = part.is_marked ? place->mark : INT64_MAX;
        if (kind == REBUILD_PAYLOAD && part.touched_to < part.to)
            part.to = part.touched_to;
    }
    if (part.to < part.from)
        part.to = part.from;
    return part;
}

static int compare(const void *left, const void *right)
{
    const struct rebuild_part *a = left, *b = right;
    int order = strcmp(a->topic, b->topic);

    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

void rebuild_plan_sort(struct rebuild_part *parts, int count)
{
    qsort(parts, (size_t)count, sizeof(*parts), compare);
}

const struct rebuild_part *rebuild_plan_find(const struct rebuild_part *parts, int count,
                                             const char *topic, int32_t partition)
{
    struct rebuild_part wanted = {.topic = topic, .partition = partition};

    return count == 0 ? NULL : bsearch(&wanted, parts, (size_t)count, sizeof(*parts), compare);
}
