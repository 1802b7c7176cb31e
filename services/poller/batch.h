/* batch.h - records on their way to Kafka, counted by batch, so that a store's cursor moves only
 * when the broker has every one of them. One producer serves all stores; its reports come on one
 * thread (batches_serve()). */
#ifndef POLLER_BATCH_H
#define POLLER_BATCH_H

#include <stdint.h>

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

struct batches;
struct batch;

/** @brief New. config is kept. NULL with a permanent error. Free with batches_free(). */
struct batches *batches_new(const struct config *config, struct error *err);

/** @brief Waits for what is under way, 5 s at most. Batches that were dropped end here. */
void batches_free(struct batches *batches);

/** @brief Serves reports for at most timeout_ms and tells the health page about Kafka. One thread
 * calls it. */
void batches_serve(struct batches *batches, int timeout_ms);

/** @brief Whether the producer can go on; if not, err says why and the program has to be started
 * anew. */
int batches_check(const struct batches *batches, struct error *err);

/** @brief New: room for size records. End it with batch_drop(). */
struct batch *batch_new(struct batches *batches, int size);

enum batch_answer {
    BATCH_OK = 0,    /* queued; batch_wait() tells when the broker has it */
    BATCH_FULL,      /* no room now: again in a moment */
    BATCH_TOO_LARGE, /* larger than its topic takes */
    BATCH_FAILED,    /* see err */
};

/** @brief Queues one record. The value is copied unless output->owned_value is set (taken on OK).
 */
enum batch_answer batch_send(struct batch *batch, const struct output *output, int slot,
                             struct error *err);

/** @brief Waits until all records are reported. @returns 1 all are, 0 not after timeout_ms */
int batch_wait(struct batch *batch, int64_t timeout_ms);

/**
 * @brief What became of the record in a slot, once it is reported.
 * @returns BATCH_OK, BATCH_TOO_LARGE (the broker takes none of that size) or BATCH_FAILED with err
 */
enum batch_answer batch_result(const struct batch *batch, int slot, struct error *err);

/** @brief Lets the batch go; records still under way are delivered, nobody hears of it. NULL is
 * accepted. */
void batch_drop(struct batch *batch);

#endif
