/* drop.h - gives an order up for good: its newest version gets the fate skipped `dropped`.
 *
 * In the delivery ledger the version is withdrawn, as if the store had cancelled it. So no copy of it
 * or of an older version that is still in a retry topic, a waiting topic or on its way is delivered
 * afterwards. If the process is killed before the fate is published, the pusher publishes it when it
 * reads such a copy. A later change of the order in the store is a newer version, which is delivered. */
#ifndef COMMON_DROP_H
#define COMMON_DROP_H

#include "act/act.h"

/**
 * @brief Drops an order. It is refused where the order is delivered or skipped already, where a step
 * of its delivery is in doubt, and where no topic knows it.
 * @param key  the record key
 * @returns 0; -1 with an error: permanent where it was refused
 */
int drop_order(struct act *act, const char *key, struct error *err);

#endif
