/* outside_text.h - texts from records, made safe for a terminal and for JSON. Pure. */
#ifndef COMMON_OUTSIDE_TEXT_H
#define COMMON_OUTSIDE_TEXT_H

#include <stdint.h>

#include <jansson.h>

#include "base/mem.h"

/** @brief Appends the text to target; control characters, characters that change the direction
 * of the text, and bytes that are no UTF-8 become \xHH. */
void outside_text_print(struct buffer *target, struct text text);

/** @brief The begin of the text, at most most_bytes long; no UTF-8 character is cut in two. */
struct text outside_text_begin(struct text text, size_t most_bytes);

/** @brief A JSON string; what is no UTF-8 is escaped as above. An absent text gives null. New. */
json_t *outside_text_json(struct text text);

/** @brief A copy in which all texts and all names of members are printable, as above. New. */
json_t *outside_json(json_t *value);

enum { OUTSIDE_TIME_BYTES = 40 };

/** @brief Prints an instant with its ms: "2026-01-02T03:04:05.678Z". @returns target */
const char *outside_time_print(char target[OUTSIDE_TIME_BYTES], int64_t at_ms);

/** @brief An instant printed as above; a negative one gives null. New. */
json_t *outside_time_json(int64_t at_ms);

#endif
