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

/** @brief As product_find(), but without a look-up where the ledger knows the id, or the list of the
 * account's products tells enough (known_products.h). Its lease is ours: grant. */
enum progress product_locate(struct delivery *d, struct product *product,
                             const struct ledger_grant *grant);

/** @brief Makes the product, which was looked up before. Its lease is ours: grant. */
enum progress product_create(struct delivery *d, struct product *product,
                             struct ledger_grant *grant);

/** @brief Whether the account's product shows each member of the body with the same value. Pure. */
int product_is_same(yyjson_val *theirs, yyjson_val *body);

/** @brief Whether an id of the payload's products is cached, so that the product may be gone. */
int product_any_is_cached(const struct delivery *d);

/** @brief The account refused the order, maybe because a product whose id was cached was deleted: asks
 * for each of them by its id. The id of one that is gone, or has another SKU now, is forgotten here
 * and in the ledger.
 *
 * They are not just looked up anew: a list need not show yet what was made a moment ago, and the
 * product would be made twice. */
enum progress product_refresh(struct delivery *d);

/** @brief The account does not have the product of this id any more: forgets the id here, in the list
 * of known products and in the ledger, whose entry may be in hand. */
enum progress product_forget(struct delivery *d, struct product *product);

/** @brief Whether the product has that SKU. UNCLEAR: it shows none although it was asked for by its
 * SKU (by_sku), or its SKU is no text. Pure. */
enum match product_match(yyjson_val *product, struct text sku, int by_sku);

#endif
