/* The sandbox's catalogue: filters, pages and parts of GET /v3/catalog/products, and what a change
 * does to the dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bigcommerce/catalog.h"
#include "bigcommerce/catalog_list.h"
#include "generate/products.h"

enum { COUNT = 60, NOW_S = 1790000000 };

static struct catalog generated(void)
{
    struct catalog catalog = {0};

    for (int64_t i = 0; i < COUNT; i++) {
        struct error err = {0};
        json_t *product = generate_product(7, "USD", i);
        if (catalog_put(&catalog, product, NOW_S + i, &err) == NULL)
            fail_msg("product %d: %s", (int)i, err.text);
        json_decref(product);
    }
    return catalog;
}

/* The answer to /stores/abc123/v3/catalog/{path}; NULL where it is no JSON. New. */
static json_t *ask(const struct catalog *catalog, const char *path, int *status)
{
    struct request request = {0};
    struct reply reply = {0};
    char *uri = mem_printf("/stores/abc123/v3/catalog/%s", path);
    json_t *json;

    request_open(&request, "GET", uri);
    catalog_answer(catalog, &request, 4, 0, NOW_S, &reply);
    *status = reply.status;
    json = json_loadb(reply.body.data, reply.body.length, 0, NULL);
    request_close(&request);
    reply_clear(&reply);
    free(uri);
    return json;
}

static void answers_each_query(void **state)
{
    static const struct {
        const char *path;
        int status;
        size_t count;
        int64_t total;
    } cases[] = {
        {"products", 200, 50, COUNT},
        {"products?limit=25&page=3", 200, 10, COUNT},
        {"products?limit=25&page=4", 200, 0, COUNT},
        {"products?limit=250", 200, COUNT, COUNT},
        {"products?limit=251", 413, 0, 0},
        {"products?limit=250&include=options,variants", 200, 10, COUNT},
        {"products?limit=0", 422, 0, 0},
        {"products?include=prices", 422, 0, 0},
        {"products?sort=color", 422, 0, 0},
        {"products?id=102", 200, 1, 1},
        {"products?id:in=77,86,5", 200, 2, 2},
        {"products?id:not_in=77,86", 200, 50, COUNT - 2},
        {"products?id:greater=102&id:less=104", 200, 1, 1},
        {"products?id:min=102&id:max=104", 200, 3, 3},
        {"products?sku=abs", 200, 1, 1},
        {"products?sku:in=ABS,PEN", 200, 2, 2},
        {"products?is_visible=false&id:max=2020", 200, 2, 2},
        {"products?date_modified:min=2026-09-21T14:13:25", 200, 50, COUNT - 5},
        {"products/102", 200, 1, 0},
        {"products/102/variants?limit=3", 200, 3, 4},
        {"products/102/images", 404, 0, 0},
        {"products/5", 404, 0, 0},
        {"brands", 404, 0, 0},
    };
    struct catalog catalog = generated();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status;
        json_t *json = ask(&catalog, cases[i].path, &status);
        const json_t *data = json_object_get(json, "data");
        size_t count = json_is_object(data) ? 1 : json_array_size(data);
        json_int_t total = json_integer_value(
            json_object_get(json_object_get(json_object_get(json, "meta"), "pagination"), "total"));
        if (status != cases[i].status || count != cases[i].count || total != cases[i].total)
            fail_msg("%s: status %d, %zu of %lld", cases[i].path, status, count, (long long)total);
        json_decref(json);
    }
    catalog_clear(&catalog);
}

static void shows_only_what_is_asked_for(void **state)
{
    struct catalog catalog = generated();
    int status;
    json_t *json = ask(&catalog,
                       "products?include=variants&include_fields=name,price&sort=price&direction="
                       "desc&limit=250",
                       &status);
    const json_t *data = json_object_get(json, "data");

    (void)state;
    assert_int_equal(json_array_size(data), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const json_t *product = json_array_get(data, i);
        assert_int_equal(json_object_size(product), 4); /* id, name, price, variants */
        assert_true(json_array_size(json_object_get(product, "variants")) >= 1);
        if (i > 0)
            assert_true(json_number_value(json_object_get(product, "price")) <=
                        json_number_value(json_object_get(json_array_get(data, i - 1), "price")));
    }
    json_decref(json);
    json = ask(&catalog, "products?limit=1", &status);
    assert_null(json_object_get(json_array_get(json_object_get(json, "data"), 0), "variants"));
    json_decref(json);
    catalog_clear(&catalog);
}

static const char *modified(const struct catalog *catalog, int64_t id)
{
    return json_string_value(json_object_get(catalog_find(catalog, id), "date_modified"));
}

static void a_variant_does_not_move_the_date(void **state)
{
    struct catalog catalog = generated();
    struct error err = {0};
    json_t *change = json_pack("{s:f}", "price", 1.5), *variant;
    char *before = mem_strdup(modified(&catalog, 102));

    (void)state;
    assert_non_null(catalog_change_variant(&catalog, 102, 211, change, NOW_S + 1000, &err));
    variant = catalog_variant(catalog_find(&catalog, 102), 211);
    assert_true(json_number_value(json_object_get(variant, "price")) == 1.5);
    assert_true(json_number_value(json_object_get(variant, "calculated_price")) == 1.5);
    assert_string_equal(modified(&catalog, 102), before);
    assert_non_null(catalog_change(&catalog, 102, change, NOW_S + 1000, &err));
    assert_string_equal(modified(&catalog, 102), "2026-09-21T14:30:00+00:00");
    assert_null(catalog_change_variant(&catalog, 102, 5, change, NOW_S, &err));
    json_decref(change);
    free(before);
    catalog_clear(&catalog);
}

static void a_product_has_a_limited_number_of_variants(void **state)
{
    struct catalog catalog = {0};
    struct error err = {0};
    json_t *variants = json_array(),
           *product = json_pack("{s:s,s:o}", "name", "x", "variants", variants);

    (void)state;
    for (int i = 0; i < CATALOG_VARIANTS_MAX; i++)
        json_array_append_new(variants, json_object());
    assert_non_null(catalog_put(&catalog, product, NOW_S, &err));
    json_array_append_new(variants, json_object());
    assert_null(catalog_put(&catalog, product, NOW_S, &err));
    assert_non_null(strstr(err.text, "600"));
    json_decref(product);
    catalog_remove(&catalog, 1);
    assert_int_equal(catalog.count, 0);
    catalog_clear(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_each_query),
        cmocka_unit_test(shows_only_what_is_asked_for),
        cmocka_unit_test(a_variant_does_not_move_the_date),
        cmocka_unit_test(a_product_has_a_limited_number_of_variants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
