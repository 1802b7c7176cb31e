#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <yyjson.h>

#include "mapping/region.h"

static void test_countries(void **state)
{
    const struct regions *regions = *state;
    static const char *const cases[][2] = {
        {"US", "USA"}, {"gb", "GBR"}, {"Ci", "CIV"}, {"PR", "PRI"}, {"XX", NULL},
        {"", NULL},    {"U", NULL},   {"USA", NULL}, {"1@", NULL},  {"\xc3\xa9", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *code = regions_country(regions, text_of(cases[i][0]));

        if (cases[i][1] == NULL ? code != NULL : code == NULL || strcmp(code, cases[i][1]) != 0)
            fail_msg("country %s: %s", cases[i][0], code);
    }
    assert_null(regions_country(regions, (struct text){NULL, 0}));
}

static void test_regions(void **state)
{
    const struct regions *regions = *state;
    static const char *const cases[][3] = {
        {"US", "California", "US-CA"},
        {"us", " new   york ", "US-NY"},
        {"US", "DISTRICT OF COLUMBIA", "US-DC"},
        {"US", "tx", "US-TX"},
        {"US", "Puerto Rico", "US-PR"},
        {"US", "Armed Forces Americas", NULL},
        {"CA",
         "Qu\xc3\xa9"
         "bec",
         "CA-QC"},
        {"CA",
         "Que\xcc\x81"
         "bec",
         "CA-QC"}, /* the accent as a character of its own */
        {"BR", "Sao Paulo", "BR-SP"},
        {"BR", "S\xc3\x83O PAULO", "BR-SP"},
        {"FR", "Cote-d'Or", "FR-21"},
        {"FR", "C\xc3\xb4te d\xe2\x80\x99Or", "FR-21"},
        {"CI", "Como\xc3\xa9", "CI-CM"},
        {"DE", "Baden Wurttemberg", "DE-BW"},
        {"PL", "Lodzkie", "PL-10"}, /* its name has a stroke through the L */
        {"TR", "Istanbul", "TR-34"},
        {"VN", "Ha Noi", "VN-HN"},
        {"GB", "England", "GB-ENG"},
        {"GB", "Kent", "GB-KEN"},
        {"ES", "La Rioja", "ES-RI"}, /* the community, not the province of the same name */
        {"ES",
         "Catalu\xc3\xb1"
         "a",
         "ES-CT"},
        {"ES", "Catalunya", "ES-CT"},
        {"AU", "New South Wales", "AU-NSW"},
        {"JP", "Tokyo", "JP-13"},
        {"PR", "San Juan", NULL},
        {"US", "Ontario", NULL},
        {"XX", "Texas", NULL},
        {"", "Texas", NULL},
        {"US", "", NULL},
        {"US", " - ", NULL},
        {"US", "\xe6\x9d\xb1\xe4\xba\xac", NULL},
    };
    char name[4000];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *code = regions_code(regions, text_of(cases[i][0]), text_of(cases[i][1]));

        if (cases[i][2] == NULL ? code != NULL : code == NULL || strcmp(code, cases[i][2]) != 0)
            fail_msg("region %s of %s: %s", cases[i][1], cases[i][0], code);
    }
    memset(name, 'x', sizeof(name));
    assert_null(regions_code(regions, text_of("US"), (struct text){name, sizeof(name)}));
    /* Bytes that are no UTF-8 are compared, not followed beyond the end. */
    assert_null(regions_code(regions, text_of("US"), (struct text){"\xf0", 1}));
    assert_null(regions_code(regions, text_of("US"), (struct text){"x\xe2\x80", 3}));
}

/* Every region of the data is found by its own name, as itself or as one of the same name. */
static void test_all_regions(void **state)
{
    const struct regions *regions = *state;
    yyjson_doc *doc = yyjson_read_file(REGION_FOLDER "/iso_3166-2.json", 0, NULL, NULL);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "3166-2");
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *region;
    size_t found = 0;

    assert_true(yyjson_arr_size(list) > 4000);
    while ((region = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *code = yyjson_get_str(yyjson_obj_get(region, "code"));
        const char *got = regions_code(regions, (struct text){code, 2},
                                       text_of(yyjson_get_str(yyjson_obj_get(region, "name"))));

        assert_non_null(got);
        assert_int_equal(strncmp(got, code, 3), 0);
        found += strcmp(got, code) == 0;
    }
    assert_true(found > yyjson_arr_size(list) - 100);
    yyjson_doc_free(doc);
}

static void test_missing_data(void **state)
{
    struct error err = {0};

    (void)state;
    assert_null(regions_new("/nowhere", &err));
    assert_int_equal(err.kind, ERROR_PERMANENT);
    assert_non_null(strstr(err.text, "/nowhere/iso_3166-1.json"));
    regions_free(NULL);
}

int main(void)
{
    struct error err = {0};
    struct regions *regions = regions_new(REGION_FOLDER, &err);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_countries, regions),
        cmocka_unit_test_prestate(test_regions, regions),
        cmocka_unit_test_prestate(test_all_regions, regions),
        cmocka_unit_test(test_missing_data),
    };
    int failed;

    if (regions == NULL) {
        print_error("%s\n", err.text);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    regions_free(regions);
    return failed;
}
