#include "record/topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "net/kafka.h"
#include "command.h"

#include "topics.h"

enum { TIMEOUT_MS = 30000, DESTROY_MS = 1000 };

static rd_kafka_NewTopic_t *new_topic(const struct config *config, const struct topic_plan *plan)
{
    struct topic_setting settings[TOPIC_SETTINGS_MAX];
    int count = topic_settings_of(config, plan, settings);
    char reason[256];
    rd_kafka_NewTopic_t *topic =
        mem_check(rd_kafka_NewTopic_new(plan->name, (int)topic_plan_partitions(plan, config),
                                        (int)config->kafka.replication, reason, sizeof(reason)));

    for (int i = 0; i < count; i++)
        rd_kafka_NewTopic_set_config(topic, settings[i].name, settings[i].value);
    return topic;
}

/* A cluster that is starting says these for a moment. */
static enum error_kind kind_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        return ERROR_TEMPORARY;
    default:
        return ERROR_PERMANENT;
    }
}

/* What the broker said about each topic. found[i] tells whether plan[i] existed before. */
static int report(rd_kafka_event_t *event, const struct topic_plan *plan, int plan_count,
                  int *found, struct error *err)
{
    const rd_kafka_topic_result_t **results;
    size_t count;
    int created = 0, there = 0;

    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka: %s", rd_kafka_event_error_string(event));
    results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_topic_result_name(results[i]);
        const char *text = rd_kafka_topic_result_error_string(results[i]);
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);

        switch (code) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            printf("created %s\n", name);
            created++;
            break;
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
            there++;
            for (int j = 0; j < plan_count; j++)
                found[j] |= strcmp(plan[j].name, name) == 0;
            break;
        default:
            error_set(err, kind_of(code), "topic %s cannot be created: %s", name,
                      text != NULL ? text : rd_kafka_err2str(code));
        }
    }
    printf("topics: %d created, %d were there already\n", created, there);
    return err->kind == ERROR_NONE ? 0 : -1;
}

static int create(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, const struct topic_plan *plan,
                  int count, int *found, struct error *err)
{
    char text[256];
    rd_kafka_queue_t *queue = mem_check(rd_kafka_queue_new(rk));
    rd_kafka_AdminOptions_t *options =
        mem_check(rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS));
    rd_kafka_event_t *event = NULL;
    int rc = 0;

    if (rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, text, sizeof(text)) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_AdminOptions_set_operation_timeout(options, TIMEOUT_MS / 2, text, sizeof(text)) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = error_set(err, ERROR_PERMANENT, "kafka: %s", text);
    if (rc == 0) {
        rd_kafka_CreateTopics(rk, topics, (size_t)count, options, queue);
        event = topics_wait(queue, TIMEOUT_MS + 5000);
        rc = event != NULL ? report(event, plan, count, found, err)
                           : error_set(err, ERROR_TEMPORARY, "kafka: no answer");
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return rc;
}

int topics_create_run(const struct config *config, const struct command_line *line,
                      struct error *err)
{
    struct topics names;
    struct topic_plan *plan;
    rd_kafka_NewTopic_t **topics;
    /* A consumer: one of our producers would ask for more when it starts, and end late by that. */
    rd_kafka_conf_t *conf = kafka_conf_new(config, "bigfusion", 1, err);
    rd_kafka_t *rk = NULL;
    char text[256];
    int *found, count, rc = -1;

    (void)line;
    if (conf == NULL)
        return -1;
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERROR_PERMANENT, "kafka: %s", text);
    }
    topics_init(&names, config);
    plan = topics_plan(&names, config, &count);
    topics = mem_alloc((size_t)count * sizeof(*topics));
    for (int i = 0; i < count; i++)
        topics[i] = new_topic(config, &plan[i]);
    found = mem_alloc((size_t)count * sizeof(*found));
    rc = create(rk, topics, plan, count, found, err);
    if (rc == 0)
        rc = topics_check(rk, config, plan, count, found, err);
    free(found);
    rd_kafka_NewTopic_destroy_array(topics, (size_t)count);
    free(topics);
    topics_plan_free(plan, count);
    topics_clear(&names);
    kafka_destroy(rk, DESTROY_MS);
    return rc;
}
