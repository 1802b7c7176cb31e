/* mark.h - the hand-out mark of a partition, as text: no record at its offset or behind it was ever
 * handed to a worker. Pure.
 *
 * The stage keeps the mark in the metadata of the group's committed offset and moves it; whoever
 * rebuilds what the workers knew reads it there (net/kafka_group.h). The metadata is the word "v1",
 * then words name=value. One of them is mark=123; the others belong to the claim (stage/claim.h). */
#ifndef COMMON_MARK_H
#define COMMON_MARK_H

#include <stdint.h>

#include "base/mem.h"

enum { MARK_NONE = -1, MARK_AHEAD_MAX = 1000000000, MARK_TEXT_BYTES = 32 };

/** @brief Writes the word of a mark, "mark=123"; "" for MARK_NONE. */
void mark_print(int64_t mark, char text[MARK_TEXT_BYTES]);

/**
 * @brief Finds the mark in the metadata of a committed offset; anybody may have written that.
 * @returns the mark; MARK_NONE when there is none, more than one, or one that nobody can mean: no
 * whole number, negative, below the committed offset beside which it stands, or absurdly far ahead
 * of it
 */
int64_t mark_read(struct text metadata, int64_t committed);

#endif
