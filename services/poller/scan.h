/* scan.h - the id of an order that no JSON parser reads. Pure: no I/O. */
#ifndef POLLER_SCAN_H
#define POLLER_SCAN_H

#include <stdint.h>

#include "base/mem.h"

/**
 * @brief The id of an order that cannot be read: the member `id` of the outermost object, never one
 * of an object inside it.
 * Texts and numbers may hold anything. Brackets, colons and commas are followed; from the first
 * wrong one on nothing is read any more.
 * @returns -1 when there is no such member, its value is no whole number above 0, or two differ
 */
int64_t scan_id(struct text order);

#endif
