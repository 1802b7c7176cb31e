#include "bigcommerce/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bigcommerce/v3.h"

void catalog_clear(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++)
        json_decref(catalog->products[i]);
    free(catalog->products);
    *catalog = (struct catalog){0};
}

/* Index of the first product whose id is not smaller. */
static size_t lower_bound(const struct catalog *catalog, int64_t id)
{
    size_t low = 0, high = catalog->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v3_id_of(catalog->products[middle]) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

json_t *catalog_find(const struct catalog *catalog, int64_t id)
{
    size_t i = lower_bound(catalog, id);

    return i < catalog->count && v3_id_of(catalog->products[i]) == id ? catalog->products[i] : NULL;
}

json_t *catalog_variant(const json_t *product, int64_t id)
{
    const json_t *variants = json_object_get(product, "variants");

    for (size_t i = 0; i < json_array_size(variants); i++)
        if (v3_id_of(json_array_get(variants, i)) == id)
            return json_array_get(variants, i);
    return NULL;
}

/* What shoppers pay: the sale price, else the price; a variant without a price of its own costs what
 * the product costs. */
static void set_calculated(json_t *object, const json_t *product)
{
    const json_t *sale = json_object_get(object, "sale_price");
    const json_t *price = json_object_get(object, "price");

    if (json_number_value(sale) <= 0)
        sale = NULL;
    if (sale == NULL && !json_is_number(price))
        price = json_object_get(product, "calculated_price");
    json_object_set(object, "calculated_price", (json_t *)(sale != NULL ? sale : price));
}

static void complete_variant(struct catalog *catalog, const json_t *product, json_t *variant)
{
    v3_set_default(variant, "id", json_integer(catalog->last_variant_id + 1));
    if (v3_id_of(variant) > catalog->last_variant_id)
        catalog->last_variant_id = v3_id_of(variant);
    json_object_set(variant, "product_id", json_object_get(product, "id"));
    v3_set_default(variant, "sku", json_string(""));
    v3_set_default(variant, "price", json_null());
    v3_set_default(variant, "sale_price", json_null());
    v3_set_default(variant, "purchasing_disabled", json_false());
    v3_set_default(variant, "inventory_level", json_integer(0));
    v3_set_default(variant, "option_values", json_array());
    set_calculated(variant, product);
}

/* A product without options has one variant, which stands for the product itself. */
static void complete_variants(struct catalog *catalog, json_t *product)
{
    json_t *variants = json_object_get(product, "variants"), *base;
    size_t with_options = 0;

    if (!json_is_array(variants)) {
        variants = mem_check(json_array());
        json_object_set_new(product, "variants", variants);
    }
    if (json_array_size(variants) == 0)
        json_array_append_new(variants, json_pack("{s:O}", "sku", json_object_get(product, "sku")));
    for (size_t i = 0; i < json_array_size(variants); i++) {
        json_t *variant = json_array_get(variants, i);
        complete_variant(catalog, product, variant);
        with_options += json_array_size(json_object_get(variant, "option_values")) > 0;
    }
    base = with_options == 0 ? json_array_get(variants, 0) : NULL;
    json_object_set_new(product, "base_variant_id",
                        base == NULL ? json_null() : json_integer(v3_id_of(base)));
    if (base != NULL)
        json_object_set(base, "sku", json_object_get(product, "sku"));
}

static void complete(struct catalog *catalog, json_t *product, int64_t now_s)
{
    v3_set_default(product, "id", json_integer(catalog->last_id + 1));
    v3_set_default(product, "name",
                   mem_check(json_sprintf("Product %lld", (long long)v3_id_of(product))));
    v3_set_default(product, "type", json_string("physical"));
    v3_set_default(product, "sku", json_string(""));
    v3_set_default(product, "description", json_string(""));
    v3_set_default(product, "weight", json_integer(1));
    v3_set_default(product, "price", json_integer(0));
    v3_set_default(product, "cost_price", json_integer(0));
    v3_set_default(product, "retail_price", json_integer(0));
    v3_set_default(product, "sale_price", json_integer(0));
    v3_set_default(product, "categories", json_array());
    v3_set_default(product, "brand_id", json_integer(0));
    v3_set_default(product, "inventory_level", json_integer(0));
    v3_set_default(product, "inventory_tracking", json_string("none"));
    v3_set_default(product, "is_visible", json_true());
    v3_set_default(product, "availability", json_string("available"));
    v3_set_default(product, "condition", json_string("New"));
    v3_set_default(product, "upc", json_string(""));
    v3_set_default(product, "date_created", v3_date_json(now_s, "+00:00"));
    v3_set_default(product, "date_modified", v3_date_json(now_s, "+00:00"));
    set_calculated(product, NULL);
    complete_variants(catalog, product);
}

static int check(const json_t *product, struct error *err)
{
    const json_t *variants = json_object_get(product, "variants");

    if (!json_is_integer(json_object_get(product, "id")) || v3_id_of(product) < 1)
        return error_set(err, ERROR_PERMANENT, "a product's id is a number from 1");
    if (!json_is_string(json_object_get(product, "name")) ||
        !json_is_string(json_object_get(product, "sku")) ||
        !json_is_number(json_object_get(product, "price")))
        return error_set(err, ERROR_PERMANENT, "name and sku are strings, price is a number");
    if (json_array_size(variants) > CATALOG_VARIANTS_MAX)
        return error_set(err, ERROR_PERMANENT, "a product has at most %d variants",
                         CATALOG_VARIANTS_MAX);
    return 0;
}

static void insert(struct catalog *catalog, json_t *product)
{
    size_t i = lower_bound(catalog, v3_id_of(product));

    if (catalog->count == catalog->capacity) {
        catalog->capacity = catalog->capacity == 0 ? 64 : catalog->capacity * 2;
        catalog->products = mem_realloc(catalog->products, catalog->capacity * sizeof(json_t *));
    }
    memmove(catalog->products + i + 1, catalog->products + i,
            (catalog->count - i) * sizeof(json_t *));
    catalog->products[i] = product;
    catalog->count++;
    if (v3_id_of(product) > catalog->last_id)
        catalog->last_id = v3_id_of(product);
}

void catalog_remove(struct catalog *catalog, int64_t id)
{
    size_t i = lower_bound(catalog, id);

    if (i == catalog->count || v3_id_of(catalog->products[i]) != id)
        return;
    json_decref(catalog->products[i]);
    catalog->count--;
    memmove(catalog->products + i, catalog->products + i + 1,
            (catalog->count - i) * sizeof(json_t *));
}

json_t *catalog_put(struct catalog *catalog, const json_t *product, int64_t now_s,
                    struct error *err)
{
    json_t *copy;

    if (!json_is_object(product)) {
        error_set(err, ERROR_PERMANENT, "a product is a JSON object");
        return NULL;
    }
    copy = mem_check(json_deep_copy(product));
    complete(catalog, copy, now_s);
    if (check(copy, err) != 0) {
        json_decref(copy);
        return NULL;
    }
    catalog_remove(catalog, v3_id_of(copy));
    insert(catalog, copy);
    return copy;
}

json_t *catalog_change(struct catalog *catalog, int64_t id, const json_t *members, int64_t now_s,
                       struct error *err)
{
    json_t *product = catalog_find(catalog, id), *copy, *changed;
    int variants_alone =
        json_object_size(members) == 1 && json_object_get(members, "variants") != NULL;

    if (product == NULL || !json_is_object(members)) {
        error_set(err, ERROR_PERMANENT, "a product's id and its new members are expected");
        return NULL;
    }
    copy = mem_check(json_deep_copy(product));
    if (!variants_alone)
        json_object_set_new(copy, "date_modified", v3_date_json(now_s, "+00:00"));
    json_object_update(copy, (json_t *)members);
    json_object_set_new(copy, "id", json_integer(id));
    changed = catalog_put(catalog, copy, now_s, err);
    json_decref(copy);
    return changed;
}

json_t *catalog_change_variant(struct catalog *catalog, int64_t id, int64_t variant_id,
                               const json_t *members, int64_t now_s, struct error *err)
{
    json_t *product = catalog_find(catalog, id), *variants, *variant, *change, *changed;

    if (product == NULL || catalog_variant(product, variant_id) == NULL ||
        !json_is_object(members)) {
        error_set(err, ERROR_PERMANENT, "a variant's id and its new members are expected");
        return NULL;
    }
    variants = mem_check(json_deep_copy(json_object_get(product, "variants")));
    change = mem_check(json_pack("{s:o}", "variants", variants));
    variant = catalog_variant(change, variant_id);
    json_object_update(variant, (json_t *)members);
    json_object_set_new(variant, "id", json_integer(variant_id));
    changed = catalog_change(catalog, id, change, now_s, err);
    json_decref(change);
    return changed;
}
