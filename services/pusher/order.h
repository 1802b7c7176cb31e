/* order.h - the order at the account: made once, and looked up by its external key where the ledger
 * cannot tell whether it was made. */
#ifndef PUSHER_ORDER_H
#define PUSHER_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "infusionsoft/infusionsoft.h"
#include "delivery.h"
#include "lookup.h"

/* The result of the step "order" where the account has orders = off: none was made. */
#define ORDER_OFF "off"

/** @brief Makes the order unless the ledger has its id. d->order_id is its id then; the end of the
 * step is recorded by goal_step(), or when the entry is given back. */
enum progress order_step(struct delivery *d);

/**
 * @brief Looks the order up by its external key, compared exactly. Several orders are an alarm.
 * @param id     out: the lowest id; "" when there is none
 * @param count  out: how many there are
 */
enum progress order_find(struct delivery *d, char id[64], int *count);

/**
 * @brief Looks once more for an order that was in doubt, was looked up and not found: by now even
 * one that became visible late can be seen. Two orders, or another one than ours, are an alarm.
 * @returns OK also where the account refuses the look-up for good: it would refuse it each time
 */
enum progress order_look_again(struct delivery *d);

/** @brief The body of the call that makes the order: the payload's, with the ids that only the
 * account knows. New: free(). Pure. */
char *order_body(struct delivery *d, int without_region, size_t *length);

/** @brief Whether the order has the external key in that field. UNCLEAR: it does not show the field
 * by which it was found. Pure. */
enum match order_match(yyjson_val *order, const struct infusionsoft_field *field, struct text key);

/** @brief Total of the order that the account made, in its currency's smallest unit; the account
 * may write it as a number or as a text. Pure. @returns 0; -1 when the answer does not tell it */
int order_read_total(yyjson_val *answer, int64_t *total);

#endif
