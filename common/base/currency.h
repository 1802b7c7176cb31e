/* currency.h - how many decimals a currency has. Pure. */
#ifndef COMMON_CURRENCY_H
#define COMMON_CURRENCY_H

#include "base/mem.h"

/**
 * @brief Decimals of a currency by its ISO 4217 code, case ignored: USD 2, JPY 0, KWD 3.
 * @returns 0 to 4; 2 for every code that is not in the list of exceptions
 */
int currency_digits(struct text code);

#endif
