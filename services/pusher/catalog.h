/* catalog.h - the products of a store's catalogue at the account: each is found by its SKU, then made
 * or brought up to date. */
#ifndef PUSHER_CATALOG_H
#define PUSHER_CATALOG_H

#include "delivery.h"

/**
 * @brief Brings all products of the payload into the account. One that the ledger knows with the
 * same body needs no call; one whose id it knows needs a single one.
 * @returns OK when each was dealt with, also where the account refused some: those are listed as
 * incomplete; REFUSED when it refused all of them
 */
enum progress catalog_step(struct delivery *d);

#endif
