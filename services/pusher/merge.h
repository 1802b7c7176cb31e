/* merge.h - what to write into a contact that exists already (D5). Pure.
 * `keep`: only what is empty there is filled. `overwrite`: what differs is replaced. Lists are
 * replaced as a whole by the account, so they are read, merged and written whole; the e-mail
 * addresses stay as they are in both cases. */
#ifndef PUSHER_MERGE_H
#define PUSHER_MERGE_H

#include <yyjson.h>

#include "mem.h"

enum { MERGE_MASK_MAX = 4 };

/* Embedded; release with merge_clear(). */
struct merge {
    char *body; /* JSON */
    size_t length;
    const char *mask[MERGE_MASK_MAX]; /* the properties in it. Static */
    int mask_count;                   /* 0: there is nothing to write */
};

/**
 * @param existing        the contact as the account has it
 * @param wanted          the payload's contact body
 * @param overwrite       see above
 * @param without_regions region codes of the wanted addresses are left out
 */
void merge_contact(yyjson_val *existing, yyjson_val *wanted, int overwrite, int without_regions,
                   struct merge *merge);
void merge_clear(struct merge *merge);

/** @brief The body of a create: the wanted one, with or without region codes. New: free(). */
char *merge_create_body(yyjson_val *wanted, int without_regions, size_t *length);

#endif
