/* reason.h - the list of all reasons why an order is not in Infusionsoft, or not yet. Records, log
 * lines and answers to people name a reason of this list and no other. Each has one sentence for
 * people. */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

enum reason {
    REASON_NONE = 0,
    /* skipped: a rule says so; nothing is wrong */
    REASON_ARCHIVED,
    REASON_STATUS,
    REASON_BEFORE_START,
    REASON_UNKNOWN_STATUS,
    REASON_NO_EMAIL,
    REASON_INVALID_EMAIL,
    REASON_DROPPED, /* an operator said so */
    /* dead: a person has to look */
    REASON_MALFORMED,
    REASON_TOO_LARGE,
    REASON_TOTAL_MISMATCH,
    REASON_CURRENCY_MISMATCH,
    REASON_REFUSED,
    REASON_GAVE_UP,
    REASON_POISON,
    /* waiting: the order is on its way */
    REASON_NEXT_POLL,
    REASON_QUEUED,
    REASON_RETRYING,
    REASON_ACCOUNT_CLOSED,
    REASON_ECOMMERCE_UNAVAILABLE,
    REASON_IN_DOUBT,
    REASON_COUNT
};

/** @brief The word for it in records, headers and logs, e.g. "no_email"; "" for REASON_NONE.
 * Static. */
const char *reason_name(enum reason reason);

/** @brief One sentence for people. Static. */
const char *reason_sentence(enum reason reason);

/** @brief The reason of that name (length bytes), or REASON_NONE. */
enum reason reason_of(const char *name, unsigned long length);

#endif
