/* trace_step.h - the records of one order, as `bigfusion trace` shows them. Pure. */
#ifndef INSPECTOR_TRACE_STEP_H
#define INSPECTOR_TRACE_STEP_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "record/event.h"
#include "record/topic.h"

#include "personal.h"
#include "spot.h"

struct trace_step {
    int64_t time_ms; /* of the record */
    int64_t offset;
    int64_t version; /* -1: not known */
    enum spot_kind kind;
    int32_t partition;
    json_t *facts; /* everything that is shown: "time", "stage", "topic", "partition", "offset",
                      and what the record has of "version", "kind", "source", "account", "reason",
                      "detail", "attempt", "not_before", "by", "origin", "answer", "order_id",
                      "contact_id", "in_doubt", "incomplete", "taken_back" */
};

/* Embedded, zero-initialised; release with trace_steps_clear(). */
struct trace_steps {
    struct trace_step *steps;
    int count;
};

/** @brief Adds a record. What it holds of the customer is left out. */
void trace_steps_add(struct trace_steps *list, const struct topics *topics,
                     const struct event *event);
void trace_steps_clear(struct trace_steps *list);

/** @brief Hides what the vendor's answers repeat of the customer. An answer in `delivered` is hidden
 * whole where nothing was learnt, because its payload is no longer kept then. */
void trace_steps_hide(struct trace_steps *list, const struct personal *personal);

/** @brief Sorts by time; records of one time by their place in the pipeline. */
void trace_steps_sort(struct trace_steps *list);

/**
 * @brief The last word about the order: the step that is its fate, or NULL. Delivered wins, else
 * the fate of the newest version. Whether there is a newer version without one is not asked here.
 */
const struct trace_step *trace_steps_fate(const struct trace_steps *list);

/** @brief Prints a step as a line for people. */
void trace_step_print(const struct trace_step *step, FILE *target);

#endif
