/* known_products.h - the products of an account, read in pages once, so that a shop of 5,000 SKUs whose
 * products are there already costs a handful of calls and not 5,000 look-ups.
 *
 * The ledger knows the products that an order had before. Of the others the first few are looked up one
 * by one; then the list of all products is read. It belongs to one process and one account, and lives in
 * memory. What is in it needs no look-up. What is not in it is looked up before it is made, unless the
 * list is so fresh that it says the same. */
#ifndef PUSHER_KNOWN_PRODUCTS_H
#define PUSHER_KNOWN_PRODUCTS_H

#include "base/digest.h"
#include "delivery.h"
#include "lookup.h"

struct known_products; /* opaque; thread-safe */

enum {
    KNOWN_MISSES = 5, /* look-ups before the list is read: a shop with few products needs none */
    KNOWN_PAGE_SIZE = 1000,  /* as large as the account gives them */
    KNOWN_PAGES_MAX = 20,    /* of a larger account only so many products are known */
    KNOWN_FRESH_MS = 60000,  /* so long a complete list says that a product is not there */
    KNOWN_AGAIN_MS = 600000, /* after a list that could not be read: not before this time */
    KNOWN_WAIT_MS =
        2000, /* so long after its begin a reading is waited for, by a record set aside */
    KNOWN_LOOK_MS = 200, /* how often it looks whether the list is there */
};

struct known_products *known_products_new(void);
void known_products_free(struct known_products *known);

/**
 * @brief Looks for a product of the account in hand that the ledger does not know, and reads the list
 * where it is time for that. One worker reads; the products of the others are looked up singly once
 * that takes long.
 * @param digest   of the SKU: digest_hex_nocase()
 * @param epoch    of the ledger, as the product's grant has it: a list that was read in another one says
 *                 nothing about what is not in it
 * @param id       out: its id; "": not in the list
 * @param is_sure  out: 1: it is certainly not there, so it may be made without a look-up
 * @returns OK; also where the list cannot be read: then the product is looked up singly. LATER: another
 * worker reads it. Else as call_read()
 */
enum progress known_products_find(struct delivery *d, struct known_products *known,
                                  const char *digest, int64_t epoch, char id[64], int *is_sure);

/** @brief The account does not have the product of this id any more: it is looked up singly from now
 * on. */
void known_products_forget(struct known_products *known, const char *digest);

/* The list itself. Pure, not thread-safe; for known_products.c and the tests. */

struct known_entry {
    char digest[DIGEST_BYTES];
    char id[32]; /* "": looked up singly */
};

struct known_list {
    struct known_entry *entries; /* sorted by digest, each once, after known_list_sort() */
    int count, capacity;
};

/** @brief Adds the products of a page; those without SKU or id are passed over.
 * @returns 0; -1 when the SKU of one is no text, so that it may be any product */
int known_list_add(struct known_list *list, yyjson_val *products);

/** @brief Sorts the list. Of several products with one SKU the lowest id stays, as everywhere. */
void known_list_sort(struct known_list *list);
struct known_entry *known_list_find(const struct known_list *list, const char *digest);
void known_list_clear(struct known_list *list);

#endif
