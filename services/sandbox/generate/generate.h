/* generate.h - makes orders like those of real shops, from a seed. Pure: equal input gives an equal
 * order.
 *
 * Of each 50 orders in a row, 8 have a status that is not synced, 1 has an unknown status, 6 have
 * an unusable e-mail address, 1 is wrong in another way (currency, total, migrated, quantity 0,
 * archived) and 34 are good, one of each shape in the list in shapes.h. */
#ifndef SANDBOX_GENERATE_H
#define SANDBOX_GENERATE_H

#include <stdint.h>

#include <jansson.h>

struct generate_input {
    uint64_t seed;
    const char *hash;     /* belongs to the store: orders with equal ids differ between stores */
    const char *currency; /* currency that the store sells in */
    int64_t id;
    int64_t index; /* index in the run, from 0: it decides about the shape */
    int64_t placed_s;
};

struct generated {
    json_t *order;   /* with consignments, line items and fees; new */
    json_t *coupons; /* array, new; NULL: the coupons are on the lines */
    int hide_lines;  /* the list call shows no lines */
    int style;       /* enum order_style bits */
};

void generate_order(const struct generate_input *input, struct generated *output);

/** @brief Releases what generate_order() made. */
void generated_clear(struct generated *output);

/** @brief The vendor's name of a status, "" when it is unknown. */
const char *status_name(int status_id);

#endif
