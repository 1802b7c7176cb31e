/* seen.h - the last write that Redis acknowledged to this process, whichever of its handles
 * made it. `hello` compares it with what the server has now: a server that is behind has lost
 * something, and no worker of the process may be granted anything by it. It is never forgotten: a
 * ledger that was rebuilt is of a later epoch. Thread-safe. */
#ifndef COMMON_LEDGER_SEEN_H
#define COMMON_LEDGER_SEEN_H

#include <stdint.h>

enum { LEDGER_RUN_BYTES = 64 };

/* One acknowledged write: in which epoch, by which run of the server, and its counter. */
struct ledger_write {
    int64_t epoch;
    char run[LEDGER_RUN_BYTES]; /* "": nothing was acknowledged yet */
    int64_t writes;
};

struct ledger_seen; /* opaque */

/** @brief New, with nothing seen. Free with ledger_seen_free(). */
struct ledger_seen *ledger_seen_new(void);
void ledger_seen_free(struct ledger_seen *seen);

/** @brief What was acknowledged last, now. */
struct ledger_write ledger_seen_get(struct ledger_seen *seen);

/** @brief Keeps write where it is later: of a later epoch, or of the same one with a higher
 * counter.
 */
void ledger_seen_add(struct ledger_seen *seen, const struct ledger_write *write);

#endif
