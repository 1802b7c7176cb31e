/* The header `ledger` of a record, as the rebuild reads it: what is read is written alike. */
#include "fuzz.h"

#include <string.h>

#include "ledger/note.h"

const struct fuzz_target fuzz_target = {"note", 1};

static void check_fields(const struct ledger_note *note)
{
    fuzz_check(note->fields[LEDGER_NOTE_STATE] != NULL);
    fuzz_check(note->fields[LEDGER_NOTE_MODIFIED_AT] != NULL);
    fuzz_check(strlen(note->fields[LEDGER_NOTE_MODIFIED_AT]) <= 15);
    fuzz_check(note->fields[LEDGER_NOTE_DIGEST] != NULL);
    fuzz_check(strcmp(note->fields[LEDGER_NOTE_STATE], "done") != 0);
    fuzz_check(note->step_count <= LEDGER_NOTE_STEPS_MAX);
    for (int i = 0; i < note->step_count; i++)
        fuzz_check(note->steps[i].name[0] != '\0' && note->steps[i].result != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger_note note = {0}, again = {0};
    struct buffer text = {0};

    if (ledger_note_read((struct text){(const char *)data, size}, &note) != 0) {
        fuzz_check(note.steps == NULL && note.fields[LEDGER_NOTE_STATE] == NULL);
        return 0;
    }
    check_fields(&note);
    ledger_note_write(&note, &text);
    if (text.length > 0) {
        fuzz_check(ledger_note_read((struct text){text.data, text.length}, &again) == 0);
        fuzz_check(again.step_count == note.step_count);
        for (int i = 0; i < LEDGER_NOTE_FIELD_COUNT; i++)
            fuzz_check((again.fields[i] == NULL) == (note.fields[i] == NULL) &&
                       (note.fields[i] == NULL || strcmp(again.fields[i], note.fields[i]) == 0));
    }
    ledger_note_clear(&again);
    ledger_note_clear(&note);
    buffer_clear(&text);
    return 0;
}
