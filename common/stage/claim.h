/* claim.h - a claim says which record a program was working on when it ended. From it a start
 * decides whether a record is handed over like any other, alone, or not at all. Pure: no Kafka, no
 * clock. The stage keeps the claim in the metadata of the group's committed offset (stage_claim.c),
 * so no disk is needed, and another host that takes over finds it.
 *
 * A claim is written before a record is handed over. The first record of a partition that was just
 * assigned is claimed OPEN: if the program ends now, this record may be the reason, or another one
 * that was under way. When the next start finds such a claim on the same record, that record is a
 * suspect. It is claimed ALONE, and no other record runs while it does. If the program ends then,
 * this record was the reason (or somebody killed the program at that moment). A suspect record that
 * is set aside, for example to wait for a lease, is IDLE: if the program ends then, it is not
 * counted. Progress, a clean stop and a revocation clear the claim.
 *
 * So a record is poison only when three starts in a row ended under it, and in two of them no other
 * record was running. A program that is killed from outside has nearly always made progress in
 * between. */
#ifndef COMMON_CLAIM_H
#define COMMON_CLAIM_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum claim_state {
    CLAIM_NONE = 0,
    CLAIM_OPEN,  /* handed over together with others */
    CLAIM_ALONE, /* in work, and no other record is */
    CLAIM_IDLE,  /* seen before, but not in work now */
    CLAIM_RAMP,  /* no record is meant: the start before ended badly, so this one is careful */
};

struct claim {
    enum claim_state state;
    int64_t offset; /* offset of the record; RAMP: the committed offset */
    uint64_t key;   /* claim_key() */
    int deaths;     /* how many starts ended under the record before this claim was written */
};

enum { CLAIM_TEXT_BYTES = 128 };

enum claim_verdict {
    CLAIM_HAND = 0, /* like any other record */
    CLAIM_SUSPECT,  /* alone */
    CLAIM_POISON,   /* not at all */
};

/** @brief Digest of a record's key. */
uint64_t claim_key(struct text key);

/** @brief Writes a claim and the hand-out mark beside it as text: "v1 offset=7 key=00f1.. deaths=1
 * state=alone mark=71". The claim is left out where its state is NONE, the mark where it is
 * MARK_NONE; without both the text is "". */
void claim_print(const struct claim *claim, int64_t mark, char text[CLAIM_TEXT_BYTES]);

/** @brief Reads a claim that claim_print() wrote; mark_read() reads the mark. Unknown words are
 * skipped, so later versions may add some. For a text that is no claim, also one of another
 * version than v1, the state is NONE. */
void claim_parse(struct text text, struct claim *claim);

/** @brief How many starts in a row ended under this record, by the claim that was found at the
 * assignment. */
int claim_deaths(const struct claim *found, int64_t offset, uint64_t key);

/** @brief Decides about a record under which so many starts ended. after is the setting
 * poison_after; 0: no record is ever poison. */
enum claim_verdict claim_decide(int deaths, int after);

/** @brief Whether the start that left this claim ended without a clean stop. */
int claim_is_unclean(const struct claim *found);

#endif
