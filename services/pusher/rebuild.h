/* rebuild.h - the keeper of the ledger: a thread that looks whether there is a ledger, and fills a
 * lost one in from Kafka (rebuild_read.h). One pusher does that, under a lock, while the others
 * wait. Thread-safe. */
#ifndef PUSHER_REBUILD_H
#define PUSHER_REBUILD_H

#include "base/error.h"
#include "ledger/ledger.h"
#include "stage/stage.h"

struct rebuild;

/** @brief New, with its thread started, which looks at the ledger now and then and when it is
 * asked to. stage: the topics that the pushers read, and their group; keeps. Free with
 * rebuild_free(). */
struct rebuild *rebuild_new(const struct stage_settings *stage,
                            const struct ledger_settings *settings, struct error *err);
void rebuild_free(struct rebuild *rebuild);

/**
 * @brief A lost ledger may be rebuilt from now on. Until an account was found ready for orders,
 * nothing can have been delivered, and `bigfusion setup` may still start the ledger as a new one.
 */
void rebuild_allow(struct rebuild *rebuild);

/**
 * @brief Waits until there is a ledger. A pusher reads no record before that: nothing could be
 * granted, and each record that it took in hand would count as begun in the rebuild.
 * @returns 0; -1 when a stop was asked for
 */
int rebuild_wait(struct rebuild *rebuild);

/** @brief A worker had the answer LOST from the ledger: has the thread look at once. */
void rebuild_request(struct rebuild *rebuild);

#endif
