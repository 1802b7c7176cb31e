/* order_text.h - writes JSON in several styles. The orders of real stores differ in blanks, in
 * escapes and in how numbers are written, and the pipeline must pass all these bytes on unchanged.
 * Pure. */
#ifndef SANDBOX_ORDER_TEXT_H
#define SANDBOX_ORDER_TEXT_H

#include <jansson.h>

#include "base/mem.h"

enum order_style {
    STYLE_PRETTY = 1, /* one member per line, indented */
    STYLE_SPACED = 2, /* blanks after `:` and `,` */
    STYLE_ASCII = 4,  /* everything beyond ASCII as \uXXXX */
    STYLE_SLASH = 8,  /* `/` as `\/` */
    STYLE_POINT = 16, /* whole numbers that are reals as 12.0 instead of 12 */
    STYLE_ALL = 31,
};

/** @brief Appends json in the given style. Equal input gives equal bytes. */
void order_text_write(struct buffer *buffer, const json_t *json, int style);

/** @brief Appends length bytes as a JSON string. Bytes that are not UTF-8 become U+FFFD. */
void order_text_string(struct buffer *buffer, const char *data, size_t length, int style);

#endif
