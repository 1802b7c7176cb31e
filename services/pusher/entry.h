/* entry.h - the ledger as a delivery uses it: each function repeats its call until Redis answers,
 * and says what the answer means for the delivery. All of them return OK; AGAIN: the grant is void,
 * acquire again; FAILED: the entry is damaged; STOPPED. */
#ifndef PUSHER_ENTRY_H
#define PUSHER_ENTRY_H

#include <stdint.h>

#include "ledger/ledger.h"
#include "delivery.h"

/** @brief ledger_acquire_and_peek(). OK: the answer is in grant->answer. A BUSY grant's wait_ms is
 * shortened: an owner that is alive is done long before its lease runs out. */
enum progress entry_acquire(struct delivery *d, const struct ledger_request *request,
                            struct ledger_grant *grant, struct ledger_peek *peeks, int count);

/** @brief ledger_begin(): writes down that a call which must not happen twice is about to leave. */
enum progress entry_begin(struct delivery *d, const struct ledger_grant *grant, const char *step);

/**
 * @brief ledger_end(): records what came of a step.
 * @param next    NULL, or the step to begin in the same round trip
 * @param called  a call with a possible effect was sent for this step: an answer FENCED or LOST is
 * an alarm then
 */
enum progress entry_end(struct delivery *d, struct ledger_grant *grant, const char *step,
                        const char *result, const char *next, int called);

/**
 * @brief Records how the step before ended (see delivery_set_pending()), if that is still to be done.
 * Where calls need not wait, the same request to Redis also records the begin of the step `next`.
 * @param next   NULL: no step follows that has to be begun
 * @param begun  out: whether the begin was recorded
 */
enum progress entry_end_pending(struct delivery *d, const char *next, int *begun);

/**
 * @brief ledger_finish(): gives the entry back.
 * @param step,result  NULL, or a step to end in the same round trip
 * @param note         the evidence for DONE and RETRY, the reason's name for DEAD, or NULL
 * @param called       as for entry_end()
 */
enum progress entry_finish(struct delivery *d, struct ledger_grant *grant, enum ledger_finish how,
                           const char *step, const char *result, const char *note, int called);

/** @brief ledger_peek_many(): the ids of contacts and products that are known already. */
enum progress entry_peek(struct delivery *d, struct ledger_peek *peeks, int count);

/** @brief ledger_forget(): the contact or product with this id does not exist at the account any
 * more. */
enum progress entry_forget(struct delivery *d, enum ledger_kind kind, const char *digest,
                           const char *stale_id);

/** @brief ledger_epoch(). */
enum progress entry_epoch(struct delivery *d, int64_t *epoch);

/** @brief Result of a step in the order's entry; NULL: it has none yet. Borrowed from the grant. */
const char *entry_result(const struct delivery *d, const char *step);

#endif
