/* steps.h - what is to be done for a payload of each kind, step by step. */
#ifndef PUSHER_STEPS_H
#define PUSHER_STEPS_H

#include "delivery.h"

/** @brief Fills in d->peeks: the contact and the products whose ids the ledger may know already.
 * @returns how many there are */
int steps_set_peeks(struct delivery *d);

/** @brief Takes all steps of the payload in hand. Each does nothing where the ledger has its result
 * already. */
enum progress steps_take(struct delivery *d);

/** @brief Whether the account has what the payload is about, as this delivery or the ledger knows:
 * the order, the contact, or a product of it. From then on its fate is `delivered`, whatever becomes of later steps.
 */
int steps_have_effect(const struct delivery *d);

#endif
