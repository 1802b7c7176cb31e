/* reconcile.h - settles the step that an earlier attempt left in doubt: it was begun, and nobody
 * knows whether its call reached the account. */
#ifndef PUSHER_RECONCILE_H
#define PUSHER_RECONCILE_H

#include "delivery.h"

/** @brief Looks an order in doubt up and ends the step with what was found. A goal cannot be looked
 * up: it ends as in_doubt. LATER: the order is not listed, and may not be visible yet. */
enum progress reconcile_step(struct delivery *d);

#endif
