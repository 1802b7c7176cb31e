/* json.h - fast reading of JSON from outside and fast writing of JSON.
 *
 * It is yyjson, with memory that is used again for each record, one walk over an object instead of
 * one search for each member, and a writer that writes straight into a buffer. Numbers stay text
 * (YYJSON_READ_NUMBER_AS_RAW), because amounts of money are read from that text without floating
 * point. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdint.h>
#include <string.h>
#include <yyjson.h>

#include "base/mem.h"

/* Memory for one document at a time. Embedded, zero-initialised. */
struct json_memory {
    void *data;
    size_t size;
};

/**
 * @brief Parses strictly: UTF-8, no comments, nothing after the value. Numbers are kept as text.
 * @param why    receives a static sentence when the text is not JSON
 * @param where  receives the byte at which it is wrong
 * @returns the document, or NULL when the text is not JSON. It is borrowed from memory until the
 * next call, and yyjson_doc_free() must be called all the same
 */
yyjson_doc *json_read(struct json_memory *memory, struct text text, const char **why,
                      size_t *where);
void json_memory_clear(struct json_memory *memory);

enum { JSON_NAMES_MAX = 32, JSON_NAME_LENGTH_MAX = 31, JSON_BUCKETS = 64 };

/* The member names that a reader looks for, as a small hash table. Embedded, filled by
 * json_names_init(). */
struct json_names {
    const char *const *names;
    int count;
    int8_t first[JSON_BUCKETS];  /* index of a name, or -1 */
    int8_t next[JSON_NAMES_MAX]; /* the next name of the same bucket, or -1 */
    uint8_t lengths[JSON_NAMES_MAX];
};

/** @brief Prepares a list of names (kept): at most JSON_NAMES_MAX names, each at most
 * JSON_NAME_LENGTH_MAX long. */
void json_names_init(struct json_names *index, const char *const *names, int count);

/**
 * @brief Walks over an object once: fields[i] becomes the member with names[i], or NULL. Of two
 * members with the same name the last one counts.
 * @param object  an object
 */
void json_pick(const struct json_names *index, yyjson_val *object, yyjson_val **fields);

/** @brief The text of a string, or of a number as it was written; {NULL, 0} for any other type and
 * for NULL. Borrowed. */
struct text json_text(yyjson_val *value);

/** @brief Whether a member is absent. A member that is null counts as absent. */
int json_is_absent(yyjson_val *value);

/** @brief As buffer_append(), but inline where there is room: JSON is written in many small pieces,
 * so the calls would cost much. */
static inline void json_write_raw(struct buffer *buffer, const char *data, size_t length)
{
    if (buffer->capacity - buffer->length <= length) {
        buffer_append(buffer, data, length);
        return;
    }
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

/** @brief Appends a string literal. */
#define json_write_literal(buffer, literal) json_write_raw(buffer, literal, sizeof(literal) - 1)

/**
 * @brief Appends a JSON string: quoted and escaped, each control character as a blank, at most
 * max_chars characters. A character is never cut in two, and blanks before the cut are removed.
 * @param text  valid UTF-8
 */
void json_write_text(struct buffer *buffer, struct text text, size_t max_chars);

/** @brief As json_write_string(), but without the quotes, for strings that are made of several
 * parts. */
void json_write_part(struct buffer *buffer, struct text text, size_t max_chars);

/** @brief Appends a whole number. */
void json_write_int(struct buffer *buffer, int64_t value);

#endif
