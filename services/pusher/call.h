/* call.h - the calls that a delivery makes to its account, and what each outcome means for it. */
#ifndef PUSHER_CALL_H
#define PUSHER_CALL_H

#include "infusionsoft/infusionsoft.h"
#include "ledger/ledger.h"
#include "delivery.h"

/**
 * @brief Makes a call that may be repeated. It waits and repeats after a 429; every other failure
 * went through call_failed().
 */
enum progress call_read(struct delivery *d, const char *method, const char *path, const char *query,
                        struct text body);

/**
 * @brief Makes a call that must not happen twice: begins the step in the ledger (unless begun),
 * then sends the call. It repeats both only after a 429.
 * @param begun    the step was begun in the ledger by the round trip before
 * @param outcome  out, when OK: what came of the call; the caller ends the step accordingly
 */
enum progress call_write(struct delivery *d, const struct ledger_grant *grant, const char *step,
                         int begun, const char *path, const char *query, struct text body,
                         enum infusionsoft_outcome *outcome);

/**
 * @brief What a failed outcome of the last call means. Keeps its answer; closes the account where
 * the account is to blame.
 * @returns REFUSED (4xx, also 403), FAILED, CLOSED or STOPPED; never OK
 */
enum progress call_failed(struct delivery *d, enum infusionsoft_outcome outcome);

/**
 * @brief After a temporary failure whose detail is kept in d: asks the account for its user, which
 * needs no permission, to learn who is to blame.
 * @returns FAILED: the account answers, so this record is to blame; CLOSED: it does not; STOPPED
 */
enum progress call_failed_or_closed(struct delivery *d);

/** @brief 403 to a call that needs no module: the credential may not make it for any record. Closes
 * the account. @returns CLOSED */
enum progress call_forbidden(struct delivery *d);

/** @brief 403 to a call about orders or products: the account has no e-commerce module, or its
 * credential may not write there. Closes the account's orders. @returns NO_ORDERS */
enum progress call_no_orders(struct delivery *d);

/**
 * @brief The 2xx of the last call lacks what it must say, so the call counts as in doubt.
 * @param missing  what is missing, for people; NULL: the client knows it already
 * @returns as call_failed()
 */
enum progress call_says_nothing(struct delivery *d, const char *missing);

/** @brief Keeps answer and error of the last call in d, for the fate of the record. */
void call_keep_answer(struct delivery *d);

/** @brief Whether the last answer says that the account does not have the object any more. */
int call_is_gone(const struct delivery *d);

/** @brief Whose regions the last answer refuses, as merge_refused_regions(); 0 if it is no 400. */
unsigned call_refused_regions(const struct delivery *d);

#endif
