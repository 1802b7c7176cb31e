/* fate_count.h - counts orders by their fate. Pure.
 *
 * A compacted topic may still hold several records of one key, and an order may have records in
 * several topics. So each order is kept, by 64 bits of a hash of its key, and counts once. That
 * needs 64 to 128 bytes for each order. */
#ifndef INSPECTOR_FATE_COUNT_H
#define INSPECTOR_FATE_COUNT_H

#include <stdint.h>

#include "record/event.h"
#include "record/reason.h"
#include "record/topic.h"

struct fate_slot; /* opaque */

/* Embedded; release with fate_count_clear(). */
struct fate_count {
    struct fate_slot *slots;
    size_t slot_count, count;
};

void fate_count_init(struct fate_count *table);
void fate_count_clear(struct fate_count *table);

/** @brief Adds a record of `delivered`, `skipped` or `dead`. Records of one topic and key come in
 * the order of their offsets; the topics may come in any order. */
void fate_count_add(struct fate_count *table, const struct topics *topics,
                    const struct event *event);

/* How many orders have which fate. */
struct fate_numbers {
    int64_t delivered;
    int64_t skipped, dead;            /* all reasons together */
    int64_t skipped_by[REASON_COUNT]; /* by reason; REASON_NONE: one that is not known */
    int64_t dead_by[REASON_COUNT];
};

/** @brief Adds up. The fate is delivered where the order ever was, else that of the newest
 * version. */
void fate_count_sum(const struct fate_count *table, struct fate_numbers *numbers);

#endif
