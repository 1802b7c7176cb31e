#include "topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"

enum { TIMEOUT_MS = 30000, POLL_MS = 200 };

rd_kafka_event_t *topics_wait(rd_kafka_queue_t *queue, int64_t timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_event_t *event = NULL;

    while (event == NULL && !stop_requested() && clock_monotonic_ms() < until_ms)
        event = rd_kafka_queue_poll(queue, POLL_MS);
    return event;
}

/* Where differences go. */
struct receiver {
    topic_differs visit;
    void *context;
};

static void compare(const struct receiver *receiver, const char *topic,
                    const struct topic_setting *expected, const char *is)
{
    struct topic_difference difference = {
        .topic = topic, .setting = expected->name, .is = is, .expected = expected->value};

    if (is != NULL && strcmp(is, expected->value) == 0)
        return;
    difference.is_kept = topic_promise_kept(expected->promise, is, expected->value);
    receiver->visit(receiver->context, &difference);
}

static void compare_number(const struct receiver *receiver, const char *topic, const char *name,
                           int is, int64_t expected)
{
    struct topic_setting setting = {.name = name, .promise = TOPIC_AT_LEAST};
    char text[24];

    snprintf(text, sizeof(text), "%d", is);
    snprintf(setting.value, sizeof(setting.value), "%" PRId64, expected);
    compare(receiver, topic, &setting, text);
}

void topics_compare_shape(const struct rd_kafka_metadata_topic *topic, const struct config *config,
                          const struct topic_plan *plan, topic_differs visit, void *context)
{
    const struct receiver receiver = {visit, context};

    compare_number(&receiver, topic->topic, TOPIC_PARTITIONS, topic->partition_cnt,
                   topic_plan_partitions(plan, config));
    if (topic->partition_cnt > 0)
        compare_number(&receiver, topic->topic, TOPIC_REPLICATION, topic->partitions[0].replica_cnt,
                       config->kafka.replication);
}

static const char *value_of(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

static int compare_settings(const rd_kafka_event_t *event, const struct config *config,
                            const struct topic_plan *plan, int plan_count,
                            const struct receiver *receiver, struct error *err)
{
    const rd_kafka_ConfigResource_t **resources;
    size_t resource_count;

    resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result((rd_kafka_event_t *)(uintptr_t)event),
        &resource_count);
    for (size_t i = 0; i < resource_count; i++) {
        const char *name = rd_kafka_ConfigResource_name(resources[i]);

        if (rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return error_set(err, ERROR_TEMPORARY, "kafka settings of topic %s: %s", name,
                             rd_kafka_err2str(rd_kafka_ConfigResource_error(resources[i])));
        for (int j = 0; j < plan_count; j++) {
            struct topic_setting settings[TOPIC_SETTINGS_MAX];
            int expected =
                strcmp(plan[j].name, name) == 0 ? topic_settings_of(config, &plan[j], settings) : 0;

            for (int k = 0; k < expected; k++)
                compare(receiver, name, &settings[k], value_of(resources[i], settings[k].name));
        }
    }
    return 0;
}

/* Asks the broker for the settings of the topics that are to be compared. New; NULL with an
 * error. */
static rd_kafka_event_t *describe(rd_kafka_t *rk, const struct topic_plan *plan, int count,
                                  const int *found, int timeout_ms, struct error *err)
{
    rd_kafka_ConfigResource_t **resources = mem_alloc((size_t)count * sizeof(*resources));
    rd_kafka_queue_t *queue = mem_check(rd_kafka_queue_new(rk));
    rd_kafka_event_t *event;
    size_t asked = 0;

    for (int i = 0; i < count; i++)
        if (found[i])
            resources[asked++] =
                mem_check(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, plan[i].name));
    rd_kafka_DescribeConfigs(rk, resources, asked, NULL, queue);
    event = topics_wait(queue, timeout_ms);
    rd_kafka_ConfigResource_destroy_array(resources, asked);
    free(resources);
    rd_kafka_queue_destroy(queue);
    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return event;
    error_set(err, ERROR_TEMPORARY, "kafka settings of topics: %s",
              event != NULL ? rd_kafka_event_error_string(event) : "no answer");
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return NULL;
}

int topics_compare_settings(rd_kafka_t *rk, const struct config *config,
                            const struct topic_plan *plan, int count, const int *found,
                            int timeout_ms, topic_differs visit, void *context, struct error *err)
{
    const struct receiver receiver = {visit, context};
    rd_kafka_event_t *event = describe(rk, plan, count, found, timeout_ms, err);
    int rc;

    if (event == NULL)
        return -1;
    rc = compare_settings(event, config, plan, count, &receiver, err);
    rd_kafka_event_destroy(event);
    return rc;
}

/* Prints a difference, and counts it where it breaks what the setting is there for. */
static void print(void *context, const struct topic_difference *difference)
{
    int *count = context;

    printf("differs %s: %s is %s, expected %s%s\n", difference->topic, difference->setting,
           difference->is != NULL ? difference->is : "not set", difference->expected,
           difference->is_kept ? " (more: accepted)" : "");
    *count += !difference->is_kept;
}

static int check_shape(rd_kafka_t *rk, const struct config *config, const struct topic_plan *plan,
                       int *count, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *rkt = mem_check(rd_kafka_topic_new(rk, plan->name, NULL));
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, rkt, &metadata, TIMEOUT_MS);
    int rc = 0;

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = error_set(err, ERROR_TEMPORARY, "kafka topic %s: %s", plan->name,
                       rd_kafka_err2str(code));
    else
        topics_compare_shape(&metadata->topics[0], config, plan, print, count);
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    return rc;
}

int topics_check(rd_kafka_t *rk, const struct config *config, const struct topic_plan *plan,
                 int count, const int *found, struct error *err)
{
    int existing = 0, differences = 0, rc = 0;

    for (int i = 0; i < count; i++)
        existing += found[i];
    if (existing == 0)
        return 0;
    rc = topics_compare_settings(rk, config, plan, count, found, TIMEOUT_MS, print, &differences,
                                 err);
    for (int i = 0; i < count && rc == 0; i++)
        if (found[i])
            rc = check_shape(rk, config, &plan[i], &differences, err);
    if (rc == 0 && differences > 0)
        rc = error_set(err, ERROR_PERMANENT,
                       "topics that exist have less than the configuration asks for in %d places, "
                       "nothing was changed; change them with Kafka's own tools, or the "
                       "configuration",
                       differences);
    return rc;
}
