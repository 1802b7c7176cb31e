#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "net/kafka.h"
#include "net/redis.h"

enum {
    ASK_MS = 500, /* one question to Kafka or Redis; TERM is minded between two of them */
    DELAY_FIRST_MS = 1000,
    DELAY_MOST_MS = 15000,
    LOG_AGAIN_MS = 60000, /* the same reason is logged again after that long */
    DESTROY_MS = 1000,
    GROUP_ASKS = 10, /* Kafka needs some seconds for the first group */
};

/* One thing to do, which may be done again. state is what the step needs for itself. */
struct step {
    const char *name;
    int (*run)(const struct config *config, void *state, struct error *err);
    void *state;
};

/* What was logged last, and when. */
struct said {
    char why[256];
    int64_t at_ms;
};

static void say(struct said *said, const struct step *step, const char *why)
{
    int64_t now_ms = clock_monotonic_ms();

    if (strcmp(said->why, why) == 0 && now_ms - said->at_ms < LOG_AGAIN_MS)
        return;
    snprintf(said->why, sizeof(said->why), "%s", why);
    said->at_ms = now_ms;
    log_warn("waiting for=%s why=\"%s\"", step->name, why);
}

/* Does a step until it is done, a person must act, or a stop is asked for. */
static int repeat(const struct step *step, const struct config *config, struct error *err)
{
    struct said said = {0};
    int64_t delay_ms = DELAY_FIRST_MS;

    for (;;) {
        struct error own = {0};

        if (!stop_requested() && step->run(config, step->state, &own) == 0)
            return 0;
        if (own.kind == ERROR_PERMANENT) {
            *err = own;
            return -1;
        }
        if (!stop_requested())
            say(&said, step, own.text);
        if (stop_wait_ms(delay_ms))
            return error_set(err, ERROR_TEMPORARY, "stopped while it waited for %s", step->name);
        delay_ms = 2 * delay_ms < DELAY_MOST_MS ? 2 * delay_ms : DELAY_MOST_MS;
    }
}

static int ask_kafka(const struct config *config, void *state, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(state, 0, NULL, &metadata, ASK_MS);

    (void)config;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "%s: %s", config->kafka.brokers,
                         rd_kafka_err2str(code));
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* One client asks again and again, so that it connects as soon as there is a broker. It is a
 * consumer, because one of our producers asks for more than metadata when it starts. */
static int wait_for_kafka(const struct config *config, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, "bigfusion", 1, err);
    struct step step = {.name = "kafka", .run = ask_kafka};
    char reason[200];
    int rc;

    if (conf == NULL)
        return -1;
    step.state = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (step.state == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERROR_PERMANENT, "kafka: %s", reason);
    }
    rc = repeat(&step, config, err);
    kafka_destroy(step.state, DESTROY_MS);
    return rc;
}

static int ask_redis(const struct config *config, void *state, struct error *err)
{
    struct redis *redis = redis_new(&config->redis.server, ASK_MS);
    redisReply *reply = redis_command(redis, err, "PING");
    int rc = reply != NULL ? 0 : -1;

    (void)state;
    if (reply != NULL)
        freeReplyObject(reply);
    redis_free(redis);
    return rc;
}

static int create_topics(const struct config *config, void *state, struct error *err)
{
    return topics_create_run(config, state, err);
}

/* The user of this command need not be that of the services, and may lack the right to ask. */
static int may_not_ask(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

static int ask_for_group(const struct config *config, const char *service, struct error *err)
{
    char *group = mem_printf("%s.%s", config->kafka.topic_prefix, service);
    char *topic = mem_printf("%s.orders.raw", config->kafka.topic_prefix);
    rd_kafka_t *rk = kafka_reader_new(config, group, err);
    rd_kafka_topic_partition_list_t *list = mem_check(rd_kafka_topic_partition_list_new(1));
    int rc = -1;

    if (rk != NULL) {
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

        rd_kafka_topic_partition_list_add(list, topic, 0);
        for (int i = 0; i < GROUP_ASKS && code != 0 && !may_not_ask(code) && !stop_requested(); i++)
            code = rd_kafka_committed(rk, list, ASK_MS);
        rc = code == RD_KAFKA_RESP_ERR_NO_ERROR || may_not_ask(code)
                 ? 0
                 : error_set(err, ERROR_TEMPORARY, "group %s: %s", group, rd_kafka_err2str(code));
        kafka_close(rk, DESTROY_MS);
        kafka_destroy(rk, DESTROY_MS);
    }
    rd_kafka_topic_partition_list_destroy(list);
    free(topic);
    free(group);
    return rc;
}

/* A new Kafka makes its topic for the offsets of groups when the first group asks, and can answer
 * some seconds later. A stage that asks earlier tries again only after a second or more. So this
 * waits for it, and the stages that are started afterwards get their partitions at once. */
static int ask_for_groups(const struct config *config, void *state, struct error *err)
{
    static const char *const services[] = {"filter", "mapper", "pusher"};

    (void)state;
    for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
        if (ask_for_group(config, services[i], err) != 0)
            return -1;
    return 0;
}

static int set_up(const struct config *config, void *state, struct error *err)
{
    return setup_run(config, state, err);
}

int up_front_run(const struct config *config, const struct command_line *line, struct error *err)
{
    void *state = (void *)(uintptr_t)line; /* the steps only read it */
    const struct step steps[] = {
        {"redis", ask_redis, NULL},
        {"topics", create_topics, state},
        {"groups", ask_for_groups, NULL},
        {"infusionsoft", set_up, state},
    };

    /* Every line at once, also where the output is no terminal: somebody waits for it. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (wait_for_kafka(config, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (repeat(&steps[i], config, err) != 0)
            return -1;
    printf("up-front: everything is there\n");
    return 0;
}
