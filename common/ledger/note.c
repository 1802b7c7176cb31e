#include "ledger/note.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/digest.h"

enum { DIGITS_MAX = 15, NAME_BYTES_MAX = 255 };

static const char *const names[LEDGER_NOTE_FIELD_COUNT] = {
    [LEDGER_NOTE_STATE] = "state",           [LEDGER_NOTE_MODIFIED_AT] = "modified_at",
    [LEDGER_NOTE_DIGEST] = "digest",         [LEDGER_NOTE_REASON] = "reason",
    [LEDGER_NOTE_DOUBT] = "doubt",           [LEDGER_NOTE_ASK] = "ask",
    [LEDGER_NOTE_ABSENT] = "absent",         [LEDGER_NOTE_GOALS] = "goals",
    [LEDGER_NOTE_LOOK_AGAIN] = "look_again",
};

void ledger_note_clear(struct ledger_note *note)
{
    for (int i = 0; i < LEDGER_NOTE_FIELD_COUNT; i++)
        free(note->fields[i]);
    for (int i = 0; i < note->step_count; i++) {
        free(note->steps[i].name);
        free(note->steps[i].result);
    }
    free(note->steps);
    *note = (struct ledger_note){0};
}

const char *ledger_note_field_name(enum ledger_note_field field) { return names[field]; }

static void add_step(struct ledger_note *note, const char *name, const char *result)
{
    note->steps = mem_realloc(note->steps, ((size_t)note->step_count + 1) * sizeof(*note->steps));
    note->steps[note->step_count].name = mem_strdup(name);
    note->steps[note->step_count++].result = mem_strdup(result);
}

void ledger_note_add(struct ledger_note *note, const char *name, const char *value)
{
    if (strncmp(name, "s:", 2) == 0) {
        if (strcmp(name, "s:evidence") != 0 || strlen(value) <= LEDGER_NOTE_EVIDENCE_BYTES_MAX)
            add_step(note, name + 2, value);
        return;
    }
    for (int i = 0; i < LEDGER_NOTE_FIELD_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            free(note->fields[i]);
            note->fields[i] = mem_strdup(value);
        }
    }
}

void ledger_note_write(const struct ledger_note *note, struct buffer *target)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc), *steps;
    size_t length;
    char *text;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_int(doc, root, "v", 1);
    for (int i = 0; i < LEDGER_NOTE_FIELD_COUNT; i++) {
        if (note->fields[i] != NULL)
            yyjson_mut_obj_add_str(doc, root, names[i], note->fields[i]);
    }
    steps = yyjson_mut_obj_add_obj(doc, root, "steps");
    for (int i = 0; i < note->step_count; i++)
        yyjson_mut_obj_add_str(doc, steps, note->steps[i].name, note->steps[i].result);
    text = mem_check(yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &length));
    yyjson_mut_doc_free(doc);
    buffer_reset(target);
    if (length <= LEDGER_NOTE_BYTES_MAX && note->step_count <= LEDGER_NOTE_STEPS_MAX)
        buffer_append(target, text, length);
    free(text);
}

/* Returns a string of at most that length, or NULL. A string with a NUL byte inside is not
 * accepted, because C would cut it there. */
static const char *plain(yyjson_val *value, size_t max_bytes)
{
    const char *text = yyjson_get_str(value);

    return text != NULL && yyjson_get_len(value) <= max_bytes &&
                   strlen(text) == yyjson_get_len(value)
               ? text
               : NULL;
}

static int is_whole(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= DIGITS_MAX && strspn(text, "0123456789") == length;
}

static int is_valid(enum ledger_note_field field, const char *text)
{
    switch (field) {
    case LEDGER_NOTE_STATE:
        return strcmp(text, "open") == 0 || strcmp(text, "dead") == 0 ||
               strcmp(text, "withdrawn") == 0;
    case LEDGER_NOTE_MODIFIED_AT:
        return is_whole(text);
    case LEDGER_NOTE_DIGEST:
        return strlen(text) < DIGEST_BYTES;
    case LEDGER_NOTE_REASON:
        return strlen(text) < sizeof(((struct ledger_grant *)0)->reason);
    case LEDGER_NOTE_DOUBT:
        return text[0] != '\0';
    default:
        return strcmp(text, "1") == 0;
    }
}

static int read_fields(yyjson_val *root, struct ledger_note *note)
{
    for (int i = 0; i < LEDGER_NOTE_FIELD_COUNT; i++) {
        yyjson_val *value = yyjson_obj_get(root, names[i]);
        const char *text = plain(value, NAME_BYTES_MAX);

        if (value == NULL && i > LEDGER_NOTE_DIGEST)
            continue;
        if (text == NULL || !is_valid((enum ledger_note_field)i, text))
            return -1;
        note->fields[i] = mem_strdup(text);
    }
    return 0;
}

static int read_steps(yyjson_val *steps, struct ledger_note *note)
{
    yyjson_obj_iter iter;
    yyjson_val *key;

    if (steps == NULL)
        return 0;
    if (!yyjson_obj_iter_init(steps, &iter) || yyjson_obj_size(steps) > LEDGER_NOTE_STEPS_MAX)
        return -1;
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        const char *name = plain(key, NAME_BYTES_MAX);
        const char *result = plain(yyjson_obj_iter_get_val(key), LEDGER_NOTE_BYTES_MAX);

        if (name == NULL || name[0] == '\0' || result == NULL)
            return -1;
        add_step(note, name, result);
    }
    return 0;
}

int ledger_note_read(struct text text, struct ledger_note *note)
{
    yyjson_doc *doc;
    yyjson_val *root, *version;
    int rc = -1;

    if (text.length == 0 || text.length > LEDGER_NOTE_BYTES_MAX)
        return -1;
    doc = yyjson_read(text.data, text.length, YYJSON_READ_ALLOW_INVALID_UNICODE);
    root = yyjson_doc_get_root(doc);
    version = yyjson_obj_get(root, "v");
    if (yyjson_is_uint(version) && yyjson_get_uint(version) == 1 && read_fields(root, note) == 0)
        rc = read_steps(yyjson_obj_get(root, "steps"), note);
    yyjson_doc_free(doc);
    if (rc != 0)
        ledger_note_clear(note);
    return rc;
}
