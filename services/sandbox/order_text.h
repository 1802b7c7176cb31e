/* order_text.h - JSON as text in several hands. A real store's bytes differ in blanks, escapes and
 * the way numbers are written; whoever passes an order on must keep them all. Pure. */
#ifndef SANDBOX_ORDER_TEXT_H
#define SANDBOX_ORDER_TEXT_H

#include <jansson.h>

#include "base/mem.h"

enum order_style {
    STYLE_PRETTY = 1, /* a member a line, indented */
    STYLE_SPACED = 2, /* blanks after `:` and `,` */
    STYLE_ASCII = 4,  /* everything beyond ASCII as \uXXXX */
    STYLE_SLASH = 8,  /* `/` as `\/` */
    STYLE_POINT = 16, /* whole reals as 12.0 instead of 12 */
    STYLE_ALL = 31,
};

/** @brief Appends json in the given hand; equal input gives equal bytes. */
void order_text_write(struct buffer *buffer, const json_t *json, int style);

/** @brief Appends length bytes as a JSON string; bytes that are no UTF-8 become U+FFFD. */
void order_text_string(struct buffer *buffer, const char *data, size_t length, int style);

#endif
