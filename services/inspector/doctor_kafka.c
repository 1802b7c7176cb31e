/* doctor_kafka.c - asks the brokers what `bigfusion doctor` must know of Kafka. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/kafka.h"
#include "net/kafka_look.h"

#include "doctor_judge.h"

enum { RECORD_WAIT_MS = 3000, CLOSE_MS = 2000 };

/* Why no broker could be used: what librdkafka said last. */
struct trouble {
    char text[200];
    int is_refused; /* the login or a certificate: waiting does not help */
};

struct look {
    const struct config *config;
    rd_kafka_t *rk;
    const struct rd_kafka_metadata *metadata; /* of all topics */
    struct topics topics;
    struct topic_plan *plan;
    int *found; /* for each plan: whether the topic is there */
    int plan_count;
};

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct trouble *trouble = opaque;

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return; /* it follows the cause */
    snprintf(trouble->text, sizeof(trouble->text), "%s", reason);
    trouble->is_refused = code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                          code == RD_KAFKA_RESP_ERR__SSL ||
                          code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

static const struct rd_kafka_metadata_topic *find_topic(const struct look *look, const char *name)
{
    for (int i = 0; i < look->metadata->topic_cnt; i++)
        if (strcmp(look->metadata->topics[i].topic, name) == 0)
            return &look->metadata->topics[i];
    return NULL;
}

static void differ(void *context, const struct topic_difference *difference)
{
    topic_facts_differ(context, difference);
}

static void look_at_shapes(const struct look *look, struct topic_facts *facts)
{
    for (int i = 0; i < look->plan_count; i++) {
        const struct rd_kafka_metadata_topic *topic = find_topic(look, look->plan[i].name);

        facts->planned++;
        look->found[i] = topic != NULL && topic->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (!look->found[i]) {
            topic_facts_missing(facts, look->plan[i].name);
            continue;
        }
        topics_compare_shape(topic, look->config, &look->plan[i], differ, facts);
        for (int j = 0; j < topic->partition_cnt; j++) {
            facts->leaderless += topic->partitions[j].leader < 0;
            facts->out_of_sync += topic->partitions[j].isr_cnt < topic->partitions[j].replica_cnt;
        }
    }
}

static void look_at_topics(const struct look *look, struct findings *findings)
{
    struct topic_facts facts = {0};
    struct error err = {0};

    look_at_shapes(look, &facts);
    judge_topics(findings, &facts);
    if (facts.missing < facts.planned)
        topics_compare_settings(look->rk, look->config, look->plan, look->plan_count, look->found,
                                DOCTOR_TIMEOUT_MS, differ, &facts, &err);
    judge_topic_settings(findings, &facts, err.kind != ERROR_NONE ? err.text : NULL);
    topic_facts_clear(&facts);
}

/* Lists the partitions of the topics whose records the broker stamps, each from its last record on.
 * The ends are not asked for, because before 2.3 librdkafka minds no limit of that question. New. */
static rd_kafka_topic_partition_list_t *list_last(const struct look *look)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);

    for (int i = 0; i < look->plan_count; i++) {
        const struct rd_kafka_metadata_topic *topic = find_topic(look, look->plan[i].name);

        for (int j = 0; look->plan[i].is_broker_time && topic != NULL && j < topic->partition_cnt;
             j++)
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[j].id)->offset =
                RD_KAFKA_OFFSET_TAIL(1);
    }
    return list;
}

/* Takes a partition out of the list: its record came, or it has none. */
static void end_partition(rd_kafka_topic_partition_list_t *list, const rd_kafka_message_t *message)
{
    if (message->rkt != NULL)
        rd_kafka_topic_partition_list_del(list, rd_kafka_topic_name(message->rkt),
                                          message->partition);
}

/* The newest time that a broker gave to one of the listed records, or -1. The list is used up. */
static int64_t newest_stamp(const struct look *look, rd_kafka_topic_partition_list_t *list)
{
    int64_t newest_ms = -1, until_ms = clock_monotonic_ms() + RECORD_WAIT_MS;

    if (list->cnt == 0 || rd_kafka_assign(look->rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    while (list->cnt > 0 && clock_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(look->rk, 100);
        struct event event;

        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            kafka_event_of(message, &event);
            if (event.is_broker_time && event.timestamp_ms > newest_ms)
                newest_ms = event.timestamp_ms;
        }
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
            message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            end_partition(list, message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_assign(look->rk, NULL);
    return newest_ms;
}

static void look_at_clock(const struct look *look, struct findings *findings)
{
    rd_kafka_topic_partition_list_t *list = list_last(look);
    int64_t newest_ms = newest_stamp(look, list);

    judge_kafka_clock(findings, newest_ms, clock_now_ms());
    rd_kafka_topic_partition_list_destroy(list);
}

static void look_at_brokers(struct look *look, struct findings *findings)
{
    struct kafka_look brokers;
    struct error err = {0};
    int count = look->metadata->broker_cnt;

    kafka_look(look->rk, look->metadata, DOCTOR_TIMEOUT_MS, &brokers, &err);
    findings_add(findings, CHECK_KAFKA, "", DOCTOR_OK, "", "%d broker%s%s%s", count,
                 count == 1 ? " answers" : "s answer",
                 brokers.version[0] != '\0' ? ", protocol " : "", brokers.version);
    judge_kafka_creates(findings, brokers.creates_topics);
    look_at_clock(look, findings);
    look_at_topics(look, findings);
}

static void look_with(struct look *look, struct trouble *trouble, struct findings *findings)
{
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(look->rk, 1, NULL, &look->metadata, DOCTOR_TIMEOUT_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(look->rk, 0); /* fills in the trouble */
        findings_add(findings, CHECK_KAFKA, "", trouble->is_refused ? DOCTOR_FAIL : DOCTOR_AWAY,
                     trouble->is_refused
                         ? "check the login and the certificates: [librdkafka] sasl. and ssl. ..."
                         : "check [kafka] brokers, and whether Kafka runs and can be reached",
                     "no broker of %s can be used: %s", look->config->kafka.brokers,
                     trouble->text[0] != '\0' ? trouble->text : rd_kafka_err2str(code));
        findings_skip(findings, CHECK_KAFKA + 1, CHECK_TOPIC_SETTINGS, "",
                      "Kafka cannot be reached");
        return;
    }
    topics_init(&look->topics, look->config);
    look->plan = topics_plan(&look->topics, look->config, &look->plan_count);
    look->found = mem_alloc((size_t)look->plan_count * sizeof(*look->found));
    look_at_brokers(look, findings);
    free(look->found);
    topics_plan_free(look->plan, look->plan_count);
    topics_clear(&look->topics);
    rd_kafka_metadata_destroy(look->metadata);
}

void doctor_look_kafka(const struct config *config, int index, struct findings *findings)
{
    struct trouble trouble = {0};
    struct look look = {.config = config};
    struct error err = {0};

    (void)index;
    look.rk = kafka_asker_new(config, &trouble, on_error, &err);
    if (look.rk == NULL) {
        findings_add(findings, CHECK_KAFKA, "", DOCTOR_FAIL, "correct that setting", "%s",
                     err.text);
        findings_skip(findings, CHECK_KAFKA + 1, CHECK_TOPIC_SETTINGS, "",
                      "a setting for Kafka cannot be used");
        return;
    }
    look_with(&look, &trouble, findings);
    rd_kafka_destroy_flags(look.rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
