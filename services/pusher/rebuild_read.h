/* rebuild_read.h - a lost ledger filled in from Kafka: every fate, and every order that a pusher
 * may have begun without an end (docs/ledger.md). Records are filled in batch by batch as they
 * come: memory does not grow with their number. */
#ifndef PUSHER_REBUILD_READ_H
#define PUSHER_REBUILD_READ_H

#include "base/error.h"
#include "ledger/ledger.h"
#include "stage/stage.h"

/**
 * @brief Reads and fills, under the rebuild lock, which is renewed, then has the ledger sealed.
 * /readyz and the log tell how far it is.
 * @param settings  the pusher's stage: its topics, inputs and group
 * @returns 0; -1 with an error: start again from the lock
 */
int rebuild_read(const struct stage_settings *settings, struct ledger *ledger, struct error *err);

#endif
