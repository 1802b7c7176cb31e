/* rebuild_plan.h - which records of a partition a rebuild of the ledger reads, and which of them a
 * pusher may have begun. docs/ledger.md explains the marks that tell it. Pure. */
#ifndef PUSHER_REBUILD_PLAN_H
#define PUSHER_REBUILD_PLAN_H

#include <stdint.h>

#include "net/kafka_group.h"
#include "record/topic.h"

enum rebuild_kind {
    REBUILD_FATE = 0, /* delivered, dead, skipped: read whole */
    REBUILD_PAYLOAD,  /* read up to the mark, since no pusher has begun a record behind it */
    REBUILD_WAITING,  /* retry-*, waiting*: read to the end, since a pusher wrote each record */
};

/* One partition. */
struct rebuild_part {
    enum rebuild_kind kind;
    const char *topic; /* borrowed from the place */
    int32_t partition;
    int64_t from, to;   /* what is read: [from, to) */
    int64_t touched_to; /* a pusher may have begun the records below it; 0: it has begun none */
    int is_marked;      /* its mark was found; without it every record may have been begun */
};

/** @brief Which kind of topic it is. */
enum rebuild_kind rebuild_plan_kind(const struct topics *topics, const char *topic);

/**
 * @brief What to read of a partition. Where something is not known, more records count as begun:
 * where there is no commit, where there is no mark, and where the commit lies behind the end, as
 * after the topic was deleted and created again.
 */
struct rebuild_part rebuild_plan_part(enum rebuild_kind kind, const struct kafka_place *place);

/** @brief Sorts parts, for rebuild_plan_find(). */
void rebuild_plan_sort(struct rebuild_part *parts, int count);

/** @brief The part of that topic and partition; NULL: none. */
const struct rebuild_part *rebuild_plan_find(const struct rebuild_part *parts, int count,
                                             const char *topic, int32_t partition);

#endif
