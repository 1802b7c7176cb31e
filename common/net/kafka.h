/* kafka.h - librdkafka, set up the same way everywhere. */
#ifndef COMMON_KAFKA_H
#define COMMON_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

/* A producer: idempotent, acks=all. It tries for ever, so a record is delivered or is refused
 * because of its size. A broker applies a topic's limit to a whole batch, so the records of a batch
 * that is refused as too large are sent again one by one, by a second client. A record is therefore
 * reported as too large only when it alone is too large. */
struct producer;

/**
 * @brief Called once for each produced record, from the thread that calls producer_poll().
 * @param opaque  what was given to producer_send()
 * @param error   RD_KAFKA_RESP_ERR_NO_ERROR when the broker has the record
 */
typedef void (*producer_report)(void *context, void *opaque, rd_kafka_resp_err_t error);

/** @brief New. config and context are kept. Free with producer_free(). NULL with a permanent error
 * on a bad setting. */
struct producer *producer_new(const struct config *config, const char *client_id,
                              producer_report report, void *context, struct error *err);

/** @brief Waits until everything is reported or timeout_ms has passed, then frees; that may take a
 * few seconds more. NULL is accepted. */
void producer_free(struct producer *producer, int64_t timeout_ms);

enum producer_answer {
    PRODUCER_QUEUED = 0,
    PRODUCER_FULL,      /* the local queue is full and the record was not taken: poll, then try
                           again */
    PRODUCER_TOO_LARGE, /* the record is larger than its topic allows, and was not taken */
    PRODUCER_FATAL,     /* the producer cannot continue: exit with 111; nothing more is committed */
};

/** @brief Queues one record. value is copied, except in two cases: owned_value is set (then it is
 * taken, on QUEUED only), or borrow is true (then the caller keeps value until the report). */
enum producer_answer producer_send(struct producer *producer, const struct output *output,
                                   int borrow, void *opaque, struct error *err);

/** @brief Calls the callbacks for delivery reports that have come. @returns how many events were
 * served */
int producer_poll(struct producer *producer, int timeout_ms);

/** @brief How many records are queued and not yet reported. */
int producer_pending(const struct producer *producer);

/** @brief Whether a broker can be reached, as far as the client knows. */
int producer_connected(const struct producer *producer);

/** @brief Whether the producer can continue. Whoever owns a producer asks regularly; it is cheap.
 * @returns 0; -1 with a temporary error when it cannot: exit with 111 */
int producer_check(const struct producer *producer, struct error *err);

/** @brief The client handle, for admin calls and watermarks. Borrowed. */
rd_kafka_t *producer_handle(struct producer *producer);

/** @brief The client settings that all our consumers share, or, with consumer 0, all our producers;
 * those of [librdkafka] are applied last. New: rd_kafka_new() releases it on success, otherwise
 * call rd_kafka_conf_destroy(). */
rd_kafka_conf_t *kafka_conf_new(const struct config *config, const char *client_id, int consumer,
                                struct error *err);

/**
 * @brief Closes a consumer: it leaves the group, within timeout_ms. Callbacks are served meanwhile.
 * @returns 0; -1 when it did not end in time. Call kafka_destroy() in both cases
 */
int kafka_close(rd_kafka_t *consumer, int64_t timeout_ms);

/**
 * @brief Destroys a client within timeout_ms. librdkafka may wait there for ever, for example when
 * a topic was deleted while it was consumed.
 * @returns 0; -1 when it did not end in time. The client then stays until the process ends, so what
 * its callbacks use must not be freed
 */
int kafka_destroy(rd_kafka_t *rk, int64_t timeout_ms);

/** @brief A client is not destroyed and its threads go on until the process ends. Exit handlers of
 * libraries are not run then, because OpenSSL's would free what these threads still use. */
void kafka_leave_behind(void);

/** @brief Gives freed memory back to the system. For a program that has caught up and has little to
 * do. */
void kafka_return_memory(void);

/** @brief Makes an event from a consumed message. The event borrows from the message. */
void kafka_event_of(const rd_kafka_message_t *message, struct event *event);

/**
 * @brief A consumer that reads partitions and committed offsets, but joins no group and commits
 * nothing. New: kafka_close(), kafka_destroy().
 * @param group  the group whose committed offsets it can read, or NULL
 * @returns NULL with a permanent error on a bad setting
 */
rd_kafka_t *kafka_reader_new(const struct config *config, const char *group, struct error *err);

/**
 * @brief Adds every partition of a topic to list, each at its beginning.
 * @returns 0; -1 with a temporary error when the broker does not answer or there is no such topic
 */
int kafka_list_partitions(rd_kafka_t *rk, const char *topic, rd_kafka_topic_partition_list_t *list,
                          struct error *err);

/** @brief Called for each record that is read. @returns 0; -1 with an error ends the reading */
typedef int (*kafka_visit)(void *context, const struct event *event, struct error *err);

/**
 * @brief Reads topics from their beginning to their present end, and calls visit for each record.
 * The records of a partition come in the order of their offsets. For compacted topics (cursors,
 * rebuild). It uses no consumer group and commits nothing.
 * @returns 0; -1 with an error: a temporary one when the broker does not answer, or that of visit
 */
int kafka_read_all(const struct config *config, const char *const *topic_names, int topic_count,
                   kafka_visit visit, void *context, struct error *err);

/* The records of a partition at the offsets from, from + 1 ... to - 1. */
struct kafka_span {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t from; /* >= 0; where the records from there on are no longer kept, reading begins at
                     the oldest one that is kept */
    int64_t to;   /* not above the partition's end, because reading waits for no new records */
};

/** @brief As kafka_read_all(), for parts of partitions. A partition is in one span at most. An
 * empty span (to <= from) is skipped. */
int kafka_read_spans(const struct config *config, const struct kafka_span *spans, int span_count,
                     kafka_visit visit, void *context, struct error *err);

#endif
