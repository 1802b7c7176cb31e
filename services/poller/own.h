/* own.h - the calls that the held orders of a store need for themselves, within a budget: they are
 * made behind the polling, and what hangs there holds up nothing else. */
#ifndef POLLER_OWN_H
#define POLLER_OWN_H

#include "intake.h"

/**
 * @brief Asks for held orders that are due, each call within held_allowance_ms(), until the time is
 * over or the store's quota is scarce; one is asked for in any case. What is published, dead or
 * gone is held no longer.
 * @param until_ms  monotonic: when the next poll is due. A call that hangs ends that much later at
 * most
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome own_calls(struct intake *intake, int64_t until_ms, struct error *err);

#endif
