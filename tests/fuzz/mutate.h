/* mutate.h - a valid JSON document changed at one of its values: what random bytes hardly ever
 * make. Pure text work, since a parser would refuse what comes out, doubled members for one. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <stddef.h>

#include "base/mem.h"

/**
 * @brief How many values the document has, itself included: members of objects and entries of
 * lists.
 * @returns 0 when it is no JSON, or has too many values or levels for us
 */
size_t mutate_count(struct text document);

/** @brief How many changes there are. */
int mutate_kinds(void);

/**
 * @brief The document with its value `index` changed: absent, null, another type, empty, huge,
 * doubled, nested, by kind.
 * @param index   below mutate_count()
 * @param kind    below mutate_kinds()
 * @param target  replaced
 */
void mutate_write(struct text document, size_t index, int kind, struct buffer *target);

#endif
