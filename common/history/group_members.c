#include "history/group_members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "base/mem.h"
#include "net/kafka.h"

enum { REQUEST_TIMEOUT_MS = 10000, CLOSE_MS = 2000 };

static void take(const rd_kafka_ConsumerGroupDescription_t *description,
                 struct group_members *groups, int count)
{
    const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(description);
    const char *name = rd_kafka_ConsumerGroupDescription_group_id(description);

    for (int i = 0; i < count; i++) {
        if (strcmp(groups[i].group, name) != 0)
            continue;
        /* Kafka 4 answers for a group that never was with an error, older ones with no members. */
        if (error != NULL && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
                groups[i].count = 0;
            continue;
        }
        groups[i].count = (int)rd_kafka_ConsumerGroupDescription_member_count(description);
        snprintf(groups[i].state, sizeof(groups[i].state), "%s",
                 rd_kafka_consumer_group_state_name(
                     rd_kafka_ConsumerGroupDescription_state(description)));
    }
}

static int take_all(rd_kafka_event_t *event, struct group_members *groups, int count,
                    struct error *err)
{
    const rd_kafka_ConsumerGroupDescription_t **descriptions;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    size_t found;

    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
        return 0;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka consumer groups: %s",
                         rd_kafka_event_error_string(event));
    descriptions = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &found);
    for (size_t i = 0; i < found; i++)
        take(descriptions[i], groups, count);
    return 0;
}

int group_members_read(const struct config *config, struct group_members *groups, int count,
                       struct error *err)
{
    rd_kafka_t *rk = kafka_reader_new(config, NULL, err);
    const char **names = mem_alloc((size_t)count * sizeof(*names));
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
    int rc;

    for (int i = 0; i < count; i++) {
        names[i] = groups[i].group;
        groups[i].count = -1;
        groups[i].state[0] = '\0';
    }
    if (rk == NULL) {
        free(names);
        return -1;
    }
    queue = mem_check(rd_kafka_queue_new(rk));
    rd_kafka_DescribeConsumerGroups(rk, names, (size_t)count, NULL, queue);
    event = rd_kafka_queue_poll(queue, REQUEST_TIMEOUT_MS);
    rc = event != NULL ? take_all(event, groups, count, err)
                       : error_set(err, ERROR_TEMPORARY, "kafka consumer groups: no answer");
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    kafka_close(rk, CLOSE_MS);
    kafka_destroy(rk, CLOSE_MS);
    free(names);
    return rc;
}
