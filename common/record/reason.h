/* reason.h - the closed list of reasons: why an order is not in Infusionsoft (yet). A record, a log
 * line or an answer to a person names one of these and no other; each has one sentence for people.
 */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

enum reason {
    REASON_NONE = 0,
    /* skipped: by rule, nothing is wrong */
    REASON_ARCHIVED,
    REASON_STATUS,
    REASON_BEFORE_START,
    REASON_UNKNOWN_STATUS,
    REASON_NO_EMAIL,
    REASON_INVALID_EMAIL,
    /* dead: a person has to look */
    REASON_MALFORMED,
    REASON_TOO_LARGE,
    REASON_TOTAL_MISMATCH,
    REASON_CURRENCY_MISMATCH,
    REASON_REFUSED,
    REASON_GAVE_UP,
    REASON_POISON,
    /* waiting: on its way */
    REASON_NEXT_POLL,
    REASON_QUEUED,
    REASON_RETRYING,
    REASON_ACCOUNT_CLOSED,
    REASON_ECOMMERCE_UNAVAILABLE,
    REASON_IN_DOUBT,
    REASON_COUNT
};

/** @brief The word that stands in records, headers and logs, e.g. "no_email"; "" for REASON_NONE.
 * Static. */
const char *reason_name(enum reason reason);

/** @brief One sentence for people. Static. */
const char *reason_sentence(enum reason reason);

/** @brief The reason of that name (length bytes), or REASON_NONE. */
enum reason reason_of(const char *name, unsigned long length);

#endif
