#include "base/text.h"

#include <string.h>

/* The blanks of Unicode that have three bytes, and two invisible characters: zero width space and
 * byte order mark. */
static const char *const wide_blanks[] = {
    "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
    "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
    "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\x8b", "\xe2\x80\xa8", "\xe2\x80\xa9",
    "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf",
};

static int is_narrow_blank(unsigned char c) { return c <= 0x20 || c == 0x7f; }

/* Whether these bytes are exactly one blank or control character of two or three bytes. */
static int is_wide_blank(const char *data, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)data;

    if (length == 2) /* U+0080 to U+009F are control characters, U+00A0 is the no-break space */
        return bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] <= 0xa0;
    for (size_t i = 0; i < sizeof(wide_blanks) / sizeof(wide_blanks[0]); i++)
        if (memcmp(wide_blanks[i], data, length) == 0)
            return 1;
    return 0;
}

static size_t blank_at_start(struct text text)
{
    unsigned char first = (unsigned char)text.data[0];

    if (first < 0x80)
        return is_narrow_blank(first) ? 1 : 0;
    if (first == 0xc2)
        return text.length >= 2 && is_wide_blank(text.data, 2) ? 2 : 0;
    if (first == 0xe1 || first == 0xe2 || first == 0xe3 || first == 0xef)
        return text.length >= 3 && is_wide_blank(text.data, 3) ? 3 : 0;
    return 0;
}

static size_t blank_at_end(struct text text)
{
    const char *end = text.data + text.length;

    if ((unsigned char)end[-1] < 0x80)
        return is_narrow_blank((unsigned char)end[-1]) ? 1 : 0;
    if (text.length >= 2 && is_wide_blank(end - 2, 2))
        return 2;
    return text.length >= 3 && is_wide_blank(end - 3, 3) ? 3 : 0;
}

struct text text_trim(struct text text)
{
    size_t blank;

    while (text.length > 0 && (blank = blank_at_start(text)) > 0) {
        text.data += blank;
        text.length -= blank;
    }
    while (text.length > 0 && (blank = blank_at_end(text)) > 0)
        text.length -= blank;
    return text;
}

int text_has_blank(struct text text)
{
    for (; text.length > 0; text.data++, text.length--)
        if (blank_at_start(text) > 0)
            return 1;
    return 0;
}

size_t text_count_chars(struct text text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

int text_equal_nocase(struct text a, struct text b)
{
    if (a.length != b.length)
        return 0;
    for (size_t i = 0; i < a.length; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return 0;
    return 1;
}

uint32_t text_hash_nocase(struct text text)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ lower(text.data[i])) * 16777619u;
    return hash;
}

int text_to_int(struct text text, int64_t *value)
{
    size_t at = 0;
    int negative = text.length > 0 && text.data[0] == '-';
    int64_t result = 0;

    at += (size_t)negative;
    if (at == text.length)
        return -1;
    for (; at < text.length; at++) {
        char c = text.data[at];

        if (c < '0' || c > '9' || __builtin_mul_overflow(result, 10, &result) ||
            __builtin_sub_overflow(result, c - '0', &result))
            return -1;
    }
    if (!negative && result == INT64_MIN)
        return -1;
    *value = negative ? result : -result;
    return 0;
}
