/* fate_read.h - what a record that the rebuild reads says about an order's entry in the ledger: a
 * fate, or a payload that is on its way. Whoever may write to those topics may write anything: each
 * member's type is looked at where it is read, and what is not understood says nothing. Pure. */
#ifndef PUSHER_FATE_READ_H
#define PUSHER_FATE_READ_H

#include <stdint.h>

#include "base/digest.h"
#include "ledger/ledger.h"
#include "ledger/note.h"
#include "record/event.h"
#include "record/topic.h"

enum { FATE_ACCOUNT_BYTES = 65 };

/* Release with fate_clear(). */
struct fate {
    enum ledger_state state;
    char account[FATE_ACCOUNT_BYTES]; /* open: whose it is; a fate: "" */
    int64_t modified_at;
    char digest[DIGEST_BYTES];
    char reason[32]; /* dead */
    struct ledger_step *steps;
    int step_count;
    int has_note; /* its header `ledger` can be read */
    struct ledger_note note;
};

/**
 * @brief Reads one fate; its topic says which one it is.
 * @returns 0, or -1 where it says nothing about the ledger: nothing to release
 */
int fate_read(const struct topics *topics, const struct event *event, struct fate *fate);

/**
 * @brief Reads a record of the payloads, or of a topic where one waits.
 * @returns 0, or -1 where nobody can begin it, since it names no account: nothing to release
 */
int fate_read_open(const struct event *event, struct fate *fate);
void fate_clear(struct fate *fate);

#endif
