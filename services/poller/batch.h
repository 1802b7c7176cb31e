/* batch.h - records on their way to Kafka. A store's cursor may move only when Kafka has every
 * record that belongs to the orders before it. So the records of one answer of the store form a
 * batch, and the thread that sent them waits until Kafka has reported on each of them. While it
 * waits, it keeps the lease of its store.
 *
 * One producer serves all stores. Its reports arrive on the one thread that calls batches_serve().
 */
#ifndef POLLER_BATCH_H
#define POLLER_BATCH_H

#include <stdint.h>

#include "base/error.h"
#include "bigcommerce/ask.h"
#include "record/event.h"
#include "settings/config.h"

/* What all batches share: the producer, and a lock. */
struct batches;
/* The records of one answer. A batch belongs to the thread that made it. */
struct batch;

/** @brief New. config is kept. NULL with a permanent error. Free with batches_free(). */
struct batches *batches_new(const struct config *config, struct error *err);

/** @brief Waits, at most 5 s, for the records under way. Batches that were dropped before their
 * last report are released here. */
void batches_free(struct batches *batches);

/** @brief Handles reports for at most timeout_ms and tells the health page whether Kafka can be
 * reached. One thread calls it again and again. */
void batches_serve(struct batches *batches, int timeout_ms);

/** @brief Whether the producer can go on. @returns 0, or -1 with an error: the program has to be
 * started anew */
int batches_check(const struct batches *batches, struct error *err);

/**
 * @brief New: a batch with size slots, one for each record. End it with batch_drop().
 * @param asker  of the store whose records these are; kept until batch_drop()
 */
struct batch *batch_new(struct batches *batches, struct asker *asker, int size);

enum batch_answer {
    BATCH_OK = 0,
    BATCH_TOO_LARGE, /* the record is larger than its topic takes */
    BATCH_FAILED,    /* see err */
};

/**
 * @brief Queues one record; batch_wait() tells when Kafka has it. Where the producer's queue is
 * full, it waits for room. The value is copied, unless output->owned_value is set (then the
 * producer takes it, on BATCH_OK).
 * @param slot    0 to size - 1; each slot takes one record
 * @param answer  out, on OUTCOME_OK: BATCH_OK or BATCH_TOO_LARGE
 * @returns OUTCOME_OK, or what ends the round
 */
enum outcome batch_send(struct batch *batch, const struct output *output, int slot,
                        enum batch_answer *answer, struct error *err);

/** @brief Waits until Kafka has reported on every record of the batch. @returns OUTCOME_OK, or what
 * ends the round */
enum outcome batch_wait(struct batch *batch, struct error *err);

/**
 * @brief What Kafka reported on the record in a slot; after batch_wait().
 * @returns BATCH_OK, BATCH_TOO_LARGE (the broker refuses it for its size), or BATCH_FAILED with err
 */
enum batch_answer batch_result(const struct batch *batch, int slot, struct error *err);

/** @brief Ends the batch. Records that are still under way will be delivered, but nobody is told
 * about them. NULL is accepted. */
void batch_drop(struct batch *batch);

/**
 * @brief Produces one record that belongs to no batch, and waits until Kafka has it.
 * @param asker  of the store whose record it is
 * @returns OUTCOME_OK, or what ends the round; OUTCOME_TROUBLE also when Kafka refuses the record
 */
enum outcome batch_produce_one(struct batches *batches, struct asker *asker,
                               const struct output *output, struct error *err);

#endif
