/* after_sync.h - what a refund or cancellation leaves on the contact of an order that was delivered
 * before (D2): a note or a tag, by the setting after_sync of the store. */
#ifndef PUSHER_AFTER_SYNC_H
#define PUSHER_AFTER_SYNC_H

#include "delivery.h"

/** @brief Whether the version in hand of an order that was delivered comes after the delivered one, so
 * that it has to go through after_sync_step(). d->grant is what the ledger answered about the order. */
int after_sync_applies(const struct delivery *d);

/**
 * @brief Leaves the note or tag of the payload. d->grant is what the ledger answered about the
 * order, which was delivered; whether its lease is held does not matter.
 *
 * It has an entry of its own (LEDGER_AFTER), so that the order's entry stays as it was delivered,
 * and so that the newest version counts, whatever the order in which they arrive. A version that
 * leaves nothing goes through it too: an older one that comes late leaves nothing then.
 *
 * @returns OK: done, also where the account refuses it, which is then listed as incomplete; else as
 * the steps
 */
enum progress after_sync_step(struct delivery *d);

#endif
