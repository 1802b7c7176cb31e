/* html_text.h - turns the HTML of a product's description into plain text. Pure.
 *
 * It is no HTML parser: it reads tags, comments and character references as browsers find them, and
 * takes no notice of how elements are nested. So no input is refused, and none takes more than one
 * walk over it. */
#ifndef COMMON_HTML_TEXT_H
#define COMMON_HTML_TEXT_H

#include "base/mem.h"

/**
 * @brief Appends the text of html to out: without tags, comments, scripts and style sheets, with
 * character references decoded. Paragraphs, list items, table rows and line breaks begin a new
 * line, a list item with `- `. Blanks in a row become one, empty lines are left out, and there is no
 * control character but the line feed.
 * @param html  valid UTF-8; plain text is HTML, too
 */
void html_to_text(struct text html, struct buffer *out);

#endif
