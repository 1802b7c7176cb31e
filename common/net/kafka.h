/* kafka.h - librdkafka, set up the same way everywhere. */
#ifndef COMMON_KAFKA_H
#define COMMON_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

/* A producer: idempotent, acks=all, retries for ever (a record leaves it delivered, or refused for
 * its size). A broker holds a topic's limit against the whole batch: the records of a batch that is
 * refused as too large are sent again one by one, by a second client that is made for it. So a
 * record is reported as too large only when it is so by itself. */
struct producer;

/**
 * @brief Called once for each produced record, from producer_poll()'s thread.
 * @param opaque  what was given to producer_send()
 * @param error   RD_KAFKA_RESP_ERR_NO_ERROR when the broker has the record
 */
typedef void (*producer_report)(void *context, void *opaque, rd_kafka_resp_err_t error);

/** @brief New. config and context are kept. Free with producer_free(). NULL with a permanent error
 * on a bad setting. */
struct producer *producer_new(const struct config *config, const char *client_id,
                              producer_report report, void *context, struct error *err);

/** @brief Waits until everything is reported or timeout_ms is over, then frees; a few seconds more
 * at most. NULL is accepted. */
void producer_free(struct producer *producer, int64_t timeout_ms);

enum producer_answer {
    PRODUCER_QUEUED = 0,
    PRODUCER_FULL,      /* the local queue is full: poll, then try again; nothing was taken */
    PRODUCER_TOO_LARGE, /* larger than the topic takes; nothing was taken */
    PRODUCER_FATAL,     /* the producer cannot go on: exit 111, the commit is where it was */
};

/**
 * @brief Queues one record. value is copied unless output->owned_value is set (taken on QUEUED
 * only) or borrow is true (the caller keeps it alive until the report).
 */
enum producer_answer producer_send(struct producer *producer, const struct output *output,
                                   int borrow, void *opaque, struct error *err);

/** @brief Serves delivery reports. @returns how many events were served */
int producer_poll(struct producer *producer, int timeout_ms);

/** @brief Records queued and not yet reported. */
int producer_pending(const struct producer *producer);

/** @brief Whether a broker can be reached, as far as the client knows. */
int producer_connected(const struct producer *producer);

/** @brief 0; -1 with a temporary error when the producer met one that it cannot go on from: exit
 * 111. Cheap. Whoever owns a producer asks this regularly. */
int producer_check(const struct producer *producer, struct error *err);

/** @brief The client handle, for admin calls and watermarks. Borrowed. */
rd_kafka_t *producer_handle(struct producer *producer);

/**
 * @brief The client settings that all our consumers (or, consumer 0, producers) share; [librdkafka]
 * last. New: released by rd_kafka_new() on success, else rd_kafka_conf_destroy().
 */
rd_kafka_conf_t *kafka_conf_new(const struct config *config, const char *client_id, int consumer,
                                struct error *err);

/**
 * @brief Closes a consumer: leaves the group, within timeout_ms. Callbacks are served meanwhile.
 * @returns 0; -1 when it did not end in time. Either way kafka_destroy() follows.
 */
int kafka_close(rd_kafka_t *consumer, int64_t timeout_ms);

/**
 * @brief Destroys a client within timeout_ms. librdkafka may wait for ever there, e.g. when a topic
 * was deleted while it was consumed.
 * @returns 0; -1 when it did not end in time: it is left behind and goes with the process, so what
 * its callbacks use must not be freed
 */
int kafka_destroy(rd_kafka_t *rk, int64_t timeout_ms);

/** @brief Gives freed memory back to the system: for a program that is quiet again after it has
 * caught up. */
void kafka_return_memory(void);

/** @brief The consumed record as an event: views into message, valid as long as it. */
void kafka_event_of(const rd_kafka_message_t *message, struct event *event);

/**
 * @brief A consumer that reads partitions and committed offsets, but joins no group and commits
 * nothing. New: kafka_close(), kafka_destroy().
 * @param group  whose committed offsets it can read, or NULL
 * @returns NULL with a permanent error on a bad setting
 */
rd_kafka_t *kafka_reader_new(const struct config *config, const char *group, struct error *err);

/** @brief Adds every partition of a topic to list, each at its beginning. @returns 0; -1 with a
 * temporary error when the broker does not answer or there is no such topic */
int kafka_list_partitions(rd_kafka_t *rk, const char *topic, rd_kafka_topic_partition_list_t *list,
                          struct error *err);

/** @brief Is given each record that is read. @returns 0; -1 with an error ends the reading */
typedef int (*kafka_visit)(void *context, const struct event *event, struct error *err);

/**
 * @brief Reads topics from their beginning to the end they have now, calling visit for each record
 * in offset order of its partition: for compacted topics (cursors, rebuild). No consumer group, no
 * commit.
 * @returns 0; -1 with an error: temporary when the broker does not answer, or what visit returned
 */
int kafka_read_all(const struct config *config, const char *const *topic_names, int topic_count,
                   kafka_visit visit, void *context, struct error *err);

/* The records of a partition at the offsets from, from + 1 ... to - 1. */
struct kafka_span {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t from; /* >= 0; where it is older than what is kept: from the oldest that is */
    int64_t to;   /* not above the partition's end: nobody waits for records to come */
};

/** @brief As kafka_read_all(), for parts of partitions. Each partition is in one span at most; an
 * empty span (to <= from) is skipped. */
int kafka_read_spans(const struct config *config, const struct kafka_span *spans, int span_count,
                     kafka_visit visit, void *context, struct error *err);

#endif
