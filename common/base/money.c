#include "base/money.h"

#include <stdio.h>
#include <string.h>

enum {
    DIGITS_MAX = 64, /* significant digits that are read; further digits cannot change the
                        rounded result */
    WHOLE_DIGITS_MAX = 12,
    DECIMALS = 4,
    EXPONENT_MAX = 1000,
};

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* A decimal number: 0.d1 d2 d3 ... times 10 to the power of point. */
struct decimal {
    char digits[DIGITS_MAX];
    int count;
    int point;
};

/* Adds one digit from before (whole) or after the point. Leading zeros are dropped. */
static void decimal_add(struct decimal *decimal, char digit, int whole)
{
    if (decimal->count == 0 && digit == '0') {
        if (!whole)
            decimal->point--;
        return;
    }
    if (whole)
        decimal->point++;
    if (decimal->count < DIGITS_MAX)
        decimal->digits[decimal->count++] = (char)(digit - '0');
}

/* Reads an exponent such as "e+12", beginning behind the e and up to the end. @returns 0, or -1
 * when it is not one */
static int parse_exponent(const char *at, const char *end, int *exponent)
{
    int negative = at < end && *at == '-';
    int value = 0;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return -1;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return -1;
        if (value < EXPONENT_MAX)
            value = value * 10 + (*at - '0');
    }
    *exponent = negative ? -value : value;
    return 0;
}

static int decimal_to_money(const struct decimal *decimal, money *amount)
{
    int64_t value = 0;
    int wanted = decimal->point + DECIMALS;

    if (decimal->count == 0 || wanted < 0) {
        *amount = 0;
        return 0;
    }
    if (decimal->point > WHOLE_DIGITS_MAX)
        return -1;
    for (int i = 0; i < wanted; i++)
        value = value * 10 + (i < decimal->count ? decimal->digits[i] : 0);
    if (wanted < decimal->count && decimal->digits[wanted] >= 5)
        value++;
    *amount = value;
    return 0;
}

int money_parse(struct text text, money *amount)
{
    struct decimal decimal = {.count = 0};
    const char *at = text.data;
    const char *end;
    int negative, exponent = 0;

    if (at == NULL || text.length == 0)
        return -1;
    end = at + text.length;
    negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (at == end || !is_digit(*at))
        return -1;
    for (; at < end && is_digit(*at); at++)
        decimal_add(&decimal, *at, 1);
    if (at < end && *at == '.') {
        at++;
        if (at == end || !is_digit(*at))
            return -1;
        for (; at < end && is_digit(*at); at++)
            decimal_add(&decimal, *at, 0);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (parse_exponent(at + 1, end, &exponent) != 0)
            return -1;
        at = end;
    }
    if (at != end)
        return -1;
    decimal.point += exponent;
    if (decimal_to_money(&decimal, amount) != 0)
        return -1;
    if (negative)
        *amount = -*amount;
    return 0;
}

money money_minor_unit(int digits)
{
    static const money units[] = {10000, 1000, 100, 10, 1};

    return units[digits];
}

int64_t money_to_minor(money amount, int digits)
{
    money unit = money_minor_unit(digits);

    return amount < 0 ? -((-amount + unit / 2) / unit) : (amount + unit / 2) / unit;
}

char *money_print_minor(char *target, int64_t minor, int digits)
{
    uint64_t size = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    char reversed[24];
    int count = 0;
    char *at = target;

    for (int i = 0; i < digits; i++) {
        unsigned digit = (unsigned)(size % 10);

        size /= 10;
        if (digit != 0 || count > 0)
            reversed[count++] = (char)('0' + digit);
    }
    if (count > 0)
        reversed[count++] = '.';
    do {
        reversed[count++] = (char)('0' + size % 10);
        size /= 10;
    } while (size > 0);
    if (minor < 0)
        *at++ = '-';
    while (count > 0)
        *at++ = reversed[--count];
    *at = '\0';
    return target;
}
