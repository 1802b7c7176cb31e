/* seen.h - remembers the last write that Redis acknowledged to any handle of this process. `hello`
 * compares it with what the server has now. A server that has less has lost something, and must
 * grant nothing to any worker of the process. What was seen is never forgotten; a rebuilt ledger
 * has a later epoch. Thread-safe. */
#ifndef COMMON_LEDGER_SEEN_H
#define COMMON_LEDGER_SEEN_H

#include <stdint.h>

enum { LEDGER_RUN_BYTES = 64 };

/* One acknowledged write: its epoch, the run of the server, and the counter. */
struct ledger_write {
    int64_t epoch;
    char run[LEDGER_RUN_BYTES]; /* "": nothing was acknowledged yet */
    int64_t writes;
};

struct ledger_seen; /* opaque */

/** @brief New, with nothing seen. Free with ledger_seen_free(). */
struct ledger_seen *ledger_seen_new(void);
void ledger_seen_free(struct ledger_seen *seen);

/** @brief Returns the last write that was acknowledged so far. */
struct ledger_write ledger_seen_get(struct ledger_seen *seen);

/** @brief Keeps write where it is later: of a later epoch, or of the same epoch with a higher
 * counter. */
void ledger_seen_add(struct ledger_seen *seen, const struct ledger_write *write);

#endif
