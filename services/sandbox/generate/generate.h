/* generate.h - orders that shops sell, by a seed. Pure: equal input gives an equal order.
 *
 * Out of each 50 orders in a row 8 have a status that is not synced, 1 an unknown status, 6 an
 * unusable e-mail, 1 is odd in another way (currency, total that does not add up, migrated,
 * quantity 0, archived) and 34 are good, one of each shape in the list in generate.c. */
#ifndef SANDBOX_GENERATE_H
#define SANDBOX_GENERATE_H

#include <stdint.h>

#include <jansson.h>

struct generate_input {
    uint64_t seed;
    const char *hash;     /* of the store: equal ids differ in content */
    const char *currency; /* that the store sells in */
    int64_t id;
    int64_t index; /* which of the run, from 0: chooses the shape */
    int64_t placed_s;
};

struct generated {
    json_t *order;   /* with includes; new */
    json_t *coupons; /* array, new; NULL: as the lines say */
    int hide_lines;  /* the list call shows no lines */
    int style;       /* enum order_style bits */
};

void generate_order(const struct generate_input *input, struct generated *output);

/** @brief Releases what generate_order() made. */
void generated_clear(struct generated *output);

/** @brief The vendor's name of a status, "" when it is unknown. */
const char *status_name(int status_id);

#endif
