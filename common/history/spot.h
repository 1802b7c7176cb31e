/* spot.h - where an order can be: the topics of the pipeline as stages. Pure. */
#ifndef COMMON_SPOT_H
#define COMMON_SPOT_H

#include "record/topic.h"

/* In the order in which a record passes them. */
enum spot_kind {
    SPOT_NONE = 0, /* no topic of the orders */
    SPOT_RAW,
    SPOT_ELIGIBLE,
    SPOT_PAYLOADS,
    SPOT_RETRY,
    SPOT_WAITING,
    SPOT_WAITING_ORDERS,
    SPOT_SKIPPED,
    SPOT_DELIVERED,
    SPOT_DEAD,
};

struct spot {
    enum spot_kind kind;
    int index;         /* RETRY: which retry topic; WAITING, WAITING_ORDERS: the account; else 0 */
    const char *topic; /* the topic's full name, borrowed from topics */
};

/** @brief The stage that a topic belongs to; kind SPOT_NONE where it is none of them. */
struct spot spot_of(const struct topics *topics, const char *topic);

/** @brief How the stage is called: the topic's name without prefix, and without the lane of
 * the orders: "raw", "history.raw", "retry-1m", "waiting.main". Points into topic. */
const char *spot_name(const struct topics *topics, const char *topic);

/* Of the services that read topics: whose consumer group reads a stage. */
enum { SPOT_GROUP_COUNT = 3 };
extern const char *const spot_groups[SPOT_GROUP_COUNT]; /* "filter", "mapper", "pusher" */

/**
 * @brief The topics that a service reads, in the order in which records pass them.
 * @param group   index into spot_groups
 * @param inputs  out, borrowed from topics; room for SPOT_INPUTS(topics->account_count)
 * @returns how many
 */
#define SPOT_INPUTS(account_count) (TOPIC_LANE_COUNT + TOPIC_RETRY_COUNT + 2 * (account_count))
/* Room for the inputs of all services together. */
#define SPOT_INPUTS_ALL(account_count) (2 * TOPIC_LANE_COUNT + SPOT_INPUTS(account_count))
int spot_inputs(const struct topics *topics, int group, const char **inputs);

#endif
