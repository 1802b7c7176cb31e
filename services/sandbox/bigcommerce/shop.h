/* shop.h - one BigCommerce store. Each order is kept as the exact bytes that a list call sends.
 * Orders are found by id, and listed by id, date_created or date_modified; there is a sorted list
 * for each of the three. */
#ifndef SANDBOX_SHOP_H
#define SANDBOX_SHOP_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "bigcommerce/catalog.h"
#include "bigcommerce/customers.h"
#include "limits.h"

#define SHOP_LINES_MAX 50 /* line items that one consignment shows */

struct shop_order {
    int64_t id;
    int64_t created_s;
    int64_t modified_s;
    int64_t customer_id;
    int64_t channel_id;
    int status_id;
    double total;
    char *email;
    char *text; /* the order with consignments, line items and fees, as in a list call; the only
                   copy of this version */
    size_t length;
    char *products; /* all line items as a JSON array, NULL where text shows them all */
    char *coupons;  /* JSON array, NULL where there are none */
    int style;      /* enum order_style bits for writing the next version */
};

/* What a shop must know about an order besides the order itself. All borrowed, each may be NULL. */
struct shop_extra {
    const json_t *products; /* array of all lines, where the order is to show fewer */
    const json_t *coupons;  /* array */
    int hide_lines;         /* the order is to show no line at all */
    int style;
};

struct shop {
    char *hash;
    struct shop_order **by_id;
    struct shop_order **by_created;
    struct shop_order **by_modified;
    size_t count;
    size_t capacity;
    int64_t last_id; /* greatest id given out */
    struct catalog catalog;
    struct customers customers;
    struct limits_fixed quota;
};

struct shop *shop_new(const char *hash);
void shop_free(struct shop *shop);

/** @brief The order, or NULL. Borrowed until it changes. */
struct shop_order *shop_find(const struct shop *shop, int64_t id);

/**
 * @brief Adds the order, or replaces the one with its id. Lines beyond 50 in a consignment are cut
 * off, as the vendor does. Coupons that are not given are taken from the applied_discounts of the
 * lines.
 * @param order  JSON object with an integer id; changed in place when lines are cut; borrowed
 * @returns borrowed, or NULL with a permanent error when the order cannot be placed
 */
struct shop_order *shop_put(struct shop *shop, json_t *order, const struct shop_extra *extra,
                            struct error *err);

/** @brief As shop_put(), but the given bytes are served as they are. */
struct shop_order *shop_put_text(struct shop *shop, const json_t *order, const char *text,
                                 size_t length);

/** @brief Replaces the bytes of an order by any bytes and sets its date_modified to now. Tests use
 * it for orders that cannot be read. */
void shop_set_text(struct shop *shop, struct shop_order *order, const char *text, size_t length,
                   int64_t modified_s);

void shop_remove(struct shop *shop, struct shop_order *order);

/** @brief Index in by_modified of the first order modified at seconds or later. */
size_t shop_first_modified(const struct shop *shop, int64_t seconds);

/** @brief All line items that an order shows, from its four kinds of consignments, in their order.
 * New array. */
json_t *shop_lines(const json_t *order);

/** @brief All line items, also those that the order does not show. New array. */
json_t *shop_order_products(const struct shop_order *order);

/**
 * @brief {verb:"order","store", ...the order} as JSON text, for the journal. Lines and coupons that
 * the order itself does not show are in a member `bigfusion`: {"products","coupons"}.
 * @returns new
 */
char *shop_effect(const struct shop *shop, const struct shop_order *order, const char *verb);

#endif
