#include "history/personal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

enum { SHORTEST_BYTES = 2, TEXTS_MAX = 1000 /* a payload of ours has less than a hundred */ };

/* Members of a contact or an address that say nothing of a person, but often why it is refused. */
static int is_public(const char *member)
{
    static const char *const members[] = {"field", "country_code", "region_code", "region",
                                          "opt_in_reason"};

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (strcmp(member, members[i]) == 0)
            return 1;
    return 0;
}

/* Takes the text, and keeps it unless it is known already. */
static void keep(struct personal *personal, char *text)
{
    int is_known = personal->count == TEXTS_MAX;

    for (int i = 0; i < personal->count && !is_known; i++)
        is_known = strcmp(personal->texts[i], text) == 0;
    if (is_known) {
        free(text);
        return;
    }
    personal->texts =
        mem_realloc(personal->texts, ((size_t)personal->count + 1) * sizeof(*personal->texts));
    personal->texts[personal->count++] = text;
}

/* An answer in JSON may have the text as it is, or with \u00e9 for every letter beyond ASCII. */
static void learn_text(struct personal *personal, const json_t *value)
{
    char *quoted;

    if (json_string_length(value) < SHORTEST_BYTES)
        return;
    keep(personal, mem_strdup(json_string_value(value)));
    quoted = mem_check(json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII));
    keep(personal, mem_strndup(quoted + 1, strlen(quoted) - 2));
    free(quoted);
}

/* jansson reads no deeper than its own limit, so neither does this. */
static void learn_all(struct personal *personal, json_t *value)
{
    if (json_is_string(value))
        learn_text(personal, value);
    for (size_t i = 0; i < json_array_size(value); i++)
        learn_all(personal, json_array_get(value, i));
    for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at))
        if (!is_public(json_object_iter_key(at)))
            learn_all(personal, json_object_iter_value(at));
}

void personal_learn(struct personal *personal, struct text payload)
{
    json_t *root;

    if (payload.data == NULL)
        return;
    root = json_loadb(payload.data, payload.length, 0, NULL);
    learn_all(personal, json_object_get(root, "contact"));
    learn_all(personal, json_object_get(json_object_get(root, "order"), "shipping_address"));
    json_decref(root);
}

void personal_clear(struct personal *personal)
{
    for (int i = 0; i < personal->count; i++)
        free(personal->texts[i]);
    free(personal->texts);
    *personal = (struct personal){0};
}

static int is_letter(char c) { return isalnum((unsigned char)c) || (unsigned char)c >= 0x80; }

/* Hides a text where it stands as a whole word: "Al" is hidden, "also" is not. */
static void hide(char *text, const char *known)
{
    size_t length = strlen(known);

    for (char *at = text; *at != '\0'; at++) {
        if (strncasecmp(at, known, length) != 0 ||
            (is_letter(known[0]) && at > text && is_letter(at[-1])) ||
            (is_letter(known[length - 1]) && is_letter(at[length])))
            continue;
        memset(at, '*', length);
        at += length - 1;
    }
}

static void hide_addresses(char *text)
{
    static const char separators[] = " \t\r\n\"'<>,;:()[]{}";

    for (size_t length; *text != '\0'; text += length + (text[length] != '\0')) {
        length = strcspn(text, separators);
        if (memchr(text, '@', length) != NULL)
            memset(text, '*', length);
    }
}

void personal_hide(const struct personal *personal, char *text)
{
    hide_addresses(text);
    for (int i = 0; i < personal->count; i++)
        hide(text, personal->texts[i]);
}
