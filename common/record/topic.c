#include "record/topic.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const retry_names[TOPIC_RETRY_COUNT] = {"retry-1m", "retry-10m", "retry-1h"};

const char *const topic_lane_names[TOPIC_LANE_COUNT] = {"orders", "contacts", "products",
                                                        "history"};

/* raw, eligible, payloads; skipped, delivered, dead, cursors, paused, audit */
enum { LANE_STAGE_COUNT = 3, SHARED_COUNT = 6 };

enum topic_lane topic_lane_of(const struct event *event)
{
    struct event_key key;

    if (event_key_parse(event->key, &key) != 0)
        return TOPIC_LANE_ORDERS;
    if (text_is(key.entity, "contact"))
        return TOPIC_LANE_CONTACTS;
    if (text_is(key.entity, "product"))
        return TOPIC_LANE_PRODUCTS;
    return text_is(event->headers[HEADER_LANE], topic_lane_names[TOPIC_LANE_HISTORY])
               ? TOPIC_LANE_HISTORY
               : TOPIC_LANE_ORDERS;
}

void topics_init(struct topics *topics, const struct config *config)
{
    const char *prefix = config->kafka.topic_prefix;

    *topics = (struct topics){.account_count = config->account_count};
    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        topics->lanes[i] = (struct lane_topics){
            .raw = mem_printf("%s.%s.raw", prefix, topic_lane_names[i]),
            .eligible = mem_printf("%s.%s.eligible", prefix, topic_lane_names[i]),
            .payloads = mem_printf("%s.%s.payloads", prefix, topic_lane_names[i]),
        };
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        topics->retry[i] = mem_printf("%s.%s", prefix, retry_names[i]);
    topics->skipped = mem_printf("%s.skipped", prefix);
    topics->delivered = mem_printf("%s.delivered", prefix);
    topics->dead = mem_printf("%s.dead", prefix);
    topics->cursors = mem_printf("%s.cursors", prefix);
    topics->audit = mem_printf("%s.audit", prefix);
    topics->paused = mem_printf("%s.paused", prefix);
    topics->waiting = mem_alloc((size_t)config->account_count * sizeof(char *));
    topics->waiting_orders = mem_alloc((size_t)config->account_count * sizeof(char *));
    for (int i = 0; i < config->account_count; i++) {
        const char *account = config->accounts[i].name;

        topics->waiting[i] = mem_printf("%s.waiting.%s", prefix, account);
        topics->waiting_orders[i] = mem_printf("%s.waiting-orders.%s", prefix, account);
    }
}

void topics_clear(struct topics *topics)
{
    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        free(topics->lanes[i].raw);
        free(topics->lanes[i].eligible);
        free(topics->lanes[i].payloads);
    }
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        free(topics->retry[i]);
    free(topics->skipped);
    free(topics->delivered);
    free(topics->dead);
    free(topics->cursors);
    free(topics->audit);
    free(topics->paused);
    for (int i = 0; i < topics->account_count; i++) {
        free(topics->waiting[i]);
        free(topics->waiting_orders[i]);
    }
    free(topics->waiting);
    free(topics->waiting_orders);
    *topics = (struct topics){0};
}

int topics_is_payloads(const struct topics *topics, const char *topic)
{
    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        if (strcmp(topics->lanes[i].payloads, topic) == 0)
            return 1;
    return 0;
}

static void plan_add(struct topic_plan *plan, int *count, const char *name, enum topic_keep keep,
                     int64_t max_record_bytes)
{
    plan[(*count)++] = (struct topic_plan){
        .name = mem_strdup(name), .keep = keep, .max_record_bytes = max_record_bytes};
}

struct topic_plan *topics_plan(const struct topics *topics, const struct config *config, int *count)
{
    int64_t raw_bytes = config->kafka.max_record_bytes;
    int64_t other_bytes = 2 * raw_bytes;
    int most = TOPIC_LANE_COUNT * LANE_STAGE_COUNT + TOPIC_RETRY_COUNT + SHARED_COUNT +
               2 * topics->account_count;
    struct topic_plan *plan = mem_alloc((size_t)most * sizeof(*plan));

    *count = 0;
    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        plan_add(plan, count, topics->lanes[i].raw, TOPIC_KEEP_30_DAYS, raw_bytes);
        plan_add(plan, count, topics->lanes[i].eligible, TOPIC_KEEP_30_DAYS, other_bytes);
        plan_add(plan, count, topics->lanes[i].payloads, TOPIC_KEEP_30_DAYS, other_bytes);
    }
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++) {
        plan_add(plan, count, topics->retry[i], TOPIC_KEEP_30_DAYS, other_bytes);
        plan[*count - 1].is_broker_time = 1;
    }
    plan_add(plan, count, topics->skipped, TOPIC_KEEP_COMPACTED, other_bytes);
    plan_add(plan, count, topics->delivered, TOPIC_KEEP_COMPACTED, other_bytes);
    plan_add(plan, count, topics->dead, TOPIC_KEEP_COMPACTED, other_bytes);
    plan_add(plan, count, topics->cursors, TOPIC_KEEP_COMPACTED, other_bytes);
    plan_add(plan, count, topics->paused, TOPIC_KEEP_COMPACTED, other_bytes);
    plan[*count - 1].is_single = 1;
    plan_add(plan, count, topics->audit, TOPIC_KEEP_FOR_EVER, other_bytes);
    plan[*count - 1].is_single = 1; /* its entries are a chain */
    for (int i = 0; i < topics->account_count; i++) {
        plan_add(plan, count, topics->waiting[i], TOPIC_KEEP_FOR_EVER, other_bytes);
        plan_add(plan, count, topics->waiting_orders[i], TOPIC_KEEP_FOR_EVER, other_bytes);
    }
    return plan;
}

int64_t topic_plan_partitions(const struct topic_plan *plan, const struct config *config)
{
    return plan->is_single ? 1 : config->kafka.partitions;
}

void topics_plan_free(struct topic_plan *plan, int count)
{
    for (int i = 0; plan != NULL && i < count; i++)
        free(plan[i].name);
    free(plan);
}
