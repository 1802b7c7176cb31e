/* map_catalog.h - turns a product of a store's catalogue into products of Infusionsoft, one for each
 * variant. Pure. docs/mapping.md describes the mapping and the payload. */
#ifndef COMMON_MAP_CATALOG_H
#define COMMON_MAP_CATALOG_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "mapping/map.h"
#include "record/reason.h"

enum {
    MAP_DESCRIPTION_CHARS_MAX = 2000,
    MAP_VARIANTS_MAX = 1000, /* a product with more is malformed; the store allows 600 */
};

/* One product of the account. Texts are trimmed and borrowed from the store's product. */
struct map_variant {
    struct text sku;     /* empty: it has none */
    uint32_t hash;       /* of its SKU */
    int64_t variant_id;  /* 0: the product itself */
    money price;         /* its own, or the product's */
    yyjson_val *options; /* option_values, or NULL */
};

/* A product of the store, taken apart, and the memory for it. Zero-initialised; used again for each
 * product. Belongs to one thread. */
struct map_catalog {
    struct json_memory memory;
    struct map_variant *variants;
    int variant_count, variant_capacity;
    struct buffer description; /* as text */
    struct buffer labels;      /* of the options of one variant */
    yyjson_doc *doc;
    int64_t id;
    struct text name;
    money price;
    struct text currency; /* that the prices are in */
};

void map_catalog_clear(struct map_catalog *map);

/**
 * @brief Reads a record of products.raw: a product of the store, with its variants, whose member
 * `bigfusion` has the store's currency.
 * @param id  of the record's key; absent: any id
 * @returns 0, or -1 with a permanent error; release with map_catalog_close() either way
 */
int map_catalog_open(struct map_catalog *map, struct text value, struct text id, struct error *err);
void map_catalog_close(struct map_catalog *map);

/** @brief Appends the value of the payload's `products`. Equal products of the store give equal
 * bytes, so their digest tells whether something changed that matters. */
void map_catalog_write_products(struct map_catalog *map, const struct config_store *store,
                                struct buffer *out);

/** @brief Appends the whole payload.
 * @returns REASON_NONE, or CURRENCY_MISMATCH with the detail in err */
enum reason map_catalog_write(struct map_catalog *map, const struct map_settings *settings,
                              int64_t modified_at_ms, struct buffer *out, struct error *err);

#endif
