/* kafka_watch.h - a thread beside a consumer, for what must not block the consumer's own loop.
 *
 * 1. It keeps a small prefetch queue fast. Before librdkafka 2.2 a broker thread whose prefetch
 * queue was full looks at it again only after one second; any request to the broker wakes it. So
 * the watch asks each leader for one partition's watermarks: at once when a part of what the queue
 * holds has been consumed, and after less than that within 50 ms. From 2.2 on
 * fetch.queue.backoff.ms does it.
 * 2. It finds out whether a gap in a partition's offsets is explained by retention, and counts and
 * logs it where not.
 * 3. While no broker can be reached it tries until one answers, and says so to health. */
#ifndef COMMON_KAFKA_WATCH_H
#define COMMON_KAFKA_WATCH_H

#include <librdkafka/rdkafka.h>

struct kafka_watch;

/** @brief New; its thread runs. consumer is kept. labels are those of the metric, e.g.
 * "stage=\"filter\"". */
struct kafka_watch *kafka_watch_new(rd_kafka_t *consumer, const char *labels);

/**
 * @brief Ends the thread, then frees. NULL is accepted.
 * @returns 0; -1 when the thread is stuck in a request to a broker that is gone. The consumer must
 * not be destroyed then
 */
int kafka_watch_free(struct kafka_watch *watch);

/** @brief Sets the partitions that are assigned from now on; copied. NULL: none. */
void kafka_watch_assigned(struct kafka_watch *watch,
                          const rd_kafka_topic_partition_list_t *partitions);

/** @brief Counts the consumed records and bytes. Call it for each record, from the consumer's thread. It is
 * cheap. */
void kafka_watch_consumed(struct kafka_watch *watch, size_t bytes);

/** @brief Reports a gap: the offsets expected to found-1 of the partition were never
 * handed over. */
void kafka_watch_gap(struct kafka_watch *watch, const char *topic, int32_t partition,
                     int64_t expected, int64_t found);

/** @brief Says that no broker can be reached: the watch tries until one answers. */
void kafka_watch_down(struct kafka_watch *watch);

#endif
