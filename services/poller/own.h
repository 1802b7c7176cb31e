/* own.h - makes the requests that the held orders of a store need for themselves. They are made
 * after the round has read its window, and only as long as there is time, so that a request that
 * hangs delays no new order. */
#ifndef POLLER_OWN_H
#define POLLER_OWN_H

#include "intake.h"

/**
 * @brief Asks for the held orders that are due, until the time is over or the store's quota is
 * scarce. At least one is asked for. Each request may take held_allowance_ms(). An order that was
 * published, is dead or is gone from the store is not held any longer.
 * @param until_ms  monotonic: when the next round is due. A quarter of the store's interval is used
 * in any case. If a request hangs, own_calls() returns later than that by held_allowance_ms() at
 * most
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome own_calls(struct intake *intake, int64_t until_ms, struct error *err);

#endif
