/* rebuild_plan.h - what a rebuild of the ledger reads of a partition, and which of its records a
 * pusher may have begun (docs/ledger.md, marks). Pure. */
#ifndef PUSHER_REBUILD_PLAN_H
#define PUSHER_REBUILD_PLAN_H

#include <stdint.h>

#include "net/kafka_group.h"
#include "record/topic.h"

enum rebuild_kind {
    REBUILD_FATE = 0, /* delivered, dead, skipped: read whole */
    REBUILD_PAYLOAD,  /* read up to the mark: nobody has begun what lies behind it */
    REBUILD_WAITING,  /* retry-*, waiting*: read to the end, a pusher wrote each record */
};

/* One partition. */
struct rebuild_part {
    enum rebuild_kind kind;
    const char *topic; /* borrowed from the place */
    int32_t partition;
    int64_t from, to;   /* what is read: [from, to) */
    int64_t touched_to; /* records below it may have been begun by a pusher; 0: none was */
    int is_marked;      /* its mark was found: else all of it may have been begun */
};

/** @brief Whether the topic is the payloads' or one that a pusher wrote orders back into. */
enum rebuild_kind rebuild_plan_kind(const struct topics *topics, const char *topic);

/**
 * @brief What to read of a partition. Each thing that is not known (no commit, no mark, a commit
 * behind the end as after the topic was made anew) makes more records count as begun.
 */
struct rebuild_part rebuild_plan_part(enum rebuild_kind kind, const struct kafka_place *place);

/** @brief Sorts parts, for rebuild_plan_find(). */
void rebuild_plan_sort(struct rebuild_part *parts, int count);

/** @brief The part of that topic and partition; NULL: none. */
const struct rebuild_part *rebuild_plan_find(const struct rebuild_part *parts, int count,
                                             const char *topic, int32_t partition);

#endif
