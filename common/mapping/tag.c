#include "mapping/tag.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

void tag_list_reset(struct tag_list *list)
{
    buffer_reset(&list->names);
    list->count = 0;
}

void tag_list_clear(struct tag_list *list)
{
    buffer_clear(&list->names);
    free(list->entries);
    *list = (struct tag_list){0};
}

static const struct tag_value *find_value(struct text name, const struct tag_value *values,
                                          int value_count)
{
    for (int i = 0; i < value_count; i++)
        if (text_is(name, values[i].name))
            return &values[i];
    return NULL;
}

/* Appends the template with its values. @returns -1 when one of them is missing */
static int expand(struct buffer *out, const char *template, const struct tag_value *values,
                  int value_count)
{
    while (*template != '\0') {
        size_t plain = strcspn(template, "{"), name;
        const struct tag_value *value;

        buffer_append(out, template, plain);
        template += plain;
        if (*template == '\0')
            break;
        name = strcspn(template, "}");
        value = find_value((struct text){template + 1, name - 1}, values, value_count);
        if (value == NULL || value->value.length == 0)
            return -1;
        buffer_append(out, value->value.data, value->value.length);
        template += name + (template[name] == '}');
    }
    return 0;
}

/* Replaces, from start on, what a name cannot have. */
static void clean(struct buffer *names, size_t start)
{
    size_t to = start;

    for (size_t from = start; from < names->length; from++) {
        unsigned char c = (unsigned char)names->data[from];
        unsigned char next = from + 1 < names->length ? (unsigned char)names->data[from + 1] : 0;

        if (c == 0xc2 && next >= 0x80 && next <= 0x9f) { /* U+0080 to U+009F */
            c = ' ';
            from++;
        } else if (c < ' ' || c == 0x7f) {
            c = ' ';
        } else if (c == ';' || c == ',' || c == '*') {
            c = '_'; /* no filter of the account can hold it */
        }
        names->data[to++] = (char)c;
    }
    names->length = to;
}

static struct text cut(struct text text, size_t max_chars)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (((unsigned char)text.data[i] & 0xc0) != 0x80 && ++count > max_chars) {
            text.length = i;
            break;
        }
    }
    return text_trim(text);
}

static int is_there(const struct tag_list *list, struct text name, uint32_t hash)
{
    for (int i = 0; i < list->count; i++) {
        const struct tag_entry *entry = &list->entries[i];

        if (entry->hash == hash &&
            text_equal_nocase((struct text){list->names.data + entry->start, entry->length}, name))
            return 1;
    }
    return 0;
}

void tag_list_add(struct tag_list *list, const char *template, const struct tag_value *values,
                  int value_count)
{
    size_t start = list->names.length;
    struct text name;
    uint32_t hash;

    if (strcmp(template, "off") == 0)
        return;
    if (expand(&list->names, template, values, value_count) != 0) {
        list->names.length = start;
        return;
    }
    clean(&list->names, start);
    name = cut(text_trim((struct text){list->names.data + start, list->names.length - start}),
               TAG_NAME_CHARS_MAX);
    hash = text_hash_nocase(name);
    if (name.length == 0 || is_there(list, name, hash)) {
        list->names.length = start;
        return;
    }
    if (list->count == list->capacity) {
        list->capacity += 16;
        list->entries = mem_realloc(list->entries, (size_t)list->capacity * sizeof(*list->entries));
    }
    list->entries[list->count++] = (struct tag_entry){
        .start = (size_t)(name.data - list->names.data), .length = name.length, .hash = hash};
}

void tag_list_write(const struct tag_list *list, struct buffer *out)
{
    json_write_literal(out, "[");
    for (int i = 0; i < list->count; i++) {
        const struct tag_entry *entry = &list->entries[i];

        if (i > 0)
            json_write_literal(out, ",");
        json_write_literal(out, "{\"name\":");
        json_write_text(out, (struct text){list->names.data + entry->start, entry->length},
                        TAG_NAME_CHARS_MAX);
        json_write_literal(out, "}");
    }
    json_write_literal(out, "]");
}
