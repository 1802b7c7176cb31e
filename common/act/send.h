/* send.h - writes records into topics for a command and waits until Kafka has them. */
#ifndef COMMON_SEND_H
#define COMMON_SEND_H

#include <stdint.h>

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

struct send; /* opaque; belongs to one thread */

/** @brief New: send_free(). NULL with a permanent error on a bad setting. */
struct send *send_new(const struct config *config, const char *client_id, struct error *err);
void send_free(struct send *send);

/** @brief Queues a record; it is copied. A failure of an earlier one may be told here.
 * @returns 0, or -1 with an error */
int send_queue(struct send *send, const struct output *output, struct error *err);

/** @brief Waits until Kafka has all queued records; for a minute. @returns 0, or -1 with an error */
int send_wait(struct send *send, struct error *err);

/** @brief send_queue(), send_wait(). */
int send_one(struct send *send, const struct output *output, struct error *err);

/** @brief How many records Kafka has acknowledged. */
int64_t send_count(const struct send *send);

#endif
