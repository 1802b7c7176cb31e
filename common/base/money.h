/* money.h - reads and prints amounts, as whole numbers of ten-thousandths. There is no floating
 * point in it. */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdint.h>

#include "base/mem.h"

/* Ten-thousandths of the major unit: "72.23" is 722300. At most 12 digits before the point. */
typedef int64_t money;

/**
 * @brief Reads a decimal number: optional sign, digits, optional fraction, optional exponent, as
 * numbers in JSON are written. Digits after the fourth decimal are rounded half away from zero.
 * @returns 0, or -1 when it is not a number or out of range
 */
int money_parse(struct text text, money *amount);

/**
 * @brief The value of one smallest unit of a currency: with two decimals it is 100 ten-thousandths.
 * @param digits  the currency's decimals, 0 to 4, see currency_digits()
 */
money money_minor_unit(int digits);

/** @brief The amount in whole smallest units (cents, where the currency has two decimals), rounded
 * half away from zero. */
int64_t money_to_minor(money amount, int digits);

/**
 * @brief Prints an amount in smallest units as a decimal in major units, without needless zeros.
 * With two decimals 1109 is "11.09", 1000 is "10", -500 is "-5", 1010 is "10.1".
 * @param target  at least 24 bytes
 * @returns target
 */
char *money_print_minor(char *target, int64_t minor, int digits);

#endif
