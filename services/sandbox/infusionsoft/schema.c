#include "infusionsoft/schema.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dates.h"

size_t text_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static int is_blank(const char *text) { return text[strspn(text, " \t\r\n\v\f")] == '\0'; }

static int is_enum(const char *const *values, const char *text)
{
    for (; *values != NULL; values++)
        if (strcmp(*values, text) == 0)
            return 1;
    return 0;
}

static int check_string(const struct schema_member *member, const json_t *json, char *message,
                        size_t size)
{
    const char *text = json_string_value(json);
    int64_t ms;

    if (text == NULL)
        snprintf(message, size, "Invalid type for property: %s (string expected)", member->name);
    else if (member->max_characters > 0 && text_characters(text) > member->max_characters)
        snprintf(message, size, "Property %s must be at most %zu characters", member->name,
                 member->max_characters);
    else if ((member->flags & SCHEMA_NOT_BLANK) != 0 && is_blank(text))
        snprintf(message, size, "Property %s must not be blank", member->name);
    else if (member->values != NULL && !is_enum(member->values, text))
        snprintf(message, size, "Invalid value for property: %s", member->name);
    else if (member->type == SCHEMA_ID &&
             (*text == '\0' || text[strspn(text, "0123456789")] != '\0'))
        snprintf(message, size, "Invalid id for property: %s", member->name);
    else if (member->type == SCHEMA_TIME && date_parse_iso(text, &ms) != 0)
        snprintf(message, size, "Invalid date-time for property: %s", member->name);
    else
        return 0;
    return -1;
}

static int check_array(const struct schema_member *member, const json_t *json, char *message,
                       size_t size)
{
    size_t i;
    json_t *item;

    if (!json_is_array(json)) {
        snprintf(message, size, "Invalid type for property: %s (array expected)", member->name);
        return -1;
    }
    json_array_foreach(json, i, item)
    {
        if (member->type == SCHEMA_STRINGS) {
            if (check_string(member, item, message, size) != 0)
                return -1;
        } else if (schema_check(member->members, item, message, size) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_member(const struct schema_member *member, const json_t *json, char *message,
                        size_t size)
{
    int fits = 1;

    switch (member->type) {
    case SCHEMA_STRING:
    case SCHEMA_ID:
    case SCHEMA_TIME:
        return check_string(member, json, message, size);
    case SCHEMA_OBJECTS:
    case SCHEMA_STRINGS:
        return check_array(member, json, message, size);
    case SCHEMA_OBJECT:
        return schema_check(member->members, json, message, size);
    case SCHEMA_INTEGER:
        fits = json_is_integer(json);
        break;
    case SCHEMA_NUMBER:
        fits = json_is_number(json);
        break;
    case SCHEMA_BOOLEAN:
        fits = json_is_boolean(json);
        break;
    case SCHEMA_ANY:
        break;
    }
    if (!fits)
        snprintf(message, size, "Invalid type for property: %s", member->name);
    return fits ? 0 : -1;
}

int schema_check(const struct schema_member *members, const json_t *json, char *message,
                 size_t size)
{
    const char *name;
    json_t *value;

    if (!json_is_object(json)) {
        snprintf(message, size, "JSON object expected");
        return -1;
    }
    json_object_foreach((json_t *)json, name, value)
    {
        const struct schema_member *member = members;
        while (member->name != NULL && strcmp(member->name, name) != 0)
            member++;
        if (member->name == NULL) {
            snprintf(message, size, "Unrecognized property: %s", name);
            return -1;
        }
        if (check_member(member, value, message, size) != 0)
            return -1;
    }
    for (; members->name != NULL; members++) {
        if ((members->flags & SCHEMA_REQUIRED) != 0 &&
            json_object_get(json, members->name) == NULL) {
            snprintf(message, size, "Property %s is required", members->name);
            return -1;
        }
    }
    return 0;
}
