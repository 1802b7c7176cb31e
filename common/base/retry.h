/* retry.h - decides when, and whether, a failed call is tried again. Pure: no clock, no I/O. */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

#include <stdint.h>

struct retry_policy {
    int max_attempts; /* >= 1; 1: no second attempt; 0: no limit */
    int64_t base_ms;  /* longest first delay, > 0 */
    int64_t cap_ms;   /* longest computed delay; >= base_ms */
};

/**
 * @brief Delay before the next attempt: exponential backoff with a longest delay and full jitter.
 * @param policy          limits, see above
 * @param attempt         failures so far, >= 1
 * @param chance          uniform in [0, 1), drawn by the caller
 * @param retry_after_ms  what the server asked for, in ms, or -1 when it asked for nothing
 * @returns ms to wait, >= 0; -1 when no attempt is left
 * Source: RFC 9110 section 10.2.3 (Retry-After).
 */
int64_t retry_delay_ms(const struct retry_policy *policy, int attempt, double chance,
                       int64_t retry_after_ms);

/** @brief Index of the delay after so many failures of a record: 0 after failures 1 to 3, 1 after 4
 * to 6, 2 later. */
int retry_delay_index(int failures);

/** @brief A random number from [0, 1), for the jitter of a backoff, not for secrets.
 * Thread-safe. */
double retry_chance(void);

/* What is known about a record that must not be handed over before its time. */
struct retry_due {
    int64_t now_ms;        /* now, by this host's clock */
    int64_t not_before_ms; /* header not_before, written by the clock of the host that produced
                              the record */
    int64_t produced_ms;   /* when the broker took the record, by the broker's clock
                              (LogAppendTime); -1: not known */
    int64_t delay_ms;      /* delay of the retry topic; -1: the topic is no retry topic */
};

/**
 * @brief ms until a record is due; 0 when it is due now.
 *
 * In a retry topic a record is due when the topic's delay has passed since it was produced. Where
 * the broker's time is known, that time is used, so the clock of the host that wrote the record
 * does not matter. Where it is not known, the header is used. A wrong clock then costs the topic's
 * delay at most, because no record waits longer than that from now.
 */
int64_t retry_due_in_ms(const struct retry_due *due);

#endif
