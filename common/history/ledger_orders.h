/* ledger_orders.h - looks into the delivery ledger without touching it: which orders are done, and
 * which are in doubt. It says no hello and writes nothing. */
#ifndef COMMON_LEDGER_ORDERS_H
#define COMMON_LEDGER_ORDERS_H

#include "base/error.h"
#include "settings/config.h"

struct ledger_orders; /* opaque: one connection */

/** @brief New; config is kept. Free with ledger_orders_free(). */
struct ledger_orders *ledger_orders_new(const struct config *config);
void ledger_orders_free(struct ledger_orders *ledger);

/**
 * @brief Whether the ledger can be believed: it has its marker, and the server is the one that it
 * was last known to live in.
 * @returns 1; 0: it is to be rebuilt, or to be checked by the next pusher; -1 with an error
 */
int ledger_orders_is_whole(struct ledger_orders *ledger, struct error *err);

/* What is asked about one order, and the answer. */
struct ledger_order {
    const char *account; /* borrowed */
    const char *key;     /* the record key; borrowed */
    int is_done;         /* out: 1: it is delivered */
    char
        doubt[64]; /* out: the step whose outcome is not known while nobody works on it; "": none */
};

/** @brief Asks about many orders. Pipelined. An entry that is absent or damaged is neither done nor
 * in doubt. @returns 0, or -1 with a temporary error */
int ledger_orders_read(struct ledger_orders *ledger, struct ledger_order *orders, int count,
                       struct error *err);

#endif
