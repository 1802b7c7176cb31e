/* kafka_advice.h - says once in the log, at the start of a service, which settings of Kafka are a
 * danger: topics with fewer partitions than configured, and brokers that create topics by
 * themselves. A thread with a client of its own asks for them, so nothing waits for it; while Kafka
 * cannot be reached it tries again. `bigfusion doctor` looks for more. */
#ifndef COMMON_KAFKA_ADVICE_H
#define COMMON_KAFKA_ADVICE_H

struct config;
struct kafka_advice; /* opaque */

/**
 * @brief Starts the thread.
 * @param topics  full names of the topics that the service reads or writes; copied
 * @returns new, kafka_advice_free(); NULL where there is no thread or client: then nothing is said
 */
struct kafka_advice *kafka_advice_start(const struct config *config, const char *const *topics,
                                        int topic_count);

/** @brief Ends the thread. NULL is accepted. */
void kafka_advice_free(struct kafka_advice *advice);

#endif
