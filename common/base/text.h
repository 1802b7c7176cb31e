/* text.h - trims, measures, compares and reads text that belongs to somebody else. The text is
 * valid UTF-8. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdint.h>

#include "base/mem.h"

/** @brief The text without blanks (also those of Unicode) and control characters at both ends. It
 * points into the given text. */
struct text text_trim(struct text text);

/** @brief Whether it has a blank (also one of Unicode) or a control character anywhere. */
int text_has_blank(struct text text);

/** @brief How many characters (code points) it has. */
size_t text_count_chars(struct text text);

/** @brief Whether both have the same bytes, apart from the case of ASCII letters. */
int text_equal_nocase(struct text a, struct text b);

/** @brief A hash that is equal for texts that text_equal_nocase() calls equal. For tables in memory
 * only. */
uint32_t text_hash_nocase(struct text text);

/** @brief Reads a whole number with an optional minus and nothing else. @returns 0, or -1 when it
 * is none or beyond 64 bits */
int text_to_int(struct text text, int64_t *value);

#endif
