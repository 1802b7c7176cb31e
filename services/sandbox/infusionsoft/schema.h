/* schema.h - checks a request body against the vendor's documentation: known members, types,
 * lengths, enums. Pure. */
#ifndef SANDBOX_SCHEMA_H
#define SANDBOX_SCHEMA_H

#include <stddef.h>

#include <jansson.h>

enum schema_type {
    SCHEMA_STRING = 0,
    SCHEMA_ID,      /* a string of digits */
    SCHEMA_TIME,    /* a string: ISO 8601 with a zone */
    SCHEMA_INTEGER, /* a number without a fraction that fits 64 bits */
    SCHEMA_NUMBER,
    SCHEMA_BOOLEAN,
    SCHEMA_ANY,
    SCHEMA_OBJECT,
    SCHEMA_OBJECTS, /* array of objects */
    SCHEMA_STRINGS, /* array of strings */
};

enum schema_flag {
    SCHEMA_REQUIRED = 1,  /* the member must be there */
    SCHEMA_NOT_BLANK = 2, /* a string with at least one character that is not white space */
};

struct schema_member {
    const char *name;
    enum schema_type type;
    int flags;
    size_t max_characters;     /* longest string; 0: no limit is documented */
    const char *const *values; /* the allowed words, ends with NULL; or NULL */
    const struct schema_member
        *members; /* the members of an object, or of the objects in an array; ends with a NULL
                     name */
};

/**
 * @brief Checks json, which must be an object, and everything in it.
 * @param message  receives the sentence with which the account refuses it: "Unrecognized property:
 * x"
 * @returns 0 or -1
 */
int schema_check(const struct schema_member *members, const json_t *json, char *message,
                 size_t size);

/** @brief How many characters (code points) a UTF-8 text has. */
size_t text_characters(const char *text);

#endif
