/* products.h - makes products like those of real shops, from a seed. Pure. */
#ifndef SANDBOX_GENERATE_PRODUCTS_H
#define SANDBOX_GENERATE_PRODUCTS_H

#include <stdint.h>

#include <jansson.h>

/**
 * @brief The product with that index of a store's catalogue. The first ones are those that the
 * generated orders name; then come invented ones, of each ten in a row: without options, with two to
 * six variants, whose prices are their own or the product's, with an HTML description, without SKU,
 * with a name of 250 characters, with a sale price, hidden.
 * @param currency  that the prices are in
 * @returns new
 */
json_t *generate_product(uint64_t seed, const char *currency, int64_t index);

#endif
