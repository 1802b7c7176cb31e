#include "history/spot.h"

#include <string.h>

const char *const spot_groups[SPOT_GROUP_COUNT] = {"filter", "mapper", "pusher"};

static int find(char *const *names, int count, const char *topic)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], topic) == 0)
            return i;
    return -1;
}

/* The stage of a lane that the topic is; kind SPOT_NONE where it is none. */
static struct spot spot_of_lane(const struct topics *topics, const char *topic)
{
    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        char *const names[] = {topics->lanes[i].raw, topics->lanes[i].eligible,
                               topics->lanes[i].payloads};
        int stage = find(names, 3, topic);

        if (stage >= 0)
            return (struct spot){(enum spot_kind)(SPOT_RAW + stage), 0, names[stage]};
    }
    return (struct spot){SPOT_NONE, 0, NULL};
}

struct spot spot_of(const struct topics *topics, const char *topic)
{
    const struct {
        enum spot_kind kind;
        char *const *names;
        int count;
    } kinds[] = {
        {SPOT_RETRY, topics->retry, TOPIC_RETRY_COUNT},
        {SPOT_SKIPPED, &topics->skipped, 1},
        {SPOT_DELIVERED, &topics->delivered, 1},
        {SPOT_DEAD, &topics->dead, 1},
        {SPOT_WAITING, topics->waiting, topics->account_count},
        {SPOT_WAITING_ORDERS, topics->waiting_orders, topics->account_count},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        int index = find(kinds[i].names, kinds[i].count, topic);

        if (index >= 0)
            return (struct spot){kinds[i].kind, index, kinds[i].names[index]};
    }
    return spot_of_lane(topics, topic);
}

/* The prefix ends where `skipped` begins in that topic's name. */
const char *spot_name(const struct topics *topics, const char *topic)
{
    size_t prefix = strlen(topics->skipped) - strlen("skipped");
    size_t lane = strlen("orders.");

    if (strlen(topic) < prefix || strncmp(topic, topics->skipped, prefix) != 0)
        return topic;
    return strncmp(topic + prefix, "orders.", lane) == 0 ? topic + prefix + lane : topic + prefix;
}

int spot_inputs(const struct topics *topics, int group, const char **inputs)
{
    int count = 0;

    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        inputs[count++] = group == 0   ? topics->lanes[i].raw
                          : group == 1 ? topics->lanes[i].eligible
                                       : topics->lanes[i].payloads;
    if (group < 2)
        return count;
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        inputs[count++] = topics->retry[i];
    for (int i = 0; i < topics->account_count; i++)
        inputs[count++] = topics->waiting[i];
    for (int i = 0; i < topics->account_count; i++)
        inputs[count++] = topics->waiting_orders[i];
    return count;
}
