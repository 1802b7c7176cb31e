/* tag.h - the tags of a payload. Their names are made from a template of the settings, such as
 * "Bought {sku}", and from what an order or a customer has. Pure. */
#ifndef COMMON_MAPPING_TAG_H
#define COMMON_MAPPING_TAG_H

#include <stdint.h>

#include "base/mem.h"

/* Infusionsoft keeps so many characters of a tag's name. */
enum { TAG_NAME_CHARS_MAX = 255 };

/* What a template may name: "sku" is what stands for {sku}. value: valid UTF-8, or empty. */
struct tag_value {
    const char *name;
    struct text value;
};

struct tag_entry {
    size_t start, length; /* of its name in tag_list.names */
    uint32_t hash;
};

/* The tags of one payload. Embedded, zero-initialised; used again for each record. Release with
 * tag_list_clear(). */
struct tag_list {
    struct buffer names;
    struct tag_entry *entries;
    int count, capacity;
};

/** @brief Forgets the tags and keeps the memory. */
void tag_list_reset(struct tag_list *list);
void tag_list_clear(struct tag_list *list);

/**
 * @brief Adds one tag. Nothing is added where the template is "off", where something that it names
 * has no value, and where a tag of that name is there already (ASCII case is ignored).
 *
 * In the name control characters are blanks, and so that the account can be asked for it `;`, `,`
 * and `*` are `_`. It is trimmed and cut after TAG_NAME_CHARS_MAX characters.
 * @param template  a text that option_is_template() accepts: each {word} of it is one of values
 */
void tag_list_add(struct tag_list *list, const char *template, const struct tag_value *values,
                  int value_count);

/** @brief Writes the value of the payload's member `tags`: [{"name":"..."},...]. */
void tag_list_write(const struct tag_list *list, struct buffer *out);

#endif
