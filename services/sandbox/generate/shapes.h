/* shapes.h - what shapes.c and generate.c share: which kind of order comes at which place in a
 * run. */
#ifndef SANDBOX_SHAPES_H
#define SANDBOX_SHAPES_H

#include "generate/draft.h"
#include "generate/generate.h"

/* The shapes of the 34 good orders of each 50. */
enum shape {
    SHAPE_PLAIN = 0,
    SHAPE_PADDED_EMAIL,
    SHAPE_GUEST,
    SHAPE_RETURNING,
    SHAPE_GIFT_WRAP,
    SHAPE_HANDLING,
    SHAPE_FEES,
    SHAPE_STORE_CREDIT,
    SHAPE_GIFT_CERTIFICATE_PAID,
    SHAPE_GIFT_CERTIFICATE_BOUGHT,
    SHAPE_TAX_INCLUSIVE,
    SHAPE_BUNDLE,
    SHAPE_DIGITAL,
    SHAPE_PICKUP,
    SHAPE_MANY_ADDRESSES,
    SHAPE_MANY_LINES,
    SHAPE_HIDDEN_LINES,
    SHAPE_ODD_QUANTITY,
    SHAPE_ZERO_TOTAL,
    SHAPE_EMOJI,
    SHAPE_RIGHT_TO_LEFT,
    SHAPE_COMBINING,
    SHAPE_NO_SKU,
    SHAPE_SKU_TWICE,
    SHAPE_COUPON_TOTAL,
    SHAPE_COUPON_ITEM,
    SHAPE_FREE_SHIPPING,
    SHAPE_ABROAD,
    SHAPE_UNKNOWN_REGION,
    SHAPE_CONTROL_CHARACTERS,
    SHAPE_LONG_NAMES,
    SHAPE_CUSTOM_LINE,
    SHAPE_ODD_SKU,
    SHAPE_DISCOUNTS,
    SHAPE_COUNT,
};

enum oddity {
    ODD_NONE = 0,
    ODD_CURRENCY,
    ODD_TOTAL,
    ODD_MIGRATED,
    ODD_QUANTITY,
    ODD_ARCHIVED,
    ODD_END
};

struct plan {
    enum shape shape;
    enum oddity oddity;
    int status_id;
    int bad_email; /* 0: the e-mail address is usable, else which kind of unusable */
    int variant;   /* counts the orders of this shape, from 0 */
};

/** @brief Decides what the order with that index of the run is to be. */
struct plan plan_make(int64_t index);

/** @brief Chooses the customer. */
void plan_person(struct draft *draft, const struct plan *plan, struct person *person);

/** @brief The e-mail address of the billing address. New; NULL: the member is to be missing. */
json_t *plan_email(const struct plan *plan, const struct person *person);

/** @brief Adds consignments, lines and amounts of the shape. */
void plan_build(struct draft *draft, const struct plan *plan, struct person *person,
                struct generated *output);

#endif
