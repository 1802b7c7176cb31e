/* feed_internal.h - what the files of the feed share. */
#ifndef CONSOLE_FEED_INTERNAL_H
#define CONSOLE_FEED_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "net/health.h"
#include "net/kafka_watch.h"
#include "record/topic.h"

#include "feed.h"

/* One assigned partition. */
struct feed_part {
    const char *topic; /* borrowed from the topics */
    int32_t partition;
    int64_t next;    /* the offset of the next record; -1: the beginning */
    int64_t last_ms; /* time of the last record that was read; -1: none yet */
    int64_t end_ms;  /* when it was last read to its end, by the clock here; -1: not yet */
    int is_moved;    /* next is not yet in the index */
    int is_first;    /* nothing was read since it was assigned */
    int is_listed;   /* the last metadata had it */
};

struct feed_metrics {
    struct metric *records, *left, *behind, *orders, *file_bytes;
    struct metric *oldest[ORDER_LIST_COUNT]; /* NULL for lists of orders that have a fate */
};

struct feed {
    const struct config *config;
    struct index *index;
    struct topics topics;
    rd_kafka_t *rk;
    struct kafka_watch *watch;
    const char **names; /* of all topics that are read; borrowed from topics */
    int name_count;
    struct feed_part *parts;
    int part_count;
    const rd_kafka_topic_t *last_rkt; /* of the last message */
    int last;                         /* and its part */
    int *slots;                       /* hash table of indexes into parts; -1: free */
    int slot_count;
    int generation;       /* of the index's file */
    int must_assign;      /* the positions or the partitions have changed */
    int is_cluster_known; /* the index knows which Kafka this is */
    int64_t metadata_ms;  /* monotonic: when metadata is asked for again */
    int64_t assign_ms;    /* monotonic: when it may be assigned again */
    int64_t tick_ms;      /* monotonic: when progress is told again */
    int64_t prune_ms;     /* monotonic: when old orders are looked for again */
    int64_t complain_ms;  /* monotonic: when the same trouble may be logged again */
    int64_t batch_ms;     /* monotonic: when the batch began */
    struct index_progress progress;
    struct feed_metrics metrics;
};

/* feed_assign.c */

/** @brief The part of a message, or -1. */
int feed_part_of(struct feed *feed, const rd_kafka_message_t *message);

/** @brief Asks which partitions there are. must_assign is set where that has changed. @returns 0, or
 * -1 where no broker answers */
int feed_look(struct feed *feed);

/** @brief Assigns all partitions, each at its position. @returns 0, or -1 with an error */
int feed_assign(struct feed *feed, struct error *err);

/* feed_progress.c */

void feed_metrics_init(struct feed_metrics *metrics);

/** @brief Reckons and tells how far the index is. While it is behind it tells of no oldest order: one
 * that seems to be on its way may have a fate that is not read yet. */
void feed_tell(struct feed *feed);

/** @brief Tells how old the oldest orders without a fate are. Call it while the index is caught up.
 * @returns 0, or -1 with an error */
int feed_tell_oldest(struct feed *feed, struct error *err);

#endif
