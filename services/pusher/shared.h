/* shared.h - contacts and products, which several orders may need at the same time. One delivery
 * has the thing in hand, looks it up or makes it, and gives it back; the others wait and then find
 * its id in the ledger. */
#ifndef PUSHER_SHARED_H
#define PUSHER_SHARED_H

#include "ledger/ledger.h"
#include "delivery.h"

/**
 * @brief Acquires a contact or product, first among the workers of this process, then in the
 * ledger.
 * @param id  out: its id when it is known already; else unchanged
 * @returns OK with an id: there is nothing to do; OK without: settle it, then shared_release();
 * LATER: somebody else has it in hand. ledger_grant_clear(grant) has to follow in every case
 */
enum progress shared_take(struct delivery *d, const struct ledger_request *request,
                          const char *step_name, struct ledger_grant *grant, char id[64]);

/** @brief The thing was looked up and not found. OK: it may be made now; LATER: an earlier create
 * is in doubt and may not be visible yet. */
enum progress shared_wait_until_visible(struct delivery *d, struct ledger_grant *grant,
                                        const char *step_name);

/**
 * @brief Gives it back: as done, with its id, where settled is OK; else for the next one to try.
 * Where settled is LATER and its create is in doubt, its lease stays with this process until that is
 * visible.
 * @returns settled, or what the ledger answered
 */
enum progress shared_release(struct delivery *d, const struct ledger_request *request,
                             struct ledger_grant *grant, const char *step_name,
                             enum progress settled, const char *id);

#endif
