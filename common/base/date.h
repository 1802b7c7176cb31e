/* date.h - reads and writes dates. An instant is ms since 1970-01-01 UTC. Pure: no clock, no time
 * zone data. */
#ifndef COMMON_DATE_H
#define COMMON_DATE_H

#include <stdint.h>

#include "base/mem.h"

/**
 * @brief Reads an RFC 2822 date as BigCommerce orders have it: "Tue, 05 Mar 2019 21:40:11 +0000".
 * The weekday may be missing and is not checked; seconds may be missing; the zone is +hhmm, -hhmm,
 * GMT, UT, UTC or Z.
 * @returns 0, or -1 when the text is no such date (also: a day that the month does not have)
 */
int date_parse_rfc2822(struct text text, int64_t *at_ms);

/** @brief Reads what date_print_iso() prints, as the customers of BigCommerce have it. A zone of +00:00
 * stands for Z. @returns 0, or -1 when the text is no such date */
int date_parse_utc(struct text text, int64_t *at_ms);

enum { DATE_ISO_BYTES = 32 };

/**
 * @brief Prints whole seconds as ISO 8601 in UTC: "2019-03-05T21:40:11Z". Years 0 to 9999.
 * @returns target
 */
char *date_print_iso(char target[DATE_ISO_BYTES], int64_t at_ms);

#endif
