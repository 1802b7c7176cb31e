/* draft.h - an order while the generator builds it. Amounts are hundredths of the currency's
 * smallest unit: ten-thousandths of a dollar, hundredths of a yen. */
#ifndef SANDBOX_DRAFT_H
#define SANDBOX_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define MONEY_TEXT_SIZE 32

struct draft {
    uint64_t chance; /* state of the random number generator */
    int64_t id;
    const char *hash;
    int money_style; /* how amounts are written. 0: four decimals, 1: two where that is exact, 2:
                        as short as is exact */
    int digits;      /* decimals of the currency */
    int inclusive;   /* prices include tax */
    int64_t rate;    /* tax in hundredths of a percent */
    json_t *shipping, *pickups, *downloads, *gifts, *fees;
    int lines;
    int64_t items_total;
    int64_t subtotal_ex, subtotal_tax;
    int64_t shipping_ex, shipping_tax;
    int64_t handling_ex, handling_tax;
    int64_t wrapping_ex, wrapping_tax;
    int64_t fees_ex, fees_tax;
    int64_t discount, coupon;
    int64_t store_credit, gift_certificate;
    int net; /* the total is what remains after store credit and gift certificate */
};

/** @brief Uniform in [0, limit). */
int64_t draft_draw(struct draft *draft, int64_t limit);

/** @brief Writes an amount the way this order writes amounts. @returns target */
const char *money_text(char target[MONEY_TEXT_SIZE], int64_t amount, int style);

/** @brief The amount as a JSON string, or as a JSON number. New. */
json_t *draft_money(const struct draft *draft, int64_t amount);
json_t *draft_number(const struct draft *draft, int64_t amount);

/** @brief Splits a price into the amount without tax and the tax. Whether the price includes tax
 * depends on the store. */
void draft_split_tax(const struct draft *draft, int64_t price, int64_t *ex, int64_t *tax);

/** @brief Tax of the whole order, in whole cents. Where prices include tax, no tax is paid on what
 * was discounted. */
int64_t draft_tax(const struct draft *draft);

/** @brief The order's amount with tax, before store credit and gift certificates. */
int64_t draft_total(const struct draft *draft);

struct product {
    const char *sku; /* "": the product has none */
    const char *name;
    int id;
    int variant_id; /* 0: written as null */
    int64_t price;
};

/** @brief A product of the catalogue: any one, or the one with index i. */
const struct product *product_any(struct draft *draft);
const struct product *product_at(size_t i);

struct line {
    const char *sku;
    const char *name;
    const char *type; /* physical, digital, giftcertificate */
    int64_t product_id, variant_id;
    int64_t quantity;
    int64_t total;  /* price of the line, with or without tax as in all prices of the store */
    int64_t parent; /* line id of the bundle that this is a component of; 0: none */
    int64_t address_id;
    int64_t wrapping;
    int64_t discount; /* the part of the order's discounts that belongs to this line */
    const char *code; /* code of the coupon; NULL: a manual discount */
    const char *target;
};

/** @brief Makes a line for so many of a product. */
struct line line_of(const struct product *product, int64_t quantity);

/** @brief Appends the line to lines and adds its amounts to the order. @returns its id */
int64_t draft_add_line(struct draft *draft, json_t *lines, const struct line *line);

struct person {
    const char *first_name, *last_name, *company, *street_1, *street_2, *city, *state, *zip,
        *country, *iso2, *phone;
    char email[128];
};

/** @brief A person with an American address and an e-mail address that only this order has. */
void person_any(struct draft *draft, struct person *person);

/** @brief One of 40 customers who order again and again. Their e-mail address is spelled
 * differently each time. */
void person_returning(struct draft *draft, struct person *person);

/** @brief Gives a person one of the foreign addresses. */
void person_abroad(struct draft *draft, struct person *person);

/** @brief Gives a person an address whose region is unknown or empty. */
void person_nowhere(struct draft *draft, struct person *person);

/** @brief Names in other scripts: 0 emoji, 1 right to left, 2 combining marks, 3 control
 * characters, 4 long. */
void person_rename(struct person *person, int kind);

/** @brief billing_address; email NULL leaves it out. New. */
json_t *person_billing(const struct person *person, const json_t *email);

/** @brief Adds a shipping consignment without lines and adds its cost to the order. @returns it,
 * borrowed from draft */
json_t *draft_consignment(struct draft *draft, const struct person *person, int64_t cost);

#endif
