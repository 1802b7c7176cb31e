/* kafka_look.h - what the brokers say about their own settings. Nothing is changed. */
#ifndef COMMON_KAFKA_LOOK_H
#define COMMON_KAFKA_LOOK_H

#include <librdkafka/rdkafka.h>

#include "base/error.h"

struct config;

struct kafka_look {
    int creates_topics; /* whether a broker creates a topic when somebody asks for it: 1, 0; -1:
                           none of them tells */
    char version[32];   /* of the protocol between brokers, e.g. "3.9-IV0"; "": not told, as by
                           Kafka 4 and hosted ones */
};

/**
 * @brief A client for questions only: it joins no group, creates no topic, and logs nothing, because
 * the caller reports what it learns. Who assigns partitions to it is told their ends. New: kafka_destroy().
 * @param opaque  given to the callbacks
 * @param on_error  called by rd_kafka_poll() with each failure of a connection; or NULL
 * @returns NULL with a permanent error on a bad setting
 */
rd_kafka_t *kafka_asker_new(const struct config *config, void *opaque,
                            void (*on_error)(rd_kafka_t *rk, int code, const char *reason,
                                             void *opaque),
                            struct error *err);

/**
 * @brief Asks every broker of the metadata for its settings.
 * @returns 0; -1 with a temporary error where no broker tells its settings
 */
int kafka_look(rd_kafka_t *rk, const struct rd_kafka_metadata *metadata, int timeout_ms,
               struct kafka_look *look, struct error *err);

#endif
