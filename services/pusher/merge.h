/* merge.h - what to write into a contact that exists already. Pure.
 * The store's setting existing_contact decides: `keep` fills only what is empty at the account,
 * `overwrite` replaces what differs. The account replaces a list as a whole, so a list is read,
 * merged and written whole. The e-mail addresses stay as they are in both cases. */
#ifndef PUSHER_MERGE_H
#define PUSHER_MERGE_H

#include <yyjson.h>

#include "base/mem.h"

enum { MERGE_MASK_MAX = 4 };

/* The account may refuse a region, and then the address is sent without it. A set of addresses: one
 * bit each for BILLING, SHIPPING and OTHER. */
enum { MERGE_REGIONS_ALL = 7 };

/** @brief The body of a contact with its e-mail address alone, without the permission for marketing: an
 * account that has the contact already changes nothing in it. New. */
char *merge_address_body(yyjson_val *wanted, size_t *length);

/**
 * @brief Which addresses a refusal is about.
 * @param answer  the body of a 400
 * @returns their bits; all bits where it names no address; 0 where it is not about a region
 */
unsigned merge_refused_regions(struct text answer);

/* Embedded; release with merge_clear(). */
struct merge {
    char *body; /* JSON */
    size_t length;
    const char *mask[MERGE_MASK_MAX]; /* names of the properties in it. Static */
    int mask_count;                   /* 0: there is nothing to write */
};

/**
 * @brief Merges the contact that is wanted into the one that exists.
 * @param existing   the contact as the account has it
 * @param wanted     the payload's contact body
 * @param overwrite  see above
 * @param regions    addresses that are sent without their region, whoever that region came from
 */
void merge_contact(yyjson_val *existing, yyjson_val *wanted, int overwrite, unsigned regions,
                   struct merge *merge);
void merge_clear(struct merge *merge);

/** @brief The body that makes a contact: the wanted one, without the regions of these addresses.
 * New: free(). */
char *merge_create_body(yyjson_val *wanted, unsigned regions, size_t *length);

#endif
