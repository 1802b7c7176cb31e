/* map.h - turns a BigCommerce order into the payload record of an Infusionsoft order. Pure: JSON
 * and settings in, JSON out; no clock, no I/O. docs/mapping.md describes the mapping and the format
 * of the payload. */
#ifndef COMMON_MAP_H
#define COMMON_MAP_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/money.h"
#include "mapping/region.h"
#include "mapping/tag.h"
#include "record/order.h"
#include "record/reason.h"
#include "settings/config.h"

/* The settings of the store and of the account that the mapping depends on. All borrowed. */
struct map_settings {
    const struct config_store *store;
    const struct config_account *account;
    const struct regions *regions;
    unsigned leave_out; /* MAP_LEAVE_ bits */
};

/* Parts that a payload is written without, because the person who asked for a backfill did not ask for
 * them. */
enum { MAP_LEAVE_GOALS = 1 << 0, MAP_LEAVE_TAGS = 1 << 1 };

/** @brief Reads the header leave_out: "goals", "tags" or both with a comma between them. Other words mean
 * nothing. @returns MAP_LEAVE_ bits */
unsigned map_leave_out(struct text header);

enum {
    MAP_NAME_CHARS_MAX = 200,
    MAP_NOTES_CHARS_MAX = 2000, /* our own limit: the vendor names none */
    MAP_ITEMS_MAX = 5000,       /* limit for lines, for fees and for coupons of one order; an order
                             with more is malformed */
    MAP_FIELD_CHARS_MAX =
        2000, /* our own limit, which keeps records small: the vendor takes 65535 */
    MAP_CALL_NAME_CHARS_MAX = 40, /* with goal_call_names = letters_digits; our own limit */
};

/* The goals of which an order may have several. */
enum map_goal { MAP_GOAL_SKU = 0, MAP_GOAL_COUPON, MAP_GOAL_COUNT };

/* A line item that becomes a PRODUCT line. Texts are trimmed and borrowed from the order. */
struct map_line {
    struct text name;
    struct text sku; /* empty: it has none */
    int64_t product_id;
    int64_t variant_id;
    int64_t quantity; /* 1 to INT32_MAX */
    money total;      /* of the line, without tax */
    money total_inc_tax;
    money price; /* price of one piece, without tax */
    int product; /* index into products */
};

/* A product of the order. Its name and price are those of the first line that has it. */
struct map_product {
    int line;
    uint32_t hash; /* hash of its identity */
};

struct map_coupon {
    struct text code;
    uint32_t hash;
};

/* A line that is not a product. A line of amount 0 is not sent. */
struct map_extra {
    const char *type; /* SHIPPING, TAX, FEE or DISCOUNT */
    struct text name;
    int64_t minor; /* what it adds to the total, in smallest units: negative for a discount */
};

/* One order, taken apart, and the memory for it. Embedded; used again for each order. */
struct map {
    struct json_names consignment_names;
    struct json_names line_names;
    struct map_line *lines;
    int line_count, line_capacity;
    struct map_product *products;
    int product_count, product_capacity;
    struct map_coupon *coupons;
    int coupon_count, coupon_capacity;
    struct tag_list tags;
    struct tag_list call_names; /* of the goals of one kind, while they are written */
    unsigned nameless_goals;    /* bit i: a goal of enum map_goal i has no call name */
    int digits;                 /* decimals of the order's currency */
    struct map_extra *extras;
    int extra_count, extra_capacity;
    int64_t
        credits; /* what store credit and gift certificates paid of the total, in smallest units; 0
                        where the total is what remains after them */
    struct address shipping; /* address of the first shipping consignment */
    int has_shipping;
};

void map_init(struct map *map);
void map_clear(struct map *map);

/**
 * @brief Maps one order: appends the payload to out.
 * @param reader          the reader that opened order
 * @param modified_at_ms  the version of the order
 * @returns REASON_NONE; or MALFORMED, CURRENCY_MISMATCH or TOTAL_MISMATCH with the detail in err.
 * The caller then throws away what is in out
 */
enum reason map_order(struct map *map, const struct map_settings *settings,
                      const struct order_reader *reader, const struct order *order,
                      int64_t modified_at_ms, struct buffer *out, struct error *err);

/** @brief Appends a payload of kind `withdrawn`: which order it is, its status, its e-mail address,
 * and what it leaves on the contact. @returns as map_order() */
enum reason map_withdrawn(struct map *map, const struct map_settings *settings,
                          const struct order *order, int64_t modified_at_ms, struct buffer *out,
                          struct error *err);

