#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Memory that is kept between records. yyjson takes about 12 bytes for each byte of text, so
     * this is enough for orders of 40 KB. For a larger order memory is allocated and freed each
     * time. */
    MEMORY_KEPT_BYTES = 512 * 1024,
    POOL_OVERHEAD_BYTES = 1024,
};

static const yyjson_read_flag READ_FLAGS = YYJSON_READ_NUMBER_AS_RAW;

/* Returns memory for a text of that length, or NULL where it would be too much to keep. */
static yyjson_alc *prepare_pool(struct json_memory *memory, size_t length, yyjson_alc *pool)
{
    size_t wanted = yyjson_read_max_memory_usage(length, READ_FLAGS) + POOL_OVERHEAD_BYTES;

    if (wanted > MEMORY_KEPT_BYTES)
        return NULL;
    if (memory->size < wanted) {
        size_t size = memory->size * 2 > wanted ? memory->size * 2 : wanted;

        free(memory->data);
        memory->data = mem_check(malloc(size));
        memory->size = size;
    }
    yyjson_alc_pool_init(pool, memory->data, memory->size);
    return pool;
}

yyjson_doc *json_read(struct json_memory *memory, struct text text, const char **why, size_t *where)
{
    char *data = (char *)(uintptr_t)text.data; /* yyjson writes into it only with
                                                  YYJSON_READ_INSITU */
    yyjson_read_err err = {0};
    yyjson_alc pool;
    yyjson_alc *alc = prepare_pool(memory, text.length, &pool);
    yyjson_doc *doc = yyjson_read_opts(data, text.length, READ_FLAGS, alc, &err);

    /* The library's estimate may be too small for some texts. A full pool does not mean that the
     * machine has no memory left, so the text is read once more without the pool. */
    if (doc == NULL && alc != NULL && err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        doc = yyjson_read_opts(data, text.length, READ_FLAGS, NULL, &err);
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

/* The hash of a name: its length, first and last letter nearly always tell the names of one object
 * apart. */
static unsigned bucket_of(const char *name, size_t length)
{
    return ((unsigned)length + 5 * (unsigned char)name[0] + 11 * (unsigned char)name[length - 1]) %
           JSON_BUCKETS;
}

void json_names_init(struct json_names *index, const char *const *names, int count)
{
    index->names = names;
    index->count = count;
    memset(index->first, -1, sizeof(index->first));
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        unsigned bucket = bucket_of(names[i], length);

        index->lengths[i] = (uint8_t)length;
        index->next[i] = index->first[bucket];
        index->first[bucket] = (int8_t)i;
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

        if (length == 0 || length > JSON_NAME_LENGTH_MAX)
            continue;
        for (int i = index->first[bucket_of(name, length)]; i >= 0; i = index->next[i])
            if (index->lengths[i] == length && memcmp(index->names[i], name, length) == 0) {
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

/* How the writer treats a byte of a string. Every byte that is not listed is PLAIN: it is
 * copied. */
enum { PLAIN = 0, ESCAPE, CONTROL, C1_START };

static const uint8_t byte_classes[256] = {
    [0x00 ... 0x1f] = CONTROL, [0x7f] = CONTROL,  ['"'] = ESCAPE,
    ['\\'] = ESCAPE,           [0xc2] = C1_START, /* first byte of U+0080 to U+00BF, of which
                                                     those up to U+009F are control characters */
};

/* The longest prefix of at most max_chars characters. Where something was cut off, blanks at the
 * end are removed too. */
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

void json_write_part(struct buffer *buffer, struct text text, size_t max_chars)
{
    size_t start = 0, at = 0;

    if (text.length == 0)
        return;
    text = cut(text, max_chars);
    while (at < text.length) {
        int class = byte_classes[(unsigned char)text.data[at]];

        if (class == PLAIN) {
            at++;
            continue;
        }
        if (class == C1_START &&
            (at + 1 == text.length || (unsigned char)text.data[at + 1] > 0x9f)) {
            at += 2;
            continue;
        }
        json_write_raw(buffer, text.data + start, at - start);
        if (class == ESCAPE) {
            json_write_literal(buffer, "\\");
            start = at++;
        } else {
            json_write_literal(buffer, " ");
            at += class == C1_START ? 2 : 1;
            start = at;
        }
    }
    json_write_raw(buffer, text.data + start, text.length - start);
}

void json_write_text(struct buffer *buffer, struct text text, size_t max_chars)
{
    json_write_literal(buffer, "\"");
    json_write_part(buffer, text, max_chars);
    json_write_literal(buffer, "\"");
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
    json_write_raw(buffer, digits + at, sizeof(digits) - at);
}
