/* retry.h - when, and whether, to try a failed call again. Pure: no clock, no I/O. */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

#include <stdint.h>

struct retry_policy {
    int max_attempts; /* >= 1; 1 means never again; 0: for ever */
    int64_t base_ms;  /* longest first delay, > 0 */
    int64_t cap_ms;   /* no computed delay is longer; >= base_ms */
};

/**
 * @brief Delay before the next attempt: capped exponential backoff, full jitter.
 * @param policy          limits, see above
 * @param attempt         failures so far, >= 1
 * @param chance          uniform in [0, 1), drawn by the caller
 * @param retry_after_ms  what the server asked for, in ms, or -1 when it asked nothing
 * @returns ms to wait, >= 0; -1 when no attempt is left
 * Source: RFC 9110 section 10.2.3 (Retry-After).
 */
int64_t retry_delay_ms(const struct retry_policy *policy, int attempt, double chance,
                       int64_t retry_after_ms);

/** @brief A failing record's schedule, three delays: 0 after failures 1 to 3, 1 after 4 to 6, 2
 * later. */
int retry_delay_index(int failures);

/** @brief A draw from [0, 1) for backoff jitter; not for secrets. Thread-safe. */
double retry_chance(void);

/* A record that is not to be handed over before its time. */
struct retry_due {
    int64_t now_ms;        /* this host's clock */
    int64_t not_before_ms; /* the header: the clock of the host that wrote it */
    int64_t produced_ms; /* when the broker took it, by the broker's clock (LogAppendTime); -1: not
                            known */
    int64_t delay_ms;    /* the retry topic's own delay; -1: it is no retry topic */
};

/**
 * @brief ms until a record is due, 0 when it is. In a retry topic a record is due at the time it
 * was produced + the topic's delay. The broker's time of that counts where it is known, so the
 * clock of the host that wrote the record does not matter; without it the header counts, and a
 * wrong clock costs the topic's delay at most: nothing waits longer than that from now.
 */
int64_t retry_due_in_ms(const struct retry_due *due);

#endif
