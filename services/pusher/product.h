/* product.h - the products of an order at the account: each is found by its SKU, or made. */
#ifndef PUSHER_PRODUCT_H
#define PUSHER_PRODUCT_H

#include <yyjson.h>

#include "delivery.h"
#include "lookup.h"

/** @brief Sets the id of each product whose id the ledger did not know. */
enum progress product_step(struct delivery *d);

/** @brief Looks a product up by its SKU; product->id stays "" when there is none. */
enum progress product_find(struct delivery *d, struct product *product);

/** @brief As product_find(), but without a look-up where the list of the account's products tells
 * enough (known_products.h). Its lease is ours: grant. */
enum progress product_locate(struct delivery *d, struct product *product,
                             const struct ledger_grant *grant);

/** @brief Makes the product, which was looked up before. Its lease is ours: grant. */
enum progress product_create(struct delivery *d, struct product *product,
                             struct ledger_grant *grant);

/** @brief Whether the account's product shows each member of the body with the same value. Pure. */
int product_is_same(yyjson_val *theirs, yyjson_val *body);

/** @brief The account refused the order, maybe because a product whose id the ledger knew was
 * deleted: forgets those ids here and in the ledger. */
enum progress product_forget(struct delivery *d);

/** @brief Whether the product has that SKU. UNCLEAR: it shows none although it was asked for by its
 * SKU (by_sku), or its SKU is no text. Pure. */
enum match product_match(yyjson_val *product, struct text sku, int by_sku);

#endif
