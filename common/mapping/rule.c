#include "mapping/rule.h"

static int has_status(uint32_t statuses, int64_t status_id)
{
    return status_id >= 0 && status_id < ORDER_STATUS_COUNT && (statuses >> status_id & 1) != 0;
}

static enum reason find_reason(const struct rule_facts *facts)
{
    if (facts->archived)
        return REASON_ARCHIVED;
    if (!facts->asked_for && (facts->migrated || facts->placed_at_ms < facts->start_from_ms))
        return REASON_BEFORE_START;
    if (facts->status_id < 0 || facts->status_id >= ORDER_STATUS_COUNT)
        return REASON_UNKNOWN_STATUS;
    if (!has_status(facts->statuses, facts->status_id))
        return REASON_STATUS;
    switch (order_check_email(facts->email)) {
    case EMAIL_MISSING:
        return REASON_NO_EMAIL;
    case EMAIL_INVALID:
        return REASON_INVALID_EMAIL;
    default:
        return REASON_NONE;
    }
}

enum rule_answer rule_check(const struct rule_facts *facts, enum reason *reason)
{
    if (has_status(ORDER_STATUSES_WITHDRAWN, facts->status_id)) {
        int reachable = order_check_email(facts->email) == EMAIL_USABLE;

        *reason = reachable ? REASON_NONE : REASON_STATUS;
        return reachable ? RULE_WITHDRAWN : RULE_SKIP;
    }
    *reason = find_reason(facts);
    return *reason == REASON_NONE ? RULE_PASS : RULE_SKIP;
}
