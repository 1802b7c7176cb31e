#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/currency.h"
#include "base/money.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int result;
        money amount; /* ten-thousandths */
    } cases[] = {
        {"72.2300", 0, 722300},
        {"0", 0, 0},
        {"0.0000", 0, 0},
        {"8", 0, 80000},
        {"-5.5", 0, -55000},
        {"+5.5", 0, 55000},
        {"00012.30", 0, 123000},
        {"0.00005", 0, 1}, /* half, away from zero */
        {"-0.00005", 0, -1},
        {"0.00004999", 0, 0},
        {"1.00049999", 0, 10005},
        {"1.23456", 0, 12346},
        {"999999999999.9999", 0, 9999999999999999},
        {"999999999999.99995", 0, 10000000000000000},
        {"1000000000000", -1, 0},
        {"-1000000000000", -1, 0},
        {"1e3", 0, 10000000},
        {"1.5E-2", 0, 150},
        {"12e-1", 0, 12000},
        {"1e+2", 0, 1000000},
        {"1e-400", 0, 0},
        {"1e400", -1, 0},
        {"1e99999999999999999999", -1, 0},
        {"0e999", 0, 0},
        {"123456789012345678901234567890e-20", 0, 12345678901235},
        {"0.000000000000000000000000000000000000000000000000000000000000000000000000001", 0, 0},
        {"1.0000000000000000000000000000000000000000000000000000000000000000000000000009", 0,
         10000},
        {"", -1, 0},
        {"-", -1, 0},
        {".", -1, 0},
        {".5", -1, 0},
        {"5.", -1, 0},
        {"1e", -1, 0},
        {"1e+", -1, 0},
        {"1e5.5", -1, 0},
        {"1,000.00", -1, 0},
        {"1.2.3", -1, 0},
        {" 1", -1, 0},
        {"1 ", -1, 0},
        {"$5", -1, 0},
        {"NaN", -1, 0},
        {"Infinity", -1, 0},
        {"0x10", -1, 0},
        {"--1", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        money amount = 0;
        int result = money_parse(text_of(cases[i].text), &amount);

        if (result != cases[i].result || (result == 0 && amount != cases[i].amount))
            fail_msg("money_parse(\"%s\"): %d, %lld", cases[i].text, result, (long long)amount);
    }
    assert_int_equal(money_parse((struct text){NULL, 0}, &(money){0}), -1);
}

static void test_to_minor(void **state)
{
    static const struct {
        money amount;
        int digits;
        int64_t minor;
    } cases[] = {
        {0, 2, 0},        {49, 2, 0},        {50, 2, 1},          {149, 2, 1},
        {150, 2, 2},      {-49, 2, 0},       {-50, 2, -1},        {-150, 2, -2},
        {10050, 2, 101},  {722300, 2, 7223}, {181818, 2, 1818},   {722300, 0, 72},
        {725000, 0, 73},  {-725000, 0, -73}, {55990000, 0, 5599}, {15554, 3, 1555},
        {15555, 3, 1556}, {15555, 4, 15555}, {-15555, 4, -15555},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (money_to_minor(cases[i].amount, cases[i].digits) != cases[i].minor)
            fail_msg("money_to_minor(%lld, %d)", (long long)cases[i].amount, cases[i].digits);
}

static void test_print_minor(void **state)
{
    static const struct {
        int64_t minor;
        int digits;
        const char *text;
    } cases[] = {
        {0, 2, "0"},
        {1, 2, "0.01"},
        {10, 2, "0.1"},
        {100, 2, "1"},
        {1109, 2, "11.09"},
        {1000, 2, "10"},
        {1010, 2, "10.1"},
        {-500, 2, "-5"},
        {-5, 2, "-0.05"},
        {-10, 2, "-0.1"},
        {100000000000000, 2, "1000000000000"},
        {INT64_MAX, 2, "92233720368547758.07"},
        {INT64_MIN, 2, "-92233720368547758.08"},
        {5599, 0, "5599"},
        {5590, 0, "5590"},
        {-1, 0, "-1"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {1, 3, "0.001"},
        {5599, 3, "5.599"},
        {5590, 3, "5.59"},
        {5000, 3, "5"},
        {-12, 3, "-0.012"},
        {10203, 4, "1.0203"},
        {INT64_MIN, 4, "-922337203685477.5808"},
    };
    char text[24];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(money_print_minor(text, cases[i].minor, cases[i].digits),
                            cases[i].text);
}

/* Against the whole of ISO 4217 as another implementation has it. */
static void test_currency_digits(void **state)
{
    FILE *file = fopen("tests/data/currency_digits.csv", "r");
    char line[256];
    int count = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#')
            continue;
        if (currency_digits((struct text){line, 3}) != line[4] - '0')
            fail_msg("currency_digits(%.3s)", line);
        count++;
    }
    fclose(file);
    assert_in_range(count, 160, 300);
    assert_int_equal(currency_digits(text_of("jpy")), 0);
    assert_int_equal(currency_digits(text_of("QQQ")), 2);
    assert_int_equal(currency_digits(text_of("JP")), 2);
    assert_int_equal(currency_digits(text_of("JPYX")), 2);
    assert_int_equal(currency_digits((struct text){NULL, 0}), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_to_minor),
        cmocka_unit_test(test_print_minor),
        cmocka_unit_test(test_currency_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
