/* rule.h - decides whether an order is to be synced, and if not, why. Pure: facts in, decision
 * out. */
#ifndef COMMON_RULE_H
#define COMMON_RULE_H

#include <stdint.h>

#include "base/mem.h"
#include "record/order.h"
#include "record/reason.h"

/* What the rule needs to know about one order. */
struct rule_facts {
    int64_t status_id;
    int64_t placed_at_ms;
    int64_t start_from_ms; /* orders placed before this are not synced; 0: no limit */
    uint32_t statuses;     /* bit i: the store syncs status i */
    int archived;          /* is_deleted */
    int migrated;          /* external_source is M-MIG: a migrated order is history, whatever its
                              date */
    int asked_for;         /* comes from a backfill, which is there to carry history: start_from and
                              migrated are not looked at */
    struct text email;     /* billing address, trimmed */
};

enum rule_answer {
    RULE_PASS = 0,
    RULE_WITHDRAWN, /* refunded, cancelled and the like: passed on, so that the pusher delivers
                       no older version of it */
    RULE_SKIP,
};

/**
 * @brief Decides about one order. Where several reasons hold, the first of this list counts:
 * withdrawn, archived, before_start, unknown_status, status, no_email, invalid_email. A withdrawn
 * order without a usable e-mail address is skipped with reason `status`.
 * @param reason  out: why it is skipped, else REASON_NONE
 */
enum rule_answer rule_check(const struct rule_facts *facts, enum reason *reason);

#endif
