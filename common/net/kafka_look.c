#include "net/kafka_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/kafka.h"

rd_kafka_t *kafka_asker_new(const struct config *config, void *opaque,
                            void (*on_error)(rd_kafka_t *rk, int code, const char *reason,
                                             void *opaque),
                            struct error *err)
{
    /* A producer's questions for a topic could create it on the broker; a consumer's cannot. */
    rd_kafka_conf_t *conf = kafka_conf_new(config, "bigfusion-look", 1, err);
    char reason[200];
    rd_kafka_t *rk;

    if (conf == NULL)
        return NULL;
    /* assign() needs a group id. Nothing joins the group or commits. */
    rd_kafka_conf_set(conf, "group.id", "bigfusion-look", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", NULL,
                      0); /* an end is told after that long */
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set_opaque(conf, opaque);
    if (on_error != NULL)
        rd_kafka_conf_set_error_cb(conf, on_error);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_PERMANENT, "kafka client: %s", reason);
    }
    return rk;
}

static void read_broker(const rd_kafka_ConfigResource_t *resource, struct kafka_look *look)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);

        if (value == NULL)
            continue;
        if (strcmp(name, "auto.create.topics.enable") == 0) {
            if (strcmp(value, "true") == 0)
                look->creates_topics = 1;
            else if (look->creates_topics < 0)
                look->creates_topics = 0;
        } else if (strcmp(name, "inter.broker.protocol.version") == 0) {
            snprintf(look->version, sizeof(look->version), "%s", value);
        }
    }
}

static int read_brokers(rd_kafka_event_t *event, struct kafka_look *look, struct error *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__NOENT;
    const rd_kafka_ConfigResource_t **resources;
    size_t count;
    int told = 0;

    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka settings of brokers: %s",
                         rd_kafka_event_error_string(event));
    resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        if (rd_kafka_ConfigResource_error(resources[i]) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            read_broker(resources[i], look);
            told++;
        } else {
            code = rd_kafka_ConfigResource_error(resources[i]);
        }
    }
    return told > 0 ? 0
                    : error_set(err, ERROR_TEMPORARY, "kafka settings of brokers: %s",
                                rd_kafka_err2str(code));
}

int kafka_look(rd_kafka_t *rk, const struct rd_kafka_metadata *metadata, int timeout_ms,
               struct kafka_look *look, struct error *err)
{
    size_t count = (size_t)metadata->broker_cnt;
    rd_kafka_ConfigResource_t **resources = mem_alloc(count * sizeof(*resources));
    rd_kafka_queue_t *queue = mem_check(rd_kafka_queue_new(rk));
    rd_kafka_event_t *event;
    int rc;

    *look = (struct kafka_look){.creates_topics = -1};
    for (size_t i = 0; i < count; i++) {
        char id[16];

        snprintf(id, sizeof(id), "%d", metadata->brokers[i].id);
        resources[i] = mem_check(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, id));
    }
    rd_kafka_DescribeConfigs(rk, resources, count, NULL, queue);
    event = rd_kafka_queue_poll(queue, timeout_ms);
    rc = event != NULL
             ? read_brokers(event, look, err)
             : error_set(err, ERROR_TEMPORARY, "kafka settings of brokers: no answer in time");
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy_array(resources, count);
    free(resources);
    rd_kafka_queue_destroy(queue);
    return rc;
}
