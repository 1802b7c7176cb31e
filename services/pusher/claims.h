/* claims.h - the contacts and products that this process has in hand. Their leases in the ledger
 * belong to the process, so that one worker can go on with what another one set aside. This table
 * decides which of the workers may. Thread-safe. */
#ifndef PUSHER_CLAIMS_H
#define PUSHER_CLAIMS_H

#include <stdint.h>

#include "ledger/ledger.h"

struct claims;

/** @brief New. Free with claims_free(). */
struct claims *claims_new(void);
void claims_free(struct claims *claims);

/**
 * @brief Takes a contact or product for one worker, until claims_pause() or claims_drop().
 * @returns 0: it is taken; else the time in ms after which to ask again, because another worker has
 * it or it was paused
 */
int64_t claims_take(struct claims *claims, const struct ledger_request *request);

/** @brief Nobody works on it for wait_ms. The process keeps its lease, for the worker that takes it
 * first after that. */
void claims_pause(struct claims *claims, const struct ledger_request *request,
                  const struct ledger_grant *grant, int64_t wait_ms);

/** @brief The process does not have its lease any more, or never got it. */
void claims_drop(struct claims *claims, const struct ledger_request *request);

/** @brief Gives the leases of everything that is paused back, as long as Redis answers. For the end
 * of the process, when no worker runs any more. */
void claims_give_back(struct claims *claims, const struct ledger_settings *settings);

#endif
