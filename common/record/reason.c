#include "record/reason.h"

#include <string.h>

static const struct {
    const char *name;
    const char *sentence;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"", ""},
    [REASON_ARCHIVED] = {"archived", "The order was archived in the store."},
    [REASON_STATUS] = {"status", "The order's status is one that is not synced."},
    [REASON_BEFORE_START] =
        {"before_start", "The order was placed before the store's start_from, or was migrated."},
    [REASON_UNKNOWN_STATUS] = {"unknown_status", "The order has a status id that is not known."},
    [REASON_NO_EMAIL] = {"no_email", "The order's billing address has no e-mail address."},
    [REASON_INVALID_EMAIL] = {"invalid_email", "The order's e-mail address is not a usable one."},
    [REASON_DROPPED] = {"dropped", "An operator dropped the order; the audit says why."},
    [REASON_MALFORMED] = {"malformed", "The record cannot be read as what it should be."},
    [REASON_TOO_LARGE] = {"too_large", "The record is larger than a topic may hold."},
    [REASON_TOTAL_MISMATCH] = {"total_mismatch",
                               "The order's lines do not add up to the store's total."},
    [REASON_CURRENCY_MISMATCH] = {"currency_mismatch",
                                  "The order's currency is not the Infusionsoft account's."},
    [REASON_REFUSED] = {"refused", "The vendor refused the call for good."},
    [REASON_GAVE_UP] = {"gave_up", "Every attempt failed, and no more are made by themselves."},
    [REASON_POISON] = {"poison", "A program ended under the record again and again."},
    [REASON_NEXT_POLL] = {"next_poll", "The store has not been asked since the order was placed."},
    [REASON_QUEUED] = {"queued", "The order waits for its turn at a stage."},
    [REASON_RETRYING] = {"retrying", "An attempt failed; the next one has a time."},
    [REASON_ACCOUNT_CLOSED] = {"account_closed",
                               "The Infusionsoft account cannot be reached for now."},
    [REASON_ECOMMERCE_UNAVAILABLE] = {"ecommerce_unavailable",
                                      "The Infusionsoft account has no e-commerce module."},
    [REASON_IN_DOUBT] = {"in_doubt",
                         "A call's answer was lost; its effect is looked up before going on."},
};

const char *reason_name(enum reason reason) { return reasons[reason].name; }

const char *reason_sentence(enum reason reason) { return reasons[reason].sentence; }

enum reason reason_of(const char *name, unsigned long length)
{
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        if (strlen(reasons[i].name) == length && memcmp(reasons[i].name, name, length) == 0)
            return (enum reason)i;
    return REASON_NONE;
}
