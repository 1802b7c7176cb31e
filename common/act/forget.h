/* forget.h - removes what is kept of a person, as far as it can be removed, and says what stays.
 *
 * Removed: the contact's entry in Redis; the text of the person's records in `dead`, which keep
 * their reason and the digest that the ledger compares; the e-mail digest in the console's index,
 * which reads this act in the topic `audit`, so that it holds also for an index that is built anew.
 * The ledger's entries of the orders stay, for without them an order could be made twice; they hold
 * ids and no name or address. Records of the other topics cannot be removed one by one; they go with
 * their topic's retention. The act may be repeated. */
#ifndef COMMON_FORGET_H
#define COMMON_FORGET_H

#include <stdint.h>

#include <jansson.h>

#include "act/act.h"
#include "act/person.h"

/**
 * @brief Forgets a person.
 * @param receipt  out, new, also after an error: what was removed and what stays; no address
 * @returns 0, or -1 with an error: do it again
 */
int forget_person(struct act *act, const struct person *person, json_t **receipt,
                  struct error *err);

#endif
