/* mem.h - memory allocation that never returns NULL, and a byte buffer.
 * When the memory is used up, the process ends with a log line (exit 111). The record in hand is
 * not committed then, so it is read again after the restart. Memory is released with free(). */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

/** @brief malloc() of size bytes (0 allowed), zeroed. New. */
void *mem_alloc(size_t size);

/** @brief realloc(); takes old. */
void *mem_realloc(void *old, size_t size);

/** @brief Copy of a NUL-terminated string; NULL gives NULL. New. */
char *mem_strdup(const char *text);

/** @brief NUL-terminated copy of length bytes. New. */
char *mem_strndup(const char *text, size_t length);

/** @brief Formats into a new string. New. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** @brief Returns p, or ends the process when p is NULL. For libraries that return NULL when the
 * memory is used up. */
void *mem_check(void *p);

/* Bytes that belong to somebody else. They are not NUL-terminated. {NULL, 0} means absent. */
struct text {
    const char *data;
    size_t length;
};

/** @brief A struct text that borrows a NUL-terminated string; NULL gives {NULL, 0}. */
struct text text_of(const char *string);

/** @brief Whether text equals the NUL-terminated string. An absent text equals nothing. */
int text_is(struct text text, const char *string);

/* A buffer that grows. Embedded, zero-initialised. After each append a NUL follows the data. */
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

/** @brief Appends length bytes. */
void buffer_append(struct buffer *buffer, const void *data, size_t length);

/** @brief Appends formatted text. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** @brief Sets the length to 0 and keeps the memory. */
void buffer_reset(struct buffer *buffer);

/** @brief Releases the memory; the buffer is empty and usable again. */
void buffer_clear(struct buffer *buffer);

#endif
