/* test_config_store.c - the store that a person named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "settings/config.h"

static void test_a_store_is_named(void **state)
{
    static struct config_store stores[] = {{.hash = (char *)"abc123", .code = (char *)"BC"},
                                           {.hash = (char *)"abc124", .code = (char *)"EU"},
                                           {.hash = (char *)"eu", .code = (char *)"bc"}};
    const struct config config = {.stores = stores, .store_count = 3};
    static const struct {
        const char *word;
        int store; /* -1: none */
        const char *error;
    } cases[] = {
        {"abc123", 0, NULL},
        {"abc124", 1, NULL},
        {"EU", 1, NULL},
        {"Eu", 1, NULL},
        {"eu", 2, NULL}, /* a hash comes before a code */
        {"BC", -1, "2 stores have the code BC: name one by its hash"},
        {"bc", -1, "2 stores have the code bc: name one by its hash"},
        {"XX", -1, "no store has the code or hash XX"},
        {"", -1, "no store has the code or hash "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error err = {0};
        const struct config_store *found = config_store_named(&config, cases[i].word, &err);

        assert_ptr_equal(found, cases[i].store < 0 ? NULL : &stores[cases[i].store]);
        if (cases[i].error != NULL)
            assert_string_equal(err.text, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_store_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
