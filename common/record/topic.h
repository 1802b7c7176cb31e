/* topic.h - the names of the topics and the settings that each needs. Names are
 * <prefix>.<lane>.<stage> and <prefix>.<name>. */
#ifndef COMMON_TOPIC_H
#define COMMON_TOPIC_H

#include <stdint.h>

#include "settings/config.h"

enum {
    TOPIC_RETRY_COUNT = 3,
    TOPIC_ENVELOPE_BYTES = 512, /* the most that a record of raw takes besides its value */
};

/* Full names of topics. Embedded; the strings are owned and live until topics_clear(). */
struct topics {
    char *raw;                      /* <prefix>.orders.raw */
    char *eligible;                 /* <prefix>.orders.eligible */
    char *payloads;                 /* <prefix>.orders.payloads */
    char *retry[TOPIC_RETRY_COUNT]; /* <prefix>.retry-1m, -10m, -1h */
    char *skipped;
    char *delivered;
    char *dead;
    char *cursors;
    char *audit;           /* what operators did */
    char *paused;          /* the stores and accounts that operators paused: act/paused.h */
    char **waiting;        /* one for each account, in the order of the configuration:
                              <prefix>.waiting.<account> */
    char **waiting_orders; /* <prefix>.waiting-orders.<account> */
    int account_count;
};

void topics_init(struct topics *topics, const struct config *config);
void topics_clear(struct topics *topics);

enum topic_keep { TOPIC_KEEP_30_DAYS = 0, TOPIC_KEEP_FOR_EVER, TOPIC_KEEP_COMPACTED };

/* One topic that `bigfusion topics create` makes. */
struct topic_plan {
    char *name; /* owned by this plan */
    enum topic_keep keep;
    int64_t max_record_bytes; /* max.message.bytes: raw takes kafka.max_record_bytes, every other
                                 twice that */
    int is_single;            /* it has one partition, whatever kafka.partitions says */
    int is_broker_time;       /* the broker sets the time of its records: see retry_due_in_ms() */
};

/**
 * @brief Every topic that the programs use: those of the lane `orders`, and those that all lanes
 * share. README.md and docs/architecture.md list them (a test compares).
 * @param count  out
 * @returns an array, new: release with topics_plan_free()
 */
struct topic_plan *topics_plan(const struct topics *topics, const struct config *config,
                               int *count);
/** @brief How many partitions the topic is to have. */
int64_t topic_plan_partitions(const struct topic_plan *plan, const struct config *config);
void topics_plan_free(struct topic_plan *plan, int count);

#endif