/* The parts of the mapping, and the file that each is in. */

/** @brief map_product.c: prepares the member names that it looks for. */
void map_names_init(struct map *map);

/** @brief map_product.c: fills lines, products, coupons and shipping, from the order's consignments
 * or from its member `bigfusion`. */
int map_read_lines(struct map *map, const struct order_reader *reader, const struct order *order,
                   struct error *err);

/** @brief map_product.c: writes the value of `products`. */
void map_write_products(const struct map *map, const struct map_settings *settings,
                        struct buffer *out);

/** @brief map_product.c: writes the identity of a product, without quotes: its SKU, or where that is
 * empty its ids within the store. Product 0 is a custom line. */
void map_write_identity(const struct config_store *store, struct text sku, int64_t product_id,
                        int64_t variant_id, struct buffer *out);

/** @brief map_order.c: compares a currency with the account's, which gets no amounts
 * where orders = off. Where the account's currency is not
 * in the settings, the pusher makes this check: it can ask the account.
 * @param what  "order" or "product", for the error */
enum reason map_check_currency(const struct map_settings *settings, struct text currency,
                               const char *what, struct error *err);

/** @brief map_product.c: writes the line's name in quotes, or "N x name" where prefix is over 1. It
 * is never blank. */
void map_write_line_name(const struct map_settings *settings, const struct map_line *line,
                         int64_t prefix, struct buffer *out);

/**
 * @brief map_total.c: fills extras, so that all lines together make up the order's total. The lines
 * and digits must be there before.
 * @param total  receives `total_inc_tax` in smallest units
 * @returns REASON_NONE, MALFORMED, or TOTAL_MISMATCH when the order's own amounts do not add up
 */
enum reason map_read_extras(struct map *map, const struct order *order, int64_t *total,
                            struct error *err);

/* What the order has for a setting field.LABEL. */
enum map_field_state {
    MAP_FIELD_FILLED = 0,
    MAP_FIELD_EMPTY,  /* null or blank */
    MAP_FIELD_ABSENT, /* it has no such member */
    MAP_FIELD_NO_TEXT /* an object or a list */
};

/** @brief map_field.c: reads it. content: out, trimmed, borrowed from the order; empty unless FILLED */
enum map_field_state map_read_field(const struct order *order, const struct config_field *field,
                                    struct text *content);

/** @brief map_field.c: writes `,"fields":[...]`, or nothing where none is filled. */
void map_write_fields(const struct map_settings *settings, const struct order *order,
                      struct buffer *out);

/** @brief map_goal.c: writes the value of `goals`, and keeps in map which of them have no call name. */
void map_write_goals(struct map *map, const struct map_settings *settings, struct buffer *out);

/** @brief map_contact.c: writes the value of `contact`. */
void map_write_contact(const struct map *map, const struct map_settings *settings,
                       const struct order *order, struct buffer *out);

/** @brief map_contact.c: writes `,"shipping_address":{...}`, or nothing where the order has none.
 */
void map_write_shipping_address(const struct map *map, const struct map_settings *settings,
                                struct buffer *out);

/**
 * @brief map_contact.c: writes `,"left_out":[...]`: what the order says and the contact, the
 * shipping address, the notes, the fields and the goals do not carry, each with the reason ("billing region_code:
 * not known"). Nothing where they carry everything. The goals are written before. It names members and never what is in them.
 */
void map_write_left_out(const struct map *map, const struct map_settings *settings,
                        const struct order *order, struct buffer *out);

/**
 * @brief map_payment.c: writes the value of `payment`: what was paid of the order, or null.
 * @param total  as map_read_extras() found it
 */
void map_write_payment(const struct map *map, const struct map_settings *settings,
                       const struct order *order, int64_t total, struct buffer *out);

/**
 * @brief map_after.c: writes `,"after":{...}`: the note or the tag that this state of the order leaves
 * on its contact, if the order was synced before (after_sync). Nothing for a state that leaves none.
 * map: its list of tags is used; what was in it is gone
 */
void map_write_after(struct map *map, const struct map_settings *settings,
                     const struct order *order, int64_t modified_at_ms, struct buffer *out);

/** @brief map_product.c: reads an amount; an absent one is 0. */
int map_read_money(yyjson_val *value, const char *what, money *amount, struct error *err);

/** @brief Makes room in an array for one more element of the given size. */
void *map_grow(void *elements, int count, int *capacity, size_t size);

#endif
