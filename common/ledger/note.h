/* note.h - a note says what the ledger knows of an order. It is the value of the header `ledger` of
 * records in retry and waiting topics, `dead` and `skipped`. When Redis is lost, a rebuild fills in
 * the entry from it, so that the order goes on where it was.
 *
 * The text is a JSON object of strings:
 *
 *   {"v":1,"state":"open","modified_at":"1700000000000","digest":"..","doubt":"order","goals":"1",
 *    "steps":{"contact":"42","order":"55","goal:BCORDER/BC":"sent","evidence":".."}}
 *
 * Its members are the fields of docs/ledger.md. Absent fields are left out; unknown ones are
 * ignored. Pure. Whoever may write to the topics may write anything there, so a text that is not
 * fully understood is no note. */
#ifndef COMMON_LEDGER_NOTE_H
#define COMMON_LEDGER_NOTE_H

#include "base/mem.h"
#include "ledger/ledger.h"

enum ledger_note_field {
    LEDGER_NOTE_STATE = 0,   /* "open", "dead" or "withdrawn" */
    LEDGER_NOTE_MODIFIED_AT, /* whole number of at most 15 digits */
    LEDGER_NOTE_DIGEST,      /* may be "" */
    LEDGER_NOTE_REASON,
    LEDGER_NOTE_DOUBT,
    LEDGER_NOTE_ASK, /* this field and the next three have the value "1" */
    LEDGER_NOTE_ABSENT,
    LEDGER_NOTE_GOALS,
    LEDGER_NOTE_LOOK_AGAIN,
    LEDGER_NOTE_FIELD_COUNT
};

enum {
    LEDGER_NOTE_BYTES_MAX = 32768, /* longest text */
    LEDGER_NOTE_EVIDENCE_BYTES_MAX = 16384,
    LEDGER_NOTE_STEPS_MAX = 400
};

/* Embedded, zero-initialised; release with ledger_note_clear(). */
struct ledger_note {
    char *fields[LEDGER_NOTE_FIELD_COUNT]; /* NULL: absent */
    struct ledger_step *steps;
    int step_count;
};

void ledger_note_clear(struct ledger_note *note);

/** @brief The field's name in Redis and in the text, e.g. "look_again". Static. */
const char *ledger_note_field_name(enum ledger_note_field field);

/** @brief Adds one field of an entry under its name in Redis ("doubt", "s:order"). Fields that are
 * no part of a note are ignored, and so is evidence above LEDGER_NOTE_EVIDENCE_BYTES_MAX. */
void ledger_note_add(struct ledger_note *note, const char *name, const char *value);

/** @brief Replaces target by the text of the note. It becomes empty where the text would be too
 * long; the record then has no note, and its order is looked up after a rebuild. */
void ledger_note_write(const struct ledger_note *note, struct buffer *target);

/**
 * @brief Reads the value of a header.
 * @param note  must be empty
 * @returns 0: every field is of the form above, and state, modified_at and digest are there; -1: it
 * is not, and note is empty
 */
int ledger_note_read(struct text text, struct ledger_note *note);

#endif
