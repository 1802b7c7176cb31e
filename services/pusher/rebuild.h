/* rebuild.h - the keeper of the ledger: a thread that looks whether there is a ledger, and fills a
 * lost one in from Kafka (rebuild_read.h). One pusher does it, under a lock; the others wait.
 * Thread-safe. */
#ifndef PUSHER_REBUILD_H
#define PUSHER_REBUILD_H

#include "base/error.h"
#include "ledger/ledger.h"
#include "stage/stage.h"

struct rebuild;

/** @brief New, its thread started: looks at the ledger now and then, and when asked to. stage says
 * which topics the pushers read and in which group; keeps. Free with rebuild_free(). */
struct rebuild *rebuild_new(const struct stage_settings *stage,
                            const struct ledger_settings *settings, struct error *err);
void rebuild_free(struct rebuild *rebuild);

/**
 * @brief A lost ledger may be rebuilt from now on. Before an account was ever found ready for
 * orders nothing can have been delivered, and `bigfusion setup` may still start the ledger as a new
 * one.
 */
void rebuild_allow(struct rebuild *rebuild);

/**
 * @brief Waits until there is a ledger. A pusher reads no record before that: nothing could be
 * granted, and each record that it took in hand would count as begun in the rebuild.
 * @returns 0; -1 when a stop was asked for
 */
int rebuild_wait(struct rebuild *rebuild);

/** @brief The ledger answered LOST: look at once. */
void rebuild_request(struct rebuild *rebuild);

#endif
