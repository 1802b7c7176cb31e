/* mem.h - allocation that does not fail, and a byte buffer on top of it.
 * Out of memory ends the process with a log line (exit 111): the record in hand is uncommitted and
 * is read again after the restart. Memory is released with free(). */
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

/** @brief printf into a string of its own. New. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** @brief Returns p, or ends the process when p is NULL: for libraries that return NULL for want of
 * memory. */
void *mem_check(void *p);

/* Bytes that belong to somebody else; not NUL-terminated. {NULL, 0} is absent. */
struct text {
    const char *data;
    size_t length;
};

/** @brief Borrowed view of a NUL-terminated string; NULL gives {NULL, 0}. */
struct text text_of(const char *string);

/** @brief Whether text equals the NUL-terminated string; absent text equals nothing. */
int text_is(struct text text, const char *string);

/* Growing bytes; embedded, zero-initialised. data is NUL-terminated after any append. */
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

/** @brief Length 0, memory kept for the next use. */
void buffer_reset(struct buffer *buffer);

/** @brief Releases the memory; the buffer is empty and usable again. */
void buffer_clear(struct buffer *buffer);

#endif
