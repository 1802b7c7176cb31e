/* contact_note.h - a note on a contact of the account: found by its title, or made. */
#ifndef PUSHER_CONTACT_NOTE_H
#define PUSHER_CONTACT_NOTE_H

#include <yyjson.h>

#include "delivery.h"

/* What stands before a note's title in the name of its step in the ledger. */
#define NOTE_STEP "note:"

/**
 * @brief Makes the note whose step is in d->texts.note_step, unless the contact has one with its
 * title. The entry in d->grant gets the step; a lost answer leaves it in doubt there.
 * @param text  what the note says
 * @returns REFUSED: the account does not take it; LATER: it is not there, and one that was made before
 * the ledger was lost may not be visible yet
 */
enum progress contact_note_step(struct delivery *d, struct text text);

/** @brief Ends the doubt of d->grant, which is about a note: looks whether the contact has it.
 * @returns LATER: it is not there, and may not be visible yet */
enum progress contact_note_reconcile(struct delivery *d);

/** @brief Whether it is the note with that title, compared exactly. Pure. */
int contact_note_has_title(yyjson_val *note, struct text title);

#endif
