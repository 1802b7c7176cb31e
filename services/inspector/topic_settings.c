#include "topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define NO_LIMIT "-1"

static void add(struct topic_setting *settings, int *count, const char *name,
                enum topic_promise promise, const char *value)
{
    struct topic_setting *setting = &settings[(*count)++];

    setting->name = name;
    setting->promise = promise;
    snprintf(setting->value, sizeof(setting->value), "%s", value);
}

static int64_t min_insync_replicas(const struct config *config)
{
    if (config->kafka.min_insync_replicas > 0)
        return config->kafka.min_insync_replicas;
    return config->kafka.replication >= 3 ? 2 : 1;
}

int topic_settings_of(const struct config *config, const struct topic_plan *plan,
                      struct topic_setting settings[TOPIC_SETTINGS_MAX])
{
    char number[24];
    int count = 0;

    snprintf(number, sizeof(number), "%" PRId64, plan->max_record_bytes);
    add(settings, &count, "max.message.bytes", TOPIC_AT_LEAST, number);
    snprintf(number, sizeof(number), "%" PRId64, min_insync_replicas(config));
    add(settings, &count, "min.insync.replicas", TOPIC_AT_LEAST, number);
    switch (plan->keep) {
    case TOPIC_KEEP_30_DAYS:
        snprintf(number, sizeof(number), "%" PRId64, INT64_C(30) * 24 * 60 * 60 * 1000);
        add(settings, &count, "cleanup.policy", TOPIC_EXACTLY, "delete");
        add(settings, &count, "retention.ms", TOPIC_AT_LEAST, number);
        add(settings, &count, "retention.bytes", TOPIC_AT_LEAST, "-1");
        break;
    case TOPIC_KEEP_FOR_EVER:
        add(settings, &count, "cleanup.policy", TOPIC_EXACTLY, "delete");
        add(settings, &count, "retention.ms", TOPIC_AT_LEAST, "-1");
        add(settings, &count, "retention.bytes", TOPIC_AT_LEAST, "-1");
        break;
    case TOPIC_KEEP_COMPACTED:
        add(settings, &count, "cleanup.policy", TOPIC_EXACTLY, "compact");
        break;
    }
    if (plan->is_broker_time)
        add(settings, &count, "message.timestamp.type", TOPIC_EXACTLY, "LogAppendTime");
    return count;
}

int topic_promise_kept(enum topic_promise promise, const char *is, const char *expected)
{
    int64_t has, wanted;

    if (is == NULL)
        return 0;
    if (strcmp(is, expected) == 0)
        return 1;
    if (promise == TOPIC_EXACTLY || strcmp(expected, NO_LIMIT) == 0)
        return 0;
    if (strcmp(is, NO_LIMIT) == 0)
        return 1;
    return text_to_int(text_of(is), &has) == 0 && text_to_int(text_of(expected), &wanted) == 0 &&
           has >= wanted;
}
