/* fate_read.h - what a record of delivered, dead or skipped says about an order's entry in the
 * ledger. Whoever may write to those topics may write anything: each member's type is looked at
 * where it is read, and what is not understood says nothing. Pure. */
#ifndef PUSHER_FATE_READ_H
#define PUSHER_FATE_READ_H

#include <stdint.h>

#include "base/digest.h"
#include "ledger/ledger.h"
#include "record/event.h"
#include "record/topic.h"

/* Release with fate_clear(). */
struct fate {
    enum ledger_state state; /* DONE, DEAD or WITHDRAWN */
    int64_t modified_at;
    char digest[DIGEST_BYTES];
    char reason[32]; /* dead */
    struct ledger_step *steps;
    int step_count;
};

/**
 * @brief Reads one record; its topic says which fate it is.
 * @returns 0, or -1 where it says nothing about the ledger: nothing to release
 */
int fate_read(const struct topics *topics, const struct event *event, struct fate *fate);
void fate_clear(struct fate *fate);

#endif
