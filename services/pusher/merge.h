/* merge.h - what to write into a contact that exists already (D5). Pure.
 * `keep`: only what is empty there is filled. `overwrite`: what differs is replaced. Lists are
 * replaced as a whole by the account, so they are read, merged and written whole; the e-mail
 * addresses stay as they are in both cases. */
#ifndef PUSHER_MERGE_H
#define PUSHER_MERGE_H

#include <yyjson.h>

#include "base/mem.h"

enum { MERGE_MASK_MAX = 4 };

/* Addresses whose region is left out: a bit each for BILLING, SHIPPING and OTHER. */
enum { MERGE_REGIONS_ALL = 7 };

/**
 * @brief Whose regions a refusal names.
 * @param answer  the body of a 400
 * @returns bits; all where it names none of the addresses; 0 where it is not about a region
 */
unsigned merge_refused_regions(struct text answer);

/* Embedded; release with merge_clear(). */
struct merge {
    char *body; /* JSON */
    size_t length;
    const char *mask[MERGE_MASK_MAX]; /* the properties in it. Static */
    int mask_count;                   /* 0: there is nothing to write */
};

/**
 * @param existing   the contact as the account has it
 * @param wanted     the payload's contact body
 * @param overwrite  see above
 * @param regions    addresses that are sent without their region, be they the account's own or ours
 */
void merge_contact(yyjson_val *existing, yyjson_val *wanted, int overwrite, unsigned regions,
                   struct merge *merge);
void merge_clear(struct merge *merge);

/** @brief The body of a create: the wanted one, without the regions of these addresses. New:
 * free().
 */
char *merge_create_body(yyjson_val *wanted, unsigned regions, size_t *length);

#endif
