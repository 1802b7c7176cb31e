/* test_config_store.c - the store that a person named, and the custom fields of a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

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

static void test_fields_are_checked(void **state)
{
    static const char path[] = "allowed: the path of a member",
                      label[] = "allowed after field.: the label";
    static const struct {
        const char *label, *path;
        const char *refused; /* how the reason begins; NULL: it is added */
    } cases[] = {
        {"Paid with", "payment_method", NULL},
        {"Gr\xc3\xb6\xc3\x9f"
         "e",
         "consignments.shipping.0.line_items.10.sku", NULL},
        {"paid with", "a", NULL},
        {"Paid with", "status", "given twice"},
        {"A", "", path},
        {"A", ".a", path},
        {"A", "a.", path},
        {"A", "a..b", path},
        {"A", "a b", path},
        {"A", "a[0]", path},
        {"A", "{a}", path},
        {"A", "Payment", path},
        {"A", "0.a", path},
        {"A", "a234567890123456789012345678901234567890123456789012345678901234", NULL},
        {"B", "a2345678901234567890123456789012345678901234567890123456789012345", path},
        {"", "a", label},
        {"A\tB", "a", label},
        {"A234567890123456789012345678901234567890123", "a", NULL},
        {"A2345678901234567890123456789012345678901234", "a", label},
        {"BigCommerce Order", "a", label},
    };
    struct config_fields fields = {0};
    int added = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *why = config_fields_add(&fields, cases[i].label, cases[i].path);

        added += cases[i].refused == NULL;
        if ((why == NULL) != (cases[i].refused == NULL) ||
            (why != NULL && strncmp(why, cases[i].refused, strlen(cases[i].refused)) != 0))
            fail_msg("%s = %s: %s", cases[i].label, cases[i].path, why != NULL ? why : "added");
        assert_int_equal(fields.count, added);
    }
    while (fields.count < CONFIG_FIELDS_MAX) {
        char name[16];

        snprintf(name, sizeof(name), "n%d", fields.count);
        assert_null(config_fields_add(&fields, name, "a"));
    }
    assert_string_equal(config_fields_add(&fields, "one more", "a"),
                        "allowed: 20 fields for each store");
    config_fields_free(&fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_store_is_named),
        cmocka_unit_test(test_fields_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
