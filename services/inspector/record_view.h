/* record_view.h - one record, decoded for a person. Pure. */
#ifndef INSPECTOR_RECORD_VIEW_H
#define INSPECTOR_RECORD_VIEW_H

#include <jansson.h>

#include "history/personal.h"
#include "record/event.h"
#include "record/topic.h"

/**
 * @brief Decodes a record: {"time", "stage", "topic", "partition", "offset", "key", "headers": {...},
 * "value"}. Times in headers are printed as times. Everything is printable.
 * @param show_personal  the value is shown whole; else see shown_value.h
 * @returns new
 */
json_t *record_view(const struct topics *topics, const struct event *event, int show_personal);

/** @brief Hides what the vendor's answer in a header repeats of the customer; all of it, where nothing
 * was learnt about the customer. */
void record_view_hide(json_t *view, const struct personal *personal);

/** @brief Appends the record as several lines: its place, its headers, its value. */
void record_view_print(json_t *view, struct buffer *target);

/** @brief Appends the record as one line. A long value is cut, unless is_whole. */
void record_view_print_line(json_t *view, int is_whole, struct buffer *target);

#endif
