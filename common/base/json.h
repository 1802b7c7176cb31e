/* json.h - JSON of outside data, read fast and written fast: yyjson with memory that is used again
 * for each record, one walk over an object instead of one search per member, and a writer straight
 * into a buffer. Numbers stay text (YYJSON_READ_NUMBER_AS_RAW): money is read from them without
 * floating point. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdint.h>
#include <string.h>
#include <yyjson.h>

#include "base/mem.h"

/* Memory for one document at a time; embedded, zero-initialised. */
struct json_memory {
    void *data;
    size_t size;
};

/**
 * @brief Parses strictly: UTF-8, no comments, nothing after the value, numbers kept as text.
 * @param why  receives a static sentence when it fails, and the byte where in *where
 * @returns the document, borrowed from memory until the next call (but for yyjson_doc_free(), which
 * must be called), or NULL when the text is not JSON
 */
yyjson_doc *json_read(struct json_memory *memory, struct text text, const char **why,
                      size_t *where);
void json_memory_clear(struct json_memory *memory);

enum { JSON_NAMES_MAX = 32, JSON_NAME_LENGTH_MAX = 31, JSON_BUCKETS = 64 };

/* Member names that are looked for; embedded, filled by json_names_init(). A small hash table. */
struct json_names {
    const char *const *names;
    int count;
    int8_t first[JSON_BUCKETS];  /* index of a name, or -1 */
    int8_t next[JSON_NAMES_MAX]; /* the next name of the same bucket, or -1 */
    uint8_t lengths[JSON_NAMES_MAX];
};

/** @brief Prepares a list of at most JSON_NAMES_MAX names, each at most JSON_NAME_LENGTH_MAX long;
 * kept. */
void json_names_init(struct json_names *index, const char *const *names, int count);

/**
 * @brief One walk over an object: fields[i] becomes the member called names[i], or NULL. The last
 * of two equals counts.
 * @param object  an object
 */
void json_pick(const struct json_names *index, yyjson_val *object, yyjson_val **fields);

/** @brief Text of a string, or of a number as it stands; {NULL, 0} for anything else and NULL.
 * Borrowed. */
struct text json_text(yyjson_val *value);

/** @brief Whether a member is absent: not there, or null. */
int json_is_absent(yyjson_val *value);

/** @brief buffer_append() that costs no call where there is room, which for the many small pieces
 * of JSON counts. */
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
 * @brief Appends a JSON string: quoted, escaped, control characters as blanks, cut after max_chars
 * characters (never inside one; blanks before the cut go too).
 * @param text  valid UTF-8
 */
void json_write_text(struct buffer *buffer, struct text text, size_t max_chars);

/** @brief The same without the quotes, for strings made of parts. */
void json_write_part(struct buffer *buffer, struct text text, size_t max_chars);

/** @brief Appends a whole number. */
void json_write_int(struct buffer *buffer, int64_t value);

#endif
