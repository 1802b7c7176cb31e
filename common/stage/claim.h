/* claim.h - the small state that tells under which record a program ended: whether a record is to
 * be handed over like any other, alone, or not at all. Pure: no Kafka, no clock. Used by the stage,
 * which keeps it in the metadata of the group's committed offset (stage_claim.c): no disk is
 * needed, and it is there too when another host takes over.
 *
 * A claim is written before a record is handed over. The first record of a partition that was just
 * assigned is claimed OPEN: whatever ends the program now may have been this record, or another one
 * that was under way. The next start that finds such a claim on the same record has a suspect: it
 * claims it ALONE, and nothing else runs while it does. A program that ends under such a claim
 * ended by this record (or was killed just then). A record that is set aside, to wait for a lease
 * for example, is IDLE: nothing that happens meanwhile counts. Progress, a clean stop and a
 * revocation clear the claim. So poison is only what three starts in a row ended under, two of them
 * with nothing else in hands; a program that is killed from outside has nearly always made progress
 * in between. */
#ifndef COMMON_CLAIM_H
#define COMMON_CLAIM_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum claim_state {
    CLAIM_NONE = 0,
    CLAIM_OPEN,  /* handed over among others */
    CLAIM_ALONE, /* in hands, nothing else is */
    CLAIM_IDLE,  /* seen before, not in hands now */
    CLAIM_RAMP,  /* no record is meant: the start before ended badly, this one is careful */
};

struct claim {
    enum claim_state state;
    int64_t offset; /* the record's; RAMP: the committed one */
    uint64_t key;   /* claim_key() */
    int deaths;     /* starts that ended under the record before this claim was written */
};

enum { CLAIM_TEXT_BYTES = 128 };

enum claim_verdict {
    CLAIM_HAND = 0, /* like any other record */
    CLAIM_SUSPECT,  /* alone */
    CLAIM_POISON,   /* not at all */
};

/** @brief Digest of a record's key. */
uint64_t claim_key(struct text key);

/** @brief Writes a claim and the hand-out mark that stands beside it as text:
 * "v1 offset=7 key=00f1.. deaths=1 state=alone mark=71"; no word of the claim where it is NONE,
 * none of the mark for MARK_NONE, "" without both. */
void claim_print(const struct claim *claim, int64_t mark, char text[CLAIM_TEXT_BYTES]);

/** @brief Reads a claim that claim_print() wrote; mark_read() reads the mark. Words that are not
 * known are skipped, so later versions may add some; text that is no claim (also of a later v)
 * gives state NONE. */
void claim_parse(struct text text, struct claim *claim);

/** @brief How many starts in a row ended under this record, by the claim found at assignment. */
int claim_deaths(const struct claim *found, int64_t offset, uint64_t key);

/** @brief What to do with a record under which so many starts ended; after: the setting
 * poison_after, 0: never poison. */
enum claim_verdict claim_decide(int deaths, int after);

/** @brief Whether the start that left this claim ended without saying so. */
int claim_is_unclean(const struct claim *found);

#endif
