/* catalog.h - the products of one BigCommerce store, each with its variants. They are kept sorted
 * by id. Lists of products are in catalog_list.h. */
#ifndef SANDBOX_CATALOG_H
#define SANDBOX_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

enum { CATALOG_VARIANTS_MAX = 600 }; /* of one product, as the vendor allows */

/* Zero-initialised. */
struct catalog {
    json_t **products; /* complete, with `variants`; sorted by id */
    size_t count;
    size_t capacity;
    int64_t last_id;         /* greatest id of a product */
    int64_t last_variant_id; /* greatest id of a variant */
};

void catalog_clear(struct catalog *catalog);

/** @brief The product, borrowed until it changes, or NULL. */
json_t *catalog_find(const struct catalog *catalog, int64_t id);

/** @brief The variant of a product, borrowed, or NULL. */
json_t *catalog_variant(const json_t *product, int64_t id);

/**
 * @brief Adds a product, or replaces the one with its id. What is missing is filled in: ids, name,
 * type, prices, dates, the variant that stands for a product without options.
 * @param product  JSON object, borrowed
 * @param now_s    the store's clock: the dates that are not given
 * @returns borrowed; or NULL with a permanent error when it is no product or has more variants than
 * the vendor allows
 */
json_t *catalog_put(struct catalog *catalog, const json_t *product, int64_t now_s,
                    struct error *err);

/**
 * @brief Replaces members of a product. As in real stores, date_modified moves only where something
 * beside the variants changes.
 * @returns as catalog_put()
 */
json_t *catalog_change(struct catalog *catalog, int64_t id, const json_t *members, int64_t now_s,
                       struct error *err);

/** @brief Replaces members of one variant; the product's date_modified stays. @returns the product,
 * as catalog_put() */
json_t *catalog_change_variant(struct catalog *catalog, int64_t id, int64_t variant_id,
                               const json_t *members, int64_t now_s, struct error *err);

void catalog_remove(struct catalog *catalog, int64_t id);

#endif
