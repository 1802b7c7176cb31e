/* answer_print.h - the console's answers as text for people. Pure. Every text in an answer must be
 * printable already: see outside_json(). A member that is missing or of another type is left out. */
#ifndef INSPECTOR_ANSWER_PRINT_H
#define INSPECTOR_ANSWER_PRINT_H

#include <stdint.h>

#include <jansson.h>

#include "base/mem.h"

/* Exit statuses of `bigfusion why`, by verdict. They stay as they are. */
enum {
    WHY_SYNCED = 0,
    WHY_WAITING = 10,
    WHY_RETRYING = 11,
    WHY_SKIPPED = 12,
    WHY_DEAD = 13,
    WHY_UNKNOWN = 14,
};

/** @brief The exit status for the orders of an answer of /api/v1/why: of several orders the highest;
 * WHY_UNKNOWN where there is none, or where a verdict is none of the list. */
int why_status(const json_t *answer);

/** @brief The answer of /api/v1/why: for each order the sentence, what happens next, and the history. */
void why_print(const json_t *answer, int64_t now_ms, struct buffer *target);

/** @brief The orders of one page of /api/v1/orders, a line each; with a heading where is_first. */
void orders_print(const json_t *answer, int is_first, struct buffer *target);

/** @brief The last lines of a list: how many orders, by reason, and how fresh the index is.
 * @param first  the first page @param shown how many orders were printed */
void orders_print_end(const json_t *first, int64_t shown, struct buffer *target);

/** @brief The answer of /api/v1/status. */
void status_answer_print(const json_t *answer, int64_t now_ms, struct buffer *target);

/** @brief How fresh the index is: a line. */
void index_print(const json_t *answer, struct buffer *target);

/* For the files that print. */

/** @brief A member that is a text; "" where it is none. Borrowed. */
const char *answer_text(const json_t *object, const char *name);

/** @brief A member that is a number, or missing. */
double answer_number(const json_t *object, const char *name, double missing);

/** @brief An instant of an answer, "2026-01-02T03:04:05.678Z", in ms since 1970; -1: there is none. */
int64_t answer_time(const json_t *object, const char *name);

#endif
