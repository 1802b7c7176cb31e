/* rebuild_read.h - fills a lost ledger in from Kafka: with every fate, and with every order that a
 * pusher may have begun and not ended (docs/ledger.md). The records are filled in batch by batch as
 * they come, so memory does not grow with their number. */
#ifndef PUSHER_REBUILD_READ_H
#define PUSHER_REBUILD_READ_H

#include "base/error.h"
#include "ledger/ledger.h"
#include "stage/stage.h"

/**
 * @brief Reads all these records, fills them in and seals the ledger. The caller holds the rebuild
 * lock, which is renewed meanwhile. /readyz and the log tell how far it is.
 * @param settings  the pusher's stage: its topics, inputs and group
 * @returns 0; -1 with an error: take the lock and start again
 */
int rebuild_read(const struct stage_settings *settings, struct ledger *ledger, struct error *err);

#endif
