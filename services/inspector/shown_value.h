/* shown_value.h - what of a record's value a person gets to see. Pure.
 *
 * Texts are masked unless the name of their member is known to hold nothing about a person, because
 * shops add members and write anything into them. Numbers are masked where a person is described.
 * Whatever is shown is printable: see outside_text.h. */
#ifndef INSPECTOR_SHOWN_VALUE_H
#define INSPECTOR_SHOWN_VALUE_H

#include <jansson.h>

#include "base/mem.h"

/**
 * @brief Decodes a value.
 * @param value          {NULL, 0}: a tombstone
 * @param show_personal  nothing is masked
 * @returns new: a JSON object or array; null for a tombstone; a text for what is no JSON, where
 * show_personal is given, else one that says how long it is
 */
json_t *shown_value(struct text value, int show_personal);

#endif
