/* history_step.h - the records of one order, as `bigfusion trace` shows them. Pure. */
#ifndef COMMON_HISTORY_STEP_H
#define COMMON_HISTORY_STEP_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "history/personal.h"
#include "history/spot.h"
#include "record/event.h"
#include "record/topic.h"

struct history_step {
    int64_t time_ms; /* of the record */
    int64_t offset;
    int64_t version; /* -1: not known */
    enum spot_kind kind;
    int32_t partition;
    json_t *facts; /* everything that is shown: "time", "stage", "topic", "partition", "offset",
                      and what the record has of "version", "kind", "source", "account", "reason",
                      "detail", "attempt", "not_before", "by", "origin", "answer", "order_id",
                      "contact_id", "in_doubt", "incomplete", "taken_back", "step", "trace"; of
                      `delivered` also "goals" (integration, call_name, result), "calls",
                      "attempts", "placed_at", "eligible_at", "modified_at", "polled_at",
                      "created_at"; of `skipped` "status" (id, name) */
};

/* Embedded, zero-initialised; release with history_steps_clear(). */
struct history_steps {
    struct history_step *steps;
    int count;
};

/** @brief Adds a record. What it holds of the customer is left out. */
void history_steps_add(struct history_steps *list, const struct topics *topics,
                       const struct event *event);
/**
 * @brief Adds a record that was kept in short, by the facts of order_record.h. They may be from any
 * version of this program, so what is of another form is passed over.
 * @param step   time, offset, version, kind and partition; its facts are set
 * @param topic  full name of its topic
 * @param facts  JSON text; "": none
 */
void history_steps_add_short(struct history_steps *list, const struct topics *topics,
                             struct history_step step, const char *topic, const char *facts);
void history_steps_clear(struct history_steps *list);

/** @brief Hides what the vendor's answers repeat of the customer. An answer in `delivered` is hidden
 * whole where nothing was learnt, because its payload is no longer kept then. */
void history_steps_hide(struct history_steps *list, const struct personal *personal);

/** @brief Sorts by time; records of one time by their place in the pipeline. */
void history_steps_sort(struct history_steps *list);

/**
 * @brief The last word about the order: the step that is its fate, or NULL. Delivered wins, else
 * the fate of the newest version. Whether there is a newer version without one is not asked here.
 */
const struct history_step *history_steps_fate(const struct history_steps *list);

/** @brief Prints a step as a line for people. */
void history_step_print(const struct history_step *step, FILE *target);

#endif
