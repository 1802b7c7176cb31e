/* duration.h - durations as people write and read them. Pure. */
#ifndef COMMON_DURATION_H
#define COMMON_DURATION_H

#include <stdint.h>

enum { DURATION_TEXT_BYTES = 40 };

/**
 * @brief Reads a duration: a whole number with one of the units s, m, h, d, such as 5m.
 * @returns ms, or -1 when it is none, or longer than 100 years
 */
int64_t duration_parse(const char *text);

/**
 * @brief Reads a moment in the past: a duration before now_ms, or a date or a time in UTC, such as
 * 2026-01-31, 2026-01-31T10:00Z or 2026-01-31T10:00:00Z.
 * @returns ms since 1970, never below 0; -1 when it is none of these
 */
int64_t since_parse(const char *text, int64_t now_ms);

/** @brief Writes a duration with its two greatest units: 42 s, 5 min 3 s, 2 h 5 min, 3 d 4 h.
 * Negative ones are written as 0 s. @returns text */
const char *duration_print(int64_t duration_ms, char text[DURATION_TEXT_BYTES]);

#endif
