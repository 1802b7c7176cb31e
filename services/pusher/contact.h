/* contact.h - the buyer's contact at the account: found by its e-mail address and filled in, or
 * made. */
#ifndef PUSHER_CONTACT_H
#define PUSHER_CONTACT_H

#include <yyjson.h>

#include "delivery.h"
#include "lookup.h"

/** @brief Sets d->contact_id, unless the ledger knew it already. */
enum progress contact_step(struct delivery *d);

/** @brief The account refused something, maybe because the contact whose id the ledger knew was
 * deleted: forgets that id here and in the ledger. */
enum progress contact_forget(struct delivery *d);

/** @brief As contact_forget(), then looks the contact up and records its id in the order's entry. Where
 * that fails, d->contact_id is as before. */
enum progress contact_refresh(struct delivery *d);

/** @brief Whether the account's contact has that address, compared without case. UNCLEAR: it shows
 * no address at all. Pure. */
enum match contact_match(yyjson_val *contact, struct text email);

#endif
