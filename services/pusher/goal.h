/* goal.h - the goals of an order at the account. Each is achieved at most once: the account cannot
 * be asked whether one was, so a goal in doubt is recorded as such and never sent again. */
#ifndef PUSHER_GOAL_H
#define PUSHER_GOAL_H

#include "base/mem.h"
#include "delivery.h"

/* The name of each enum goal_result, as it stands in the ledger, in the records of the topic
 * `delivered` and in the metric. */
extern const char *const goal_results[GOAL_RESULT_COUNT];

/** @brief Achieves those goals of the payload that the ledger has no result for. */
enum progress goal_step(struct delivery *d);

/** @brief The body that achieves a goal. New: free(). Pure. */
struct text goal_body(const struct delivery *d, const struct goal *goal);

#endif
