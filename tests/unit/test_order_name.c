/* How orders, customers and products are named on a command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "history/order_name.h"

static struct config_store stores[] = {
    {.code = (char *)"BC", .hash = (char *)"abc123", .account = (char *)"main"},
    {.code = (char *)"Shop One", .hash = (char *)"abc124", .account = (char *)"main"},
    {.code = (char *)"S/2", .hash = (char *)"abc125", .account = (char *)"other"},
    {.code = (char *)"BC", .hash = (char *)"abc126", .account = (char *)"other"},
};
static const struct config config = {.stores = stores, .store_count = 4};

static void test_order_name_parse(void **state)
{
    static const struct {
        const char *words[2];
        const char *key;   /* NULL: refused */
        const char *error; /* a part of it */
    } cases[] = {
        {{"Shop One/1042"}, "abc124/order/1042", NULL},
        {{"Shop One #1042"}, "abc124/order/1042", NULL},
        {{"shop one", "#1042"}, "abc124/order/1042", NULL},
        {{"Shop One#1042"}, "abc124/order/1042", NULL},
        {{"S/2/1042"}, "abc125/order/1042", NULL},
        {{"abc123/order/1042"}, "abc123/order/1042", NULL},
        {{" abc123/order/1042 "}, "abc123/order/1042", NULL},
        {{"unknown9/order/7"}, "unknown9/order/7", NULL},
        {{"S/2/007"}, "abc125/order/7", NULL},
        {{"abc123/order/007"}, "abc123/order/7", NULL},
        {{"BC/1042"}, NULL, "more than one store can be meant"},
        {{"1042"}, NULL, "more than one store can be meant"},
        {{"XX/1042"}, NULL, "no store has the code XX. Codes and hashes: BC (abc123), Shop One"},
        {{"abc123/contact/7"},
         NULL,
         "abc123/contact/7 is a customer or a product, no order; bigfusion trace"},
        {{"abc123/product/7"}, NULL, "abc123/product/7 is a customer or a product, no order"},
        {{"abc123/other/7"}, NULL, "no store has the code abc123/other"},
        {{"Shop One/"}, NULL, "is no order"},
        {{"Shop One/10x"}, NULL, "is no order"},
        {{"Shop One/123456789012345678901"}, NULL, "is no order"},
        {{""}, NULL, "is no order"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *words[] = {(char *)(uintptr_t)cases[i].words[0],
                         (char *)(uintptr_t)cases[i].words[1]};
        char key[ORDER_KEY_BYTES] = "";
        struct error err = {0};
        int rc = order_name_parse(&config, words, words[1] != NULL ? 2 : 1, key, &err);

        print_message("%s\n", cases[i].words[0]);
        assert_int_equal(rc, cases[i].key != NULL ? 0 : -1);
        if (rc == 0) {
            assert_string_equal(key, cases[i].key);
        } else {
            assert_int_equal(err.kind, ERROR_PERMANENT);
            assert_non_null(strstr(err.text, cases[i].error));
        }
    }
}

static void test_order_name_of_a_single_store(void **state)
{
    struct config one = config;
    char *words[] = {(char *)"118"};
    char key[ORDER_KEY_BYTES], name[ORDER_NAME_BYTES];
    struct error err = {0};

    (void)state;
    one.store_count = 1;
    assert_int_equal(order_name_parse(&one, words, 1, key, &err), 0);
    assert_string_equal(key, "abc123/order/118");
    assert_string_equal(order_name_print(&one, key, name), "BC #118");
    assert_string_equal(order_name_print(&one, "abc999/order/118", name), "abc999/order/118");
    assert_string_equal(order_name_print(&one, "abc123/contact/7", name), "BC customer 7");
    assert_string_equal(order_name_print(&one, "abc123/product/7", name), "BC product 7");
}

static void test_record_name_parse(void **state)
{
    static const char *const cases[][2] = {{"abc123/contact/7", "abc123/contact/7"},
                                           {" abc123/product/007 ", "abc123/product/7"},
                                           {"abc123/order/7", "abc123/order/7"},
                                           {"Shop One/7", "abc124/order/7"},
                                           {"unknown9/contact/7", "unknown9/contact/7"}};
    char *wrong[] = {(char *)"abc123/contact/x"};
    char key[ORDER_KEY_BYTES];
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *words[] = {(char *)(uintptr_t)cases[i][0]};

        assert_int_equal(record_name_parse(&config, words, 1, key, &err), 0);
        assert_string_equal(key, cases[i][1]);
    }
    assert_int_equal(record_name_parse(&config, wrong, 1, key, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_name_parse),
        cmocka_unit_test(test_order_name_of_a_single_store),
        cmocka_unit_test(test_record_name_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
