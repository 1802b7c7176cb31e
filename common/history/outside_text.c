#include "history/outside_text.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"

/* Characters that are not seen and change the order in which the text around them is shown: a name
 * with one of them could make a line look as if it said something else. */
static int turns_text(unsigned code)
{
    return code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* How many bytes the UTF-8 character at data has; 0: it is none, or is not to be printed: a control
 * character (also those of Unicode, U+0080 to U+009F, which some terminals obey), one that ends a
 * line (U+2028, U+2029), or one that turns the text. */
static size_t printable(const unsigned char *data, size_t length)
{
    size_t size = data[0] < 0x80 ? 1 : data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
    unsigned code;

    if (size == 1)
        return data[0] >= 0x20 && data[0] != 0x7f;
    if (data[0] < 0xc2 || data[0] > 0xf4 || size > length)
        return 0;
    code = data[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (data[i] & 0x3f);
    }
    if (code < 0xa0 || (size == 3 && code < 0x800) || (size == 4 && code < 0x10000) ||
        code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code == 0x2028 || code == 0x2029 ||
        turns_text(code))
        return 0;
    return size;
}

void outside_text_print(struct buffer *target, struct text text)
{
    for (size_t i = 0; i < text.length;) {
        size_t size = printable((const unsigned char *)text.data + i, text.length - i);

        if (size > 0)
            buffer_append(target, text.data + i, size);
        else
            buffer_printf(target, "\\x%02X", (unsigned char)text.data[i]);
        i += size > 0 ? size : 1;
    }
}

struct text outside_text_begin(struct text text, size_t most_bytes)
{
    size_t length = most_bytes;

    if (text.length <= most_bytes)
        return text;
    /* A character has at most three bytes behind its first one; more of them are no UTF-8. */
    for (int i = 0; i < 3 && length > 0 && (text.data[length] & 0xc0) == 0x80; i++)
        length--;
    return (struct text){text.data, length};
}

json_t *outside_text_json(struct text text)
{
    struct buffer safe = {0};
    json_t *value;

    if (text.data == NULL)
        return json_null();
    outside_text_print(&safe, text);
    value = mem_check(json_stringn(safe.data != NULL ? safe.data : "", safe.length));
    buffer_clear(&safe);
    return value;
}

json_t *outside_json(json_t *value)
{
    json_t *copy;

    if (json_is_string(value))
        return outside_text_json(
            (struct text){json_string_value(value), json_string_length(value)});
    if (json_is_array(value)) {
        copy = mem_check(json_array());
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, outside_json(json_array_get(value, i)));
        return copy;
    }
    if (!json_is_object(value))
        return json_incref(value);
    copy = mem_check(json_object());
    for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at)) {
        struct buffer name = {0};

        outside_text_print(&name, text_of(json_object_iter_key(at)));
        json_object_set_new(copy, name.data != NULL ? name.data : "",
                            outside_json(json_object_iter_value(at)));
        buffer_clear(&name);
    }
    return copy;
}

const char *outside_time_print(char target[OUTSIDE_TIME_BYTES], int64_t at_ms)
{
    char seconds[DATE_ISO_BYTES];

    date_print_iso(seconds, at_ms);
    snprintf(target, OUTSIDE_TIME_BYTES, "%.*s.%03dZ", (int)strlen(seconds) - 1, seconds,
             (int)(at_ms % 1000));
    return target;
}

json_t *outside_time_json(int64_t at_ms)
{
    char text[OUTSIDE_TIME_BYTES];

    return at_ms >= 0 ? json_string(outside_time_print(text, at_ms)) : json_null();
}
