/* config_field.c - the settings field.LABEL = PATH of a store. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "settings/config.h"
#include "settings/option.h"

enum { LABEL_BYTES_MAX = 43, PATH_BYTES_MAX = 64 };

static int is_label(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return 0;
    return length > 0 && length <= LABEL_BYTES_MAX && strcmp(text, CONFIG_KEY_FIELD) != 0;
}

/* Names of members, and numbers for entries of lists, with dots between them. An order is an object, so
 * its members have names. */
static int is_path(const char *text)
{
    if (strlen(text) > PATH_BYTES_MAX || (text[0] >= '0' && text[0] <= '9'))
        return 0;
    for (;;) {
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

        if (length == 0)
            return 0;
        text += length;
        if (*text == '\0')
            return 1;
        if (*text++ != '.')
            return 0;
    }
}

const char *config_fields_add(struct config_fields *fields, const char *label, const char *path)
{
    if (!is_label(label))
        return "allowed after field.: the label of an order custom field, 1 to 43 bytes, but not "
               "\"" CONFIG_KEY_FIELD "\"";
    if (!is_path(path))
        return "allowed: the path of a member of the order, such as payment_method or "
               "billing_address.company, at most 64 characters";
    for (int i = 0; i < fields->count; i++)
        if (strcmp(fields->list[i].label, label) == 0)
            return "given twice";
    if (fields->count == CONFIG_FIELDS_MAX)
        return "allowed: 20 fields for each store";
    fields->list = mem_realloc(fields->list, ((size_t)fields->count + 1) * sizeof(*fields->list));
    fields->list[fields->count++] =
        (struct config_field){.label = mem_strdup(label), .path = mem_strdup(path)};
    return NULL;
}

void config_fields_free(struct config_fields *fields)
{
    for (int i = 0; i < fields->count; i++) {
        free(fields->list[i].label);
        free(fields->list[i].path);
    }
    free(fields->list);
    *fields = (struct config_fields){0};
}
