/* fate_read.h - what a record that the rebuild reads says about an entry in the ledger. It
 * is a fate, or a payload that is still on its way. Such a record may hold anything, so the type of
 * each member is checked where it is read, and a member of another type is passed over. Pure. */
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
    char account[FATE_ACCOUNT_BYTES]; /* of a payload; "" for a fate */
    int64_t modified_at;
    char digest[DIGEST_BYTES];
    char reason[32]; /* of a dead record */
    struct ledger_step *steps;
    int step_count;
    int has_note; /* the record has a header `ledger` that can be read: it is in note */
    struct ledger_note note;
};

/**
 * @brief Reads one fate; its topic says which one it is.
 * @returns 0; -1 where the record says nothing about the ledger, and there is nothing to release
 */
int fate_read(const struct topics *topics, const struct event *event, struct fate *fate);

/**
 * @brief Reads a record of the payloads' topic, of a retry topic or of a waiting topic.
 * @returns 0; -1 where it names no account, so that no pusher can have begun it, and there is
 * nothing to release
 */
int fate_read_open(const struct event *event, struct fate *fate);
void fate_clear(struct fate *fate);

#endif
