/* scan.h - finds the id of an order that is not valid JSON, so that no parser reads it. Pure: no
 * I/O. */
#ifndef POLLER_SCAN_H
#define POLLER_SCAN_H

#include <stdint.h>

#include "base/mem.h"

/**
 * @brief Finds the member `id` of the outermost object, never that of an object inside it.
 * Brackets, colons and commas must be right as far as it reads: at the first wrong one it stops.
 * Texts and numbers may hold anything.
 * @returns the id; -1 when there is no such member, when its value is no whole number above 0, or
 * when there are two with different values
 */
int64_t scan_id(struct text order);

#endif
