#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void *mem_check(void *p)
{
    if (p == NULL) {
        log_error("out of memory");
        exit(111);
    }
    return p;
}

void *mem_alloc(size_t size) { return mem_check(calloc(1, size > 0 ? size : 1)); }

void *mem_realloc(void *old, size_t size) { return mem_check(realloc(old, size > 0 ? size : 1)); }

char *mem_strdup(const char *text) { return text == NULL ? NULL : mem_strndup(text, strlen(text)); }

char *mem_strndup(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *mem_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return mem_check(text);
}

struct text text_of(const char *string)
{
    return (struct text){string, string == NULL ? 0 : strlen(string)};
}

int text_is(struct text text, const char *string)
{
    return text.data != NULL && text.length == strlen(string) &&
           memcmp(text.data, string, text.length) == 0;
}

static void buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t wanted = buffer->length + more + 1;

    if (wanted <= buffer->capacity)
        return;
    if (wanted < buffer->capacity * 2)
        wanted = buffer->capacity * 2;
    buffer->data = mem_realloc(buffer->data, wanted);
    buffer->capacity = wanted;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
    buffer_reserve(buffer, length);
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    size_t room;
    int length;

    buffer_reserve(buffer, 64); /* enough for most texts, so that they are formatted only once */
    room = buffer->capacity - buffer->length;
    va_start(args, format);
    length = vsnprintf(buffer->data + buffer->length, room, format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length >= room) {
        buffer_reserve(buffer, (size_t)length);
        va_start(args, format);
        vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, args);
        va_end(args);
    }
    buffer->length += (size_t)length;
}

void buffer_reset(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data != NULL)
        buffer->data[0] = '\0';
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
