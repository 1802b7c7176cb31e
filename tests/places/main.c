/* NAME
 *   kafka-places - where a consumer group stands, for the tests
 * SYNOPSIS
 *   PLACES_GROUP=NAME PLACES_TOPICS=A,B [PLACES_READ=1] kafka-places [--config FILE]
 *   PLACES_GROUP=NAME PLACES_TOPICS=A PLACES_COMMIT="PARTITION OFFSET METADATA" kafka-places
 * DOES
 *   With PLACES_COMMIT it commits that, as somebody would who knows nothing of marks.
 * PRINTS
 *   for each partition: topic, partition, low, end, committed offset, hand-out mark (-1: none)
 *   With PLACES_READ it prints, for each record from the committed offset (none: from low) up to
 *   the mark (none, or beyond the end: up to the end): "record", topic, partition, offset, key */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "net/kafka.h"
#include "net/kafka_group.h"
#include "record/mark.h"
#include "settings/config.h"

enum { TOPICS_MAX = 64, CLOSE_MS = 2000 };

static int print_record(void *context, const struct event *event, struct error *err)
{
    (void)context;
    (void)err;
    printf("record %s %d %" PRId64 " %.*s\n", event->topic, event->partition, event->offset,
           (int)event->key.length, event->key.data);
    return 0;
}

static int read_between(const struct config *config, const struct kafka_place *places, int count,
                        struct error *err)
{
    struct kafka_span *spans = mem_alloc((size_t)count * sizeof(*spans));
    int result;

    for (int i = 0; i < count; i++) {
        const struct kafka_place *place = &places[i];

        spans[i] =
            (struct kafka_span){place->topic, place->partition, place->committed, place->end};
        if (place->committed < 0)
            spans[i].from = place->low;
        if (place->mark != MARK_NONE && place->mark < place->end)
            spans[i].to = place->mark;
    }
    result = kafka_read_spans(config, spans, count, print_record, NULL, err);
    free(spans);
    return result;
}

/* what: "PARTITION OFFSET METADATA". The group must have no member. */
static int commit(const struct config *config, const char *topic, const char *what,
                  struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_t *rk = kafka_reader_new(config, getenv("PLACES_GROUP"), err);
    char *rest = NULL;
    int32_t partition = (int32_t)strtol(what, &rest, 10);
    rd_kafka_topic_partition_t *listed = rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__FAIL;

    listed->offset = strtoll(rest, &rest, 10);
    rest += *rest == ' ';
    listed->metadata = mem_strdup(rest); /* the list frees it */
    listed->metadata_size = strlen(rest);
    if (rk != NULL)
        code = rd_kafka_commit(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    if (rk != NULL) {
        kafka_close(rk, CLOSE_MS);
        kafka_destroy(rk, CLOSE_MS);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "commit: %s", rd_kafka_err2str(code));
    return 0;
}

static int show(const struct config *config, const char *const *topics, int topic_count,
                struct error *err)
{
    struct kafka_place *places;
    int count, result = 0;

    if (kafka_group_places(config, getenv("PLACES_GROUP"), topics, topic_count, &places, &count,
                           err) != 0)
        return -1;
    for (int i = 0; i < count; i++)
        printf("%s %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", places[i].topic,
               places[i].partition, places[i].low, places[i].end, places[i].committed,
               places[i].mark);
    if (getenv("PLACES_READ") != NULL)
        result = read_between(config, places, count, err);
    kafka_places_free(places, count);
    return result;
}

int main(int argc, char **argv)
{
    static const struct config_program program = {.program = PROGRAM_PUSHER,
                                                  .name = "kafka-places",
                                                  .summary = "Where a consumer group stands."};
    const char *named = getenv("PLACES_TOPICS");
    char *words = mem_strdup(named != NULL ? named : ""), *rest = NULL;
    const char *topics[TOPICS_MAX] = {""};
    struct config config = {0};
    struct error err = {0};
    int count = 0;

    log_open("places");
    for (char *word = strtok_r(words, ",", &rest); word != NULL && count < TOPICS_MAX;
         word = strtok_r(NULL, ",", &rest))
        topics[count++] = word;
    if (config_load(&config, &program, argc, argv, &err) != 0)
        goto out;
    if (getenv("PLACES_COMMIT") != NULL)
        commit(&config, topics[0], getenv("PLACES_COMMIT"), &err);
    else
        show(&config, topics, count, &err);
out:
    config_free(&config);
    free(words);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
