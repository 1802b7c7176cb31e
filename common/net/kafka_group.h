/* kafka_group.h - reads where a consumer group stands: its committed offsets with their hand-out
 * marks (record/mark.h), and the ends of its topics. It joins no group and commits nothing. */
#ifndef COMMON_KAFKA_GROUP_H
#define COMMON_KAFKA_GROUP_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "base/error.h"
#include "settings/config.h"

struct kafka_place {
    char *topic; /* owned */
    int32_t partition;
    int64_t low, end;  /* the oldest offset that is kept, and the offset of the next record */
    int64_t committed; /* -1: none */
    int64_t mark;      /* MARK_NONE: there is none, or it cannot be read */
};

/**
 * @brief Reads the places of a group in all partitions of the topics.
 *
 * Committed offsets and marks are read first, all in one answer; low and end are read after that.
 * So if somebody wrote a record to these topics and moved an offset or mark after that, and the
 * answer has the moved one, then the record is below end.
 * @param group   NULL: only low and end; committed and mark are -1
 * @param places  new: release with kafka_places_free(); in the order of topics and partitions
 * @returns 0; -1 with a temporary error, also when a topic does not exist, or when a stop was asked
 * for
 */
int kafka_group_places(const struct config *config, const char *group, const char *const *topics,
                       int topic_count, struct kafka_place **places, int *place_count,
                       struct error *err);

/**
 * @brief The oldest offset that a partition keeps and the one that comes next, asked of its broker;
 * for so long also where the partition was just made and has no leader yet.
 * @returns RD_KAFKA_RESP_ERR_NO_ERROR, or why not
 */
rd_kafka_resp_err_t kafka_query_ends(rd_kafka_t *rk, const char *topic, int32_t partition,
                                     int64_t *low, int64_t *end, int timeout_ms);

/** @brief Releases a list of places; NULL is accepted. */
void kafka_places_free(struct kafka_place *places, int count);

#endif
