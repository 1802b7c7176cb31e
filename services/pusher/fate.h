/* fate.h - what becomes of a record: fills the result with the records to publish. Their texts are
 * borrowed from d and its job. */
#ifndef PUSHER_FATE_H
#define PUSHER_FATE_H

#include "record/reason.h"
#include "stage/stage.h"
#include "delivery.h"

/** @brief The order, contact or product is delivered: `delivered`, once more where it was before. */
void fate_delivered(struct delivery *d, struct result *result);

/*
 * Four ends at which no order is made. If the ledger was lost since it granted the order, such an
 * end may be wrong. So the fate is published and waited for, then the ledger's epoch is asked once
 * more, and only then may the record's offset be committed. All return OK: complete the
 * ticket with result, whose outputs are in Kafka already; AGAIN: the epoch is another one, acquire
 * again; STOPPED.
 */

/** @brief Dead. detail: a line for people */
enum progress fate_dead(struct delivery *d, enum reason reason, const char *detail,
                        struct result *result);

/** @brief The order was taken back before it was made: `skipped`. */
enum progress fate_withdrawn(struct delivery *d, struct result *result);

/** @brief An operator dropped this version: `skipped`, also where the command published that already,
 * since it may have been killed before. */
enum progress fate_dropped(struct delivery *d, struct result *result);

/** @brief A newer version of the order has a fate or will get one: this record has none. A replay
 * takes the old dead record away where the order was made. */
enum progress fate_old(struct delivery *d, struct result *result);

/** @brief No fate yet: a copy comes back in an hour, and the order is then looked up once more. */
void fate_look_later(struct delivery *d, struct result *result);

/** @brief Dead, without asking the ledger, for the entry of this order is damaged. */
void fate_parked(struct delivery *d, enum reason reason, const char *detail, struct result *result);

/** @brief Dead: the record is not a payload. */
void fate_malformed(struct delivery *d, const char *detail, struct result *result);

/** @brief Into the waiting topic of the account, or of its orders alone. */
void fate_waiting(struct delivery *d, int orders_only, struct result *result);

/** @brief Into a retry topic (0: 1 minute, 1: 10 minutes, 2: 1 hour). attempt: failures so far. */
void fate_retry(struct delivery *d, int topic, int attempt, struct result *result);

#endif
