/* rule.h - is this order to be synced, and if not, why. Pure: facts in, decision out. */
#ifndef FILTER_RULE_H
#define FILTER_RULE_H

#include <stdint.h>

#include "base/mem.h"
#include "record/order.h"
#include "record/reason.h"

/* What the rule needs to know. */
struct rule_facts {
    int64_t status_id;
    int64_t placed_at_ms;
    int64_t start_from_ms; /* orders placed before are not synced; 0: all are */
    uint32_t statuses;     /* bit i: the store syncs status i */
    int archived;          /* is_deleted */
    int migrated;          /* external_source is M-MIG: history, whatever its date */
    int asked_for; /* comes from a backfill, which carries history: start_from and migrated do not
                      count */
    struct text email; /* billing address, trimmed */
};

enum rule_answer {
    RULE_PASS = 0,
    RULE_WITHDRAWN, /* taken back: passed on so that nothing more is sent for it */
    RULE_SKIP,
};

/**
 * @brief Decides. Where several reasons hold, the first of: withdrawn, archived,
 * before_start, unknown_status, status, no_email, invalid_email. A withdrawn order without a usable
 * e-mail address is skipped `status`.
 * @param reason  out: why it is skipped, else REASON_NONE
 */
enum rule_answer rule_check(const struct rule_facts *facts, enum reason *reason);

#endif
