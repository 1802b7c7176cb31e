/* survey.h - reads parts of topics for a command, shows how far it is, and counts what it costs. */
#ifndef COMMON_SURVEY_H
#define COMMON_SURVEY_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "history/progress.h"
#include "net/kafka.h"
#include "net/kafka_group.h"
#include "record/topic.h"
#include "settings/config.h"

/* Embedded; release with survey_clear(). */
struct survey {
    const struct config *config; /* borrowed */
    struct topics topics;
    int64_t records, bytes; /* read so far: keys, values and known headers */
    int64_t begun_ms;       /* monotonic */
    struct progress progress;
    kafka_visit visit; /* of the reading that is going on */
    void *context;
};

void survey_init(struct survey *survey, const struct config *config);
void survey_clear(struct survey *survey);

/* The spans to read. Embedded, zero-initialised; release with survey_spans_clear(). */
struct survey_spans {
    struct kafka_span *spans;
    int count;
    int64_t records; /* how many records are in them at most */
};

/** @brief Adds a span; topic is borrowed for as long as the list is used. An empty one is passed
 * over. */
void survey_spans_add(struct survey_spans *list, const char *topic, int32_t partition, int64_t from,
                      int64_t to);
void survey_spans_clear(struct survey_spans *list);

/** @brief The first offset of a place that may not be finished: the committed one, or the oldest
 * that is kept where the committed one is not kept any more, or not yet (the topic lost its end, as
 * when Kafka was restored from a backup; the services then read it from its beginning). */
int64_t survey_unread_from(const struct kafka_place *place);

/**
 * @brief Adds to *records how many records of the topics a service has not finished.
 * @param group  one of spot_groups: "filter", "mapper", "pusher"
 * @returns 0, or -1 with a temporary error
 */
int survey_unread(const struct config *config, const char *group, const char *const *topics,
                  int topic_count, int64_t *records, struct error *err);

/**
 * @brief Adds what a topic got since a time, by the times of its records.
 * @param since_ms  0: everything
 * @returns 0, or -1 with a temporary error
 */
int survey_add_topic(struct survey *survey, const char *topic, int64_t since_ms,
                     struct survey_spans *list, struct error *err);

/** @brief Reads the spans; see kafka_read_spans(). what: for the progress, "reading fates". */
int survey_read(struct survey *survey, const struct survey_spans *list, const char *what,
                kafka_visit visit, void *context, struct error *err);

/** @brief Prints what was read: "read 123 records, 4.5 MB, in 0.6 s". */
void survey_print_cost(const struct survey *survey, FILE *target);

/** @brief The same as {"records", "bytes", "seconds"}. New. */
json_t *survey_cost_json(const struct survey *survey);

#endif
