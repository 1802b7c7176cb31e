/* order_name.h - how people name an order, a customer or a product, and the record key that it has.
 * Pure. */
#ifndef COMMON_ORDER_NAME_H
#define COMMON_ORDER_NAME_H

#include "base/error.h"
#include "base/mem.h"
#include "settings/config.h"

enum { ORDER_KEY_BYTES = 96, ORDER_NAME_BYTES = 160 };

/**
 * @brief Finds the record key of an order.
 * @param words  "BC/1042", "BC #1042" (also as two words), "abc123/order/1042", or "1042" where
 * there is one store. A store code is compared without case where no store has it exactly
 * @param key    out: "abc123/order/1042"
 * @returns 0, or -1 with a permanent error that lists the codes, or says that the key is that of a
 * customer or a product
 */
int order_name_parse(const struct config *config, char *const *words, int word_count,
                     char key[ORDER_KEY_BYTES], struct error *err);

/** @brief The same, but takes the record key of a customer ("abc123/contact/7") or a product
 * ("abc123/product/7"), too. */
int record_name_parse(const struct config *config, char *const *words, int word_count,
                      char key[ORDER_KEY_BYTES], struct error *err);

/** @brief How people call what has that key: "BC #118", "BC customer 7", "BC product 7"; where its
 * store is not configured, the key. @returns name */
const char *order_name_print(const struct config *config, const char *key,
                             char name[ORDER_NAME_BYTES]);

#endif
