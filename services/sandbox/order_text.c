#include "order_text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Reads the code point at data. Returns the length of its bytes, or 0 when they are not UTF-8. */
static size_t decode(const unsigned char *data, size_t left, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = data[0] >= 0xF0 ? 4 : data[0] >= 0xE0 ? 3 : 2;

    if (data[0] < 0xC2 || data[0] > 0xF4 || length > left)
        return 0;
    *code = data[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (data[i] & 0x3FU);
    }
    if (*code < smallest[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
        return 0;
    return length;
}

static void write_escape(struct buffer *buffer, uint32_t code)
{
    if (code >= 0x10000)
        buffer_printf(buffer, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
                      (unsigned)(0xDC00 + ((code - 0x10000) & 0x3FF)));
    else
        buffer_printf(buffer, "\\u%04x", (unsigned)code);
}

/* Writes one character that needs an escape. Returns how many bytes of the input it took. */
static size_t write_special(struct buffer *buffer, const unsigned char *data, size_t left,
                            int style)
{
    static const char names[] = "\"\\/\b\f\n\r\t", letters[] = "\"\\/bfnrt";
    const char *name = data[0] == '\0' ? NULL : strchr(names, data[0]);
    uint32_t code = data[0];
    size_t length = 1;

    if (name != NULL) {
        char pair[2] = {'\\', letters[name - names]};
        buffer_append(buffer, pair, 2);
    } else if (data[0] < 0x20 || data[0] == 0x7F) {
        write_escape(buffer, code);
    } else if ((length = decode(data, left, &code)) == 0) {
        write_escape(buffer, 0xFFFD);
        return 1;
    } else if ((style & STYLE_ASCII) != 0) {
        write_escape(buffer, code);
    } else {
        buffer_append(buffer, data, length);
    }
    return length;
}

void order_text_string(struct buffer *buffer, const char *data, size_t length, int style)
{
    const unsigned char *bytes = (const unsigned char *)data;
    size_t start = 0, i = 0;

    buffer_append(buffer, "\"", 1);
    while (i < length) {
        unsigned char c = bytes[i];
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\' &&
            (c != '/' || (style & STYLE_SLASH) == 0)) {
            i++;
            continue;
        }
        buffer_append(buffer, data + start, i - start);
        i += write_special(buffer, bytes + i, length - i, style);
        start = i;
    }
    buffer_append(buffer, data + start, i - start);
    buffer_append(buffer, "\"", 1);
}

static void write_real(struct buffer *buffer, double value, int style)
{
    if (value == floor(value) && fabs(value) < 1e15)
        buffer_printf(buffer, (style & STYLE_POINT) != 0 ? "%.1f" : "%.0f", value);
    else
        buffer_printf(buffer, "%.15g", value);
}

static void break_line(struct buffer *buffer, int style, int depth, int first)
{
    static const char blanks[] = "                                ";

    if ((style & STYLE_PRETTY) != 0) {
        buffer_append(buffer, "\n", 1);
        buffer_append(buffer, blanks, depth * 2 < 32 ? (size_t)depth * 2 : 32);
    } else if ((style & STYLE_SPACED) != 0 && !first) {
        buffer_append(buffer, " ", 1);
    }
}

static void write_value(struct buffer *buffer, const json_t *json, int style, int depth);

static void write_object(struct buffer *buffer, const json_t *json, int style, int depth)
{
    const char *name;
    json_t *value;
    int first = 1;

    buffer_append(buffer, "{", 1);
    json_object_foreach((json_t *)json, name, value)
    {
        if (!first)
            buffer_append(buffer, ",", 1);
        break_line(buffer, style, depth + 1, first);
        order_text_string(buffer, name, strlen(name), style);
        buffer_append(buffer, ": ", (style & (STYLE_SPACED | STYLE_PRETTY)) != 0 ? 2 : 1);
        write_value(buffer, value, style, depth + 1);
        first = 0;
    }
    if (!first && (style & STYLE_PRETTY) != 0)
        break_line(buffer, style, depth, 1);
    buffer_append(buffer, "}", 1);
}

static void write_array(struct buffer *buffer, const json_t *json, int style, int depth)
{
    size_t count = json_array_size(json);

    buffer_append(buffer, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append(buffer, ",", 1);
        break_line(buffer, style, depth + 1, i == 0);
        write_value(buffer, json_array_get(json, i), style, depth + 1);
    }
    if (count > 0 && (style & STYLE_PRETTY) != 0)
        break_line(buffer, style, depth, 1);
    buffer_append(buffer, "]", 1);
}

static void write_value(struct buffer *buffer, const json_t *json, int style, int depth)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        write_object(buffer, json, style, depth);
        break;
    case JSON_ARRAY:
        write_array(buffer, json, style, depth);
        break;
    case JSON_STRING:
        order_text_string(buffer, json_string_value(json), json_string_length(json), style);
        break;
    case JSON_INTEGER:
        buffer_printf(buffer, "%lld", (long long)json_integer_value(json));
        break;
    case JSON_REAL:
        write_real(buffer, json_real_value(json), style);
        break;
    default:
        buffer_printf(buffer, "%s",
                      json_is_true(json)    ? "true"
                      : json_is_false(json) ? "false"
                                            : "null");
    }
}

void order_text_write(struct buffer *buffer, const json_t *json, int style)
{
    write_value(buffer, json, style, 0);
}
