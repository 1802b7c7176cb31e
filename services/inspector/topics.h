/* topics.h - which settings a topic must have, and whether an existing topic has them. */
#ifndef INSPECTOR_TOPICS_H
#define INSPECTOR_TOPICS_H

#include <librdkafka/rdkafka.h>

#include "base/error.h"
#include "record/topic.h"
#include "settings/config.h"

enum { TOPIC_SETTINGS_MAX = 8 };

/* How a value is compared with the expected one. -1 is no limit: more than any number. */
enum topic_promise { TOPIC_EXACTLY = 0, TOPIC_AT_LEAST };

struct topic_setting {
    const char *name; /* as Kafka calls it; static */
    enum topic_promise promise;
    char value[24];
};

/** @brief Whether a value that differs from the expected one is good enough for what the setting is
 * there for, for example a longer retention or more copies. is: NULL where it is not set. */
int topic_promise_kept(enum topic_promise promise, const char *is, const char *expected);

/** @brief Waits for an answer on queue, at most timeout_ms or until a stop is asked for. @returns
 * new: rd_kafka_event_destroy(); NULL: there was none */
rd_kafka_event_t *topics_wait(rd_kafka_queue_t *queue, int64_t timeout_ms);

/** @brief The settings with which we create a topic. @returns how many */
int topic_settings_of(const struct config *config, const struct topic_plan *plan,
                      struct topic_setting settings[TOPIC_SETTINGS_MAX]);

/* What TOPIC_PARTITIONS and TOPIC_REPLICATION are called; other settings as Kafka calls them. */
#define TOPIC_PARTITIONS "partitions"
#define TOPIC_REPLICATION "replication factor"

/* A topic that is not as it should be. The strings are borrowed for the call. */
struct topic_difference {
    const char *topic;
    const char *setting;
    const char *is; /* NULL: it is not set */
    const char *expected;
    int is_kept; /* 1: more than was asked for, which keeps what is promised */
};

typedef void (*topic_differs)(void *context, const struct topic_difference *difference);

/** @brief Compares the numbers of partitions and copies, which come from a topic's metadata. */
void topics_compare_shape(const struct rd_kafka_metadata_topic *topic, const struct config *config,
                          const struct topic_plan *plan, topic_differs visit, void *context);

/**
 * @brief Asks the brokers for the settings of the topics and compares them.
 * @param found  for each plan: whether it is to be compared
 * @returns 0, or -1 with a temporary error where they do not tell
 */
int topics_compare_settings(rd_kafka_t *rk, const struct config *config,
                            const struct topic_plan *plan, int count, const int *found,
                            int timeout_ms, topic_differs visit, void *context, struct error *err);

/**
 * @brief Compares topics that existed before with what they should be, and prints one line for each
 * difference. Nothing is changed: whoever set it may have had a reason.
 * @param found  as for topics_compare_settings()
 * @returns 0, also where each difference is only more than was asked for; -1 with a permanent error
 * when a difference may lose or refuse records
 */
int topics_check(rd_kafka_t *rk, const struct config *config, const struct topic_plan *plan,
                 int count, const int *found, struct error *err);

#endif
