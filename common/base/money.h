/* money.h - amounts as whole ten-thousandths, from text to text. No floating point anywhere. */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdint.h>

#include "base/mem.h"

/* Ten-thousandths of a major unit: "72.23" is 722300. At most 12 digits before the point. */
typedef int64_t money;

/**
 * @brief Reads a decimal number: optional sign, digits, optional fraction, optional exponent as
 * JSON numbers may have. Digits after the fourth decimal are rounded half away from zero.
 * @returns 0, or -1 when it is not a number or out of range
 */
int money_parse(struct text text, money *amount);

/** @brief One of the smallest unit of a currency: 100 ten-thousandths for two decimals.
 * @param digits  the currency's decimals, 0 to 4, see currency_digits() */
money money_minor_unit(int digits);

/** @brief Whole smallest units (cents, where the currency has two decimals), rounded half away from
 * zero ("half up" for the amounts of a shop). */
int64_t money_to_minor(money amount, int digits);

/**
 * @brief Prints smallest units as a decimal in major units without needless zeros; with two
 * decimals 1109 is "11.09", 1000 "10", -500 "-5", 1010 "10.1".
 * @param target  at least 24 bytes
 * @returns target
 */
char *money_print_minor(char *target, int64_t minor, int digits);

#endif
