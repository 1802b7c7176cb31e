#include "json.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Memory kept between records. yyjson takes about 12 bytes for each byte of text: this holds
     * orders of 40 KB; for larger ones memory is taken and given back each time. */
    MEMORY_KEPT_BYTES = 512 * 1024,
};

yyjson_doc *json_read(struct json_memory *memory, struct text text, const char **why, size_t *where)
{
    static const yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW;
    yyjson_read_err err = {0};
    yyjson_alc pool;
    yyjson_doc *doc;
    size_t wanted = yyjson_read_max_memory_usage(text.length, flags);

    if (wanted <= MEMORY_KEPT_BYTES) {
        if (memory->size < wanted) {
            size_t size = memory->size * 2 > wanted ? memory->size * 2 : wanted;

            free(memory->data);
            memory->data = mem_check(malloc(size));
            memory->size = size;
        }
        yyjson_alc_pool_init(&pool, memory->data, memory->size);
    }
    doc = yyjson_read_opts((char *)(uintptr_t)text.data, text.length, flags,
                           wanted <= MEMORY_KEPT_BYTES ? &pool : NULL, &err);
    if (doc == NULL) {
        if (err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
            mem_check(NULL);
        *why = err.msg;
        *where = err.pos;
    }
    return doc;
}

void json_memory_clear(struct json_memory *memory)
{
    free(memory->data);
    *memory = (struct json_memory){0};
}

void json_names_init(struct json_names *index, const char *const *names, int count)
{
    index->names = names;
    index->count = count;
    memset(index->first, -1, sizeof(index->first));
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]);

        index->next[i] = index->first[length];
        index->first[length] = (int8_t)i;
    }
}

void json_pick(const struct json_names *index, yyjson_val *object, yyjson_val **fields)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key;

    memset(fields, 0, (size_t)index->count * sizeof(*fields));
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        size_t length = yyjson_get_len(key);
        const char *name = yyjson_get_str(key);

        if (length > JSON_NAME_LENGTH_MAX)
            continue;
        for (int i = index->first[length]; i >= 0; i = index->next[i])
            if (memcmp(index->names[i], name, length) == 0) {
                fields[i] = yyjson_obj_iter_get_val(key);
                break;
            }
    }
}

struct text json_text(yyjson_val *value)
{
    if (yyjson_is_str(value))
        return (struct text){yyjson_get_str(value), yyjson_get_len(value)};
    if (yyjson_is_raw(value))
        return (struct text){yyjson_get_raw(value), yyjson_get_len(value)};
    return (struct text){NULL, 0};
}

int json_is_absent(yyjson_val *value) { return value == NULL || yyjson_is_null(value); }

/* What a byte of a string means to the writer. */
enum { PLAIN = 0, ESCAPE, CONTROL, START, INSIDE, C1_START };

static int byte_class(unsigned char c)
{
    if (c < 0x20 || c == 0x7f)
        return CONTROL;
    if (c == '"' || c == '\\')
        return ESCAPE;
    if (c < 0x80)
        return PLAIN;
    if (c == 0xc2)
        return C1_START;
    return c < 0xc0 ? INSIDE : START;
}

/* The longest prefix of at most max_chars characters, without blanks at the end when it was cut. */
static struct text cut(struct text text, size_t max_chars)
{
    size_t count = 0;

    if (text.length <= max_chars)
        return text;
    for (size_t i = 0; i < text.length; i++) {
        if (((unsigned char)text.data[i] & 0xc0) != 0x80 && ++count > max_chars) {
            text.length = i;
            while (text.length > 0 && (unsigned char)text.data[text.length - 1] <= ' ')
                text.length--;
            break;
        }
    }
    return text;
}

size_t json_write_part(struct buffer *buffer, struct text text, size_t max_chars)
{
    size_t start = 0, chars = 0;

    if (text.length == 0)
        return 0;
    text = cut(text, max_chars);
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        chars += (c & 0xc0) != 0x80;
        switch (byte_class(c)) {
        case ESCAPE:
            buffer_append(buffer, text.data + start, i - start);
            buffer_append(buffer, "\\", 1);
            start = i;
            break;
        case CONTROL:
            buffer_append(buffer, text.data + start, i - start);
            buffer_append(buffer, " ", 1);
            start = i + 1;
            break;
        case C1_START:
            if (i + 1 < text.length && (unsigned char)text.data[i + 1] < 0xa0) {
                buffer_append(buffer, text.data + start, i - start);
                buffer_append(buffer, " ", 1);
                i++;
                start = i + 1;
            }
            break;
        default:
            break;
        }
    }
    buffer_append(buffer, text.data + start, text.length - start);
    return chars;
}

void json_write_text(struct buffer *buffer, struct text text, size_t max_chars)
{
    buffer_append(buffer, "\"", 1);
    json_write_part(buffer, text, max_chars);
    buffer_append(buffer, "\"", 1);
}

void json_write_int(struct buffer *buffer, int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + size % 10);
        size /= 10;
    } while (size > 0);
    if (value < 0)
        digits[--at] = '-';
    buffer_append(buffer, digits + at, sizeof(digits) - at);
}
