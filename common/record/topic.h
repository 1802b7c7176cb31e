/* topic.h - the names of the topics and the settings that each needs. Names are
 * <prefix>.<lane>.<stage> and <prefix>.<name>. */
#ifndef COMMON_TOPIC_H
#define COMMON_TOPIC_H

#include <stdint.h>

#include "record/event.h"
#include "settings/config.h"

enum {
    TOPIC_RETRY_COUNT = 3,
    TOPIC_ENVELOPE_BYTES = 512, /* the most that a record of raw takes besides its value */
};

/* The ways that records take side by side, so that slow bulk delays no order. */
enum topic_lane {
    TOPIC_LANE_ORDERS = 0,
    TOPIC_LANE_CONTACTS, /* the customers of a store */
    TOPIC_LANE_PRODUCTS, /* the products of a store */
    TOPIC_LANE_HISTORY,  /* orders that a backfill brings */
    TOPIC_LANE_COUNT
};

/** @brief "orders", "contacts", "products", "history". Static. */
extern const char *const topic_lane_names[TOPIC_LANE_COUNT];

/** @brief The lane of a record, in whichever topic it is: by its key, and for an order by its header
 * `lane`. A key that cannot be read is one of an order. */
enum topic_lane topic_lane_of(const struct event *event);

/* Full names of the topics of one lane, in the order in which its records pass them. */
struct lane_topics {
    char *raw;      /* <prefix>.orders.raw */
    char *eligible; /* <prefix>.orders.eligible */
    char *payloads; /* <prefix>.orders.payloads */
};

/* Full names of topics. Embedded; the strings are owned and live until topics_clear(). */
struct topics {
    struct lane_topics lanes[TOPIC_LANE_COUNT];
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

/** @brief Whether it is the last topic of a lane, which the pusher reads. */
int topics_is_payloads(const struct topics *topics, const char *topic);

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
 * @brief Every topic that the programs use: those of the lanes, and those that all lanes share. README.md and docs/architecture.md list them (a test compares).
 * @param count  out
 * @returns an array, new: release with topics_plan_free()
 */
struct topic_plan *topics_plan(const struct topics *topics, const struct config *config,
                               int *count);
/** @brief How many partitions the topic is to have. */
int64_t topic_plan_partitions(const struct topic_plan *plan, const struct config *config);
void topics_plan_free(struct topic_plan *plan, int count);

#endif
