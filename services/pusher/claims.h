/* claims.h - the contacts and products that this process has in hand. Their leases in the ledger
 * belong to the process, so that one worker can go on with what another set aside; among the
 * workers this table decides. Thread-safe. */
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
 * @returns 0: taken; else ms after which to ask again: another worker has it, or it is waited for
 */
int64_t claims_take(struct claims *claims, const struct ledger_request *request);

/** @brief Its lease stays with the process, for whoever takes it first after wait_ms. */
void claims_pause(struct claims *claims, const struct ledger_request *request,
                  const struct ledger_grant *grant, int64_t wait_ms);

/** @brief Its lease is given back, or was never had. */
void claims_drop(struct claims *claims, const struct ledger_request *request);

/** @brief Gives the leases of all that is paused back, as far as Redis answers; no worker runs any
 * more. */
void claims_give_back(struct claims *claims, const struct ledger_settings *settings);

#endif
