#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "money.h"

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

static void test_to_cents(void **state)
{
    static const struct {
        money amount;
        int64_t cents;
    } cases[] = {
        {0, 0},    {49, 0},    {50, 1},      {149, 1},       {150, 2},       {-49, 0},
        {-50, -1}, {-150, -2}, {10050, 101}, {722300, 7223}, {181818, 1818},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (money_to_cents(cases[i].amount) != cases[i].cents)
            fail_msg("money_to_cents(%lld)", (long long)cases[i].amount);
}

static void test_print_cents(void **state)
{
    static const struct {
        int64_t cents;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "0.01"},
        {10, "0.1"},
        {100, "1"},
        {1109, "11.09"},
        {1000, "10"},
        {1010, "10.1"},
        {-500, "-5"},
        {-5, "-0.05"},
        {-10, "-0.1"},
        {100000000000000, "1000000000000"},
        {INT64_MAX, "92233720368547758.07"},
        {INT64_MIN, "-92233720368547758.08"},
    };
    char text[24];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(money_print_cents(text, cases[i].cents), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_to_cents),
        cmocka_unit_test(test_print_cents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
