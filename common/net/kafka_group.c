#include "net/kafka_group.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/stop.h"
#include "net/kafka.h"
#include "record/mark.h"

enum { REQUEST_TIMEOUT_MS = 10000, AGAIN_MS = 50, CLOSE_MS = 2000 };

/* One request for all partitions, so that all answers are from one moment. */
static int read_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                          struct kafka_place *places, struct error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, REQUEST_TIMEOUT_MS);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *listed = &list->elems[i];

        code = listed->err;
        if (listed->offset < 0)
            continue;
        places[i].committed = listed->offset;
        places[i].mark =
            mark_read((struct text){listed->metadata, listed->metadata_size}, listed->offset);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka committed offsets: %s",
                         rd_kafka_err2str(code));
    return 0;
}

static int has_no_leader_yet(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

rd_kafka_resp_err_t kafka_query_ends(rd_kafka_t *rk, const char *topic, int32_t partition,
                                     int64_t *low, int64_t *end, int timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;

    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(rk, topic, partition, low, end,
                                                                    left_ms > 1 ? (int)left_ms : 1);

        if (!has_no_leader_yet(code) || left_ms <= AGAIN_MS || stop_requested())
            return code;
        stop_wait_ms(AGAIN_MS);
    }
}

static int read_ends(rd_kafka_t *rk, struct kafka_place *places, int count, struct error *err)
{
    for (int i = 0; i < count; i++) {
        struct kafka_place *place = &places[i];
        rd_kafka_resp_err_t code = kafka_query_ends(rk, place->topic, place->partition, &place->low,
                                                    &place->end, REQUEST_TIMEOUT_MS);

        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return error_set(err, ERROR_TEMPORARY, "kafka topic %s partition %d: %s", place->topic,
                             place->partition, rd_kafka_err2str(code));
        if (stop_requested())
            return error_set(err, ERROR_TEMPORARY, "kafka read: asked to stop");
    }
    return 0;
}

static int list_topics(rd_kafka_t *rk, const char *const *topics, int topic_count,
                       rd_kafka_topic_partition_list_t *list, struct error *err)
{
    for (int i = 0; i < topic_count; i++)
        if (kafka_list_partitions(rk, topics[i], list, err) != 0)
            return -1;
    return 0;
}

int kafka_group_places(const struct config *config, const char *group, const char *const *topics,
                       int topic_count, struct kafka_place **places, int *place_count,
                       struct error *err)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    rd_kafka_t *rk = kafka_reader_new(config, group, err);
    int result = -1;

    *places = NULL;
    *place_count = 0;
    if (rk == NULL)
        return -1;
    list = rd_kafka_topic_partition_list_new(topic_count);
    if (list_topics(rk, topics, topic_count, list, err) != 0)
        goto out;
    *places = mem_alloc((size_t)list->cnt * sizeof(**places));
    *place_count = list->cnt;
    for (int i = 0; i < list->cnt; i++)
        (*places)[i] = (struct kafka_place){.topic = mem_strdup(list->elems[i].topic),
                                            .partition = list->elems[i].partition,
                                            .committed = -1,
                                            .mark = MARK_NONE};
    if (group != NULL && read_committed(rk, list, *places, err) != 0)
        goto out;
    result = read_ends(rk, *places, *place_count, err);
out:
    if (result != 0) {
        kafka_places_free(*places, *place_count);
        *places = NULL;
        *place_count = 0;
    }
    rd_kafka_topic_partition_list_destroy(list);
    kafka_close(rk, CLOSE_MS);
    kafka_destroy(rk, CLOSE_MS);
    return result;
}

void kafka_places_free(struct kafka_place *places, int count)
{
    for (int i = 0; i < count; i++)
        free(places[i].topic);
    free(places);
}
