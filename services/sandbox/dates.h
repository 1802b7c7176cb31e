/* dates.h - the date formats of both vendors. Pure.
 * BigCommerce writes RFC 2822 in orders, and accepts RFC 2822 and ISO 8601 in queries. Infusionsoft
 * has only ISO 8601. */
#ifndef SANDBOX_DATES_H
#define SANDBOX_DATES_H

#include <stdint.h>

#define DATE_SIZE 48 /* room for any date that is written here */

/**
 * @brief Reads RFC 2822 ("Tue, 05 Mar 2019 21:40:11 +0000") or ISO 8601 (zone optional, then UTC;
 * or a bare date).
 * @param seconds  receives seconds since 1970
 * @returns 0, or -1 when the text is neither
 */
int date_parse(const char *text, int64_t *seconds);

/** @brief Reads ISO 8601 with date, time and zone; all three must be there. @returns 0 or -1 */
int date_parse_iso(const char *text, int64_t *ms);

/** @brief Writes "Tue, 05 Mar 2019 21:40:11 +0000" into target[DATE_SIZE]. @returns target */
const char *date_rfc2822(char *target, int64_t seconds);

/** @brief Writes "Tue, 05 Mar 2019 21:40:11 GMT", as the Date header has it. @returns target */
const char *date_http(char *target, int64_t seconds);

/** @brief Writes "2019-03-05T21:40:11.123Z" into target[DATE_SIZE]. @returns target */
const char *date_iso(char *target, int64_t ms);

#endif
