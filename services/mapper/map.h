/* map.h - a BigCommerce order becomes the payload record of an Infusionsoft order. Pure: JSON and
 * settings in, JSON out; no clock, no I/O. What is mapped how, and the payload's format, is in
 * docs/mapping.md. */
#ifndef MAPPER_MAP_H
#define MAPPER_MAP_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/money.h"
#include "record/order.h"
#include "record/reason.h"
#include "settings/config.h"
#include "region.h"

/* What the store's and the account's settings say; all borrowed. */
struct map_settings {
    const struct config_store *store;
    const struct config_account *account;
    const struct regions *regions;
};

enum {
    MAP_NAME_CHARS_MAX = 200,
    MAP_ITEMS_MAX = 5000, /* lines, fees or coupons of one order; one with more is malformed */
};

/* A line item that becomes a PRODUCT line. Texts are trimmed and borrowed from the order. */
struct map_line {
    struct text name;
    struct text sku; /* empty: it has none */
    int64_t product_id;
    int64_t variant_id;
    int64_t quantity; /* 1 to INT32_MAX */
    money total;      /* of the line, without tax */
    money total_inc_tax;
    money price; /* of one, without tax */
    int product; /* index into products */
};

/* A product that the order needs: the first line that has it says what it is like. */
struct map_product {
    int line;
    uint32_t hash; /* of its identity */
};

struct map_coupon {
    struct text code;
    uint32_t hash;
};

/* A line that is no product. One of amount 0 is not sent. */
struct map_extra {
    const char *type; /* SHIPPING, TAX, FEE or DISCOUNT */
    struct text name;
    int64_t minor; /* what it adds to the total, in smallest units: negative for a discount */
};

/* One order taken apart, and the memory for it; embedded, used for one order after the other. */
struct map {
    struct json_names consignment_names;
    struct json_names line_names;
    struct map_line *lines;
    int line_count, line_capacity;
    struct map_product *products;
    int product_count, product_capacity;
    struct map_coupon *coupons;
    int coupon_count, coupon_capacity;
    int digits; /* decimals of the order's currency */
    struct map_extra *extras;
    int extra_count, extra_capacity;
    struct address shipping; /* the first shipping consignment's */
    int has_shipping;
};

void map_init(struct map *map);
void map_clear(struct map *map);

/**
 * @brief The whole mapping: appends the payload to out.
 * @param reader          the one that opened order
 * @param modified_at_ms  the version of the order
 * @returns REASON_NONE; or MALFORMED, CURRENCY_MISMATCH or TOTAL_MISMATCH with the detail in err,
 * and out is to be thrown away
 */
enum reason map_order(struct map *map, const struct map_settings *settings,
                      const struct order_reader *reader, const struct order *order,
                      int64_t modified_at_ms, struct buffer *out, struct error *err);

/** @brief Payload of kind `withdrawn`: which order, its status and e-mail address. @returns as
 * map_order() */
enum reason map_withdrawn(const struct map_settings *settings, const struct order *order,
                          int64_t modified_at_ms, struct buffer *out, struct error *err);

/* The parts, each with the file that has it. */

/** @brief map_product.c: prepares the member names that it looks for. */
void map_names_init(struct map *map);

/** @brief map_product.c: fills lines, products, coupons and shipping from the order's consignments
 * or `bigfusion`. */
int map_read_lines(struct map *map, const struct order_reader *reader, const struct order *order,
                   struct error *err);

/** @brief map_product.c: writes the value of `products`. */
void map_write_products(const struct map *map, const struct map_settings *settings,
                        struct buffer *out);

/** @brief map_product.c: writes the line's name, quoted: "N x name" when prefix is over 1; never
 * blank. */
void map_write_line_name(const struct map_settings *settings, const struct map_line *line,
                         int64_t prefix, struct buffer *out);

/**
 * @brief map_total.c: fills extras, so that the lines make up the order's total. Needs lines and
 * digits.
 * @param total  receives `total_inc_tax` in smallest units
 * @returns REASON_NONE, MALFORMED, or TOTAL_MISMATCH when the order's own amounts do not add up
 */
enum reason map_read_extras(struct map *map, const struct order *order, int64_t *total,
                            struct error *err);

/** @brief map_contact.c: writes the value of `contact`. */
void map_write_contact(const struct map *map, const struct map_settings *settings,
                       const struct order *order, struct buffer *out);

/** @brief map_contact.c: writes `,"shipping_address":{...}`, or nothing where the order has none.
 */
void map_write_shipping_address(const struct map *map, const struct map_settings *settings,
                                struct buffer *out);

/** @brief map_product.c: amount of a member, 0 when absent. */
int map_read_money(yyjson_val *value, const char *what, money *amount, struct error *err);

/** @brief Makes room for one more of the elements of that size. */
void *map_grow(void *elements, int count, int *capacity, size_t size);

#endif
