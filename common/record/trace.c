#include "record/trace.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

/* Where the parts of version 00 are. */
enum { ID_AT = 3, SPAN_AT = 36, FLAGS_AT = 53 };

/* The flags that this version of the standard knows: sampled, and random trace id. */
enum { FLAGS_KNOWN = 3 };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* capitals are not allowed */
}

static int is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (hex_value(text[i]) < 0)
            return 0;
    return 1;
}

/* A dash follows the id, so strspn() ends there at the latest. */
static int is_id(const char *text, size_t length)
{
    return is_hex(text, length) && strspn(text, "0") < length;
}

struct text trace_id(struct text traceparent)
{
    const char *text = traceparent.data;

    if (text == NULL || traceparent.length < TRACE_LENGTH || !is_hex(text, 2) ||
        memcmp(text, "ff", 2) == 0)
        return (struct text){0};
    /* A later version may be longer, behind one more dash. */
    if (traceparent.length > TRACE_LENGTH && (memcmp(text, "00", 2) == 0 || text[55] != '-'))
        return (struct text){0};
    if (text[2] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-' ||
        !is_id(text + ID_AT, TRACE_ID_LENGTH) || !is_id(text + SPAN_AT, TRACE_SPAN_LENGTH) ||
        !is_hex(text + FLAGS_AT, 2))
        return (struct text){0};
    return (struct text){text + ID_AT, TRACE_ID_LENGTH};
}

/* FNV-1a with 64 bits. */
static uint64_t add_text(uint64_t hash, struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    return hash;
}

static void write_parent(char target[TRACE_BYTES], struct text id, struct text before,
                         struct text who, int flags)
{
    uint64_t span = add_text(add_text(UINT64_C(14695981039346656037), before), who);

    snprintf(target, TRACE_BYTES, "00-%.*s-%016" PRIx64 "-%02x", (int)id.length, id.data,
             span != 0 ? span : 1, flags & FLAGS_KNOWN);
}

void trace_begin(char target[TRACE_BYTES], const struct text *parts, int count)
{
    char digest[DIGEST_BYTES];

    digest_hex(digest, parts, count);
    if (strspn(digest, "0") == TRACE_ID_LENGTH)
        digest[0] = '1'; /* an id of zeros alone means that there is none */
    write_parent(target, text_of(digest), text_of(digest), (struct text){0}, 1);
}

int trace_continue(char target[TRACE_BYTES], struct text parent, struct text who)
{
    struct text id = trace_id(parent);
    char copy[TRACE_BYTES];

    if (id.data == NULL)
        return -1;
    write_parent(copy, id, (struct text){parent.data + SPAN_AT, TRACE_SPAN_LENGTH}, who,
                 hex_value(parent.data[FLAGS_AT + 1]));
    memcpy(target, copy, TRACE_BYTES); /* target may be where parent is */
    return 0;
}
