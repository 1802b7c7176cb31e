/* payment.h - the payment of an order at the account: a record of money that the store has. Nothing is
 * charged by it, since `payment_method_id` is never sent. */
#ifndef PUSHER_PAYMENT_H
#define PUSHER_PAYMENT_H

#include "base/mem.h"
#include "delivery.h"

/** @brief Records the payment of the payload, if it has one and the order is made. A payment that the
 * account refuses, or whose attempts have run out, is listed as incomplete, and the delivery goes on. */
enum progress payment_step(struct delivery *d);

/** @brief Looks up a payment that is in doubt in the order's list, and ends the doubt. OK also where it
 * is not there: it may be begun again. */
enum progress payment_reconcile(struct delivery *d);

/** @brief The body that makes the payment. New: free(). Pure. */
struct text payment_body(const struct delivery *d);

/** @brief Whether a payment of the order's list is ours: its note is the order's external key. Pure. */
int payment_is_ours(yyjson_val *payment, struct text external_key);

#endif
