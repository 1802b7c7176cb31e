/* fate_version.h - which version of an order a record is about. Pure. */
#ifndef COMMON_FATE_VERSION_H
#define COMMON_FATE_VERSION_H

#include <stdint.h>

#include "record/event.h"

/** @brief The version: ms since 1970 of the store's date_modified, from the header or, for a record
 * of `skipped` or `delivered`, else from its value; -1 where neither tells. */
int64_t fate_version(const struct event *event);

#endif
