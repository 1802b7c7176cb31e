/* tail.c - `bigfusion tail`: the records that are written from now on, a line each. Nothing is kept,
 * so it may run for ever. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stop.h"
#include "history/personal.h"
#include "history/spot.h"
#include "net/kafka.h"
#include "net/kafka_group.h"
#include "record/topic.h"

#include "record_view.h"

enum { POLL_MS = 200, CLOSE_MS = 2000 };

struct tail {
    const struct config *config;
    const struct command_line *line;
    struct topics topics;
    int is_away; /* it was said that no broker answers */
};

static void print_record(const struct tail *tail, const struct event *event)
{
    int show_personal = command_line_has(tail->line, COMMAND_OPTION_SHOW_PERSONAL);
    json_t *view = record_view(&tail->topics, event, show_personal);
    struct personal personal = {0};
    struct buffer text = {0};

    if (!show_personal) {
        personal_learn(&personal, event->value);
        record_view_hide(view, &personal);
        personal_clear(&personal);
    }
    if (tail->line->json) {
        json_dumpf(view, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
        printf("\n");
    } else {
        record_view_print_line(view, show_personal, &text);
        fwrite(text.data, 1, text.length, stdout);
        buffer_clear(&text);
    }
    json_decref(view);
}

/* The topics to follow: the one of that name or stage, or all. names: room for count.
 * @returns how many; -1 with an error */
static int choose(const struct tail *tail, const struct topic_plan *plan, int count,
                  const char **names, struct error *err)
{
    const char *wanted = tail->line->word_count > 0 ? tail->line->words[0] : NULL;
    int chosen = 0;

    for (int i = 0; i < count; i++)
        if (wanted == NULL || strcmp(plan[i].name, wanted) == 0 ||
            strcmp(spot_name(&tail->topics, plan[i].name), wanted) == 0)
            names[chosen++] = plan[i].name;
    if (chosen == 0)
        return error_set(err, ERROR_PERMANENT,
                         "there is no topic %.60s; allowed: a stage (raw, eligible, payloads, "
                         "retry-1m, waiting.ACCOUNT, dead, ...) or a topic's whole name",
                         wanted);
    return chosen;
}

/* Where each partition ends now. @returns a new list, or NULL with an error */
static rd_kafka_topic_partition_list_t *find_ends(const struct tail *tail, const char *const *names,
                                                  int count, struct error *err)
{
    rd_kafka_topic_partition_list_t *list;
    struct kafka_place *places = NULL;
    int place_count = 0;

    if (kafka_group_places(tail->config, NULL, names, count, &places, &place_count, err) != 0)
        return NULL;
    list = mem_check(rd_kafka_topic_partition_list_new(place_count));
    for (int i = 0; i < place_count; i++)
        rd_kafka_topic_partition_list_add(list, places[i].topic, places[i].partition)->offset =
            places[i].end;
    kafka_places_free(places, place_count);
    return list;
}

/* @returns 0; -1 with an error that does not pass by itself */
static int take(struct tail *tail, const rd_kafka_message_t *message, struct error *err)
{
    struct event event;

    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_event_of(message, &event);
        print_record(tail, &event);
        tail->is_away = 0;
    } else if (message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        if (!tail->is_away)
            fprintf(stderr, "bigfusion: no broker answers; going on as soon as one does\n");
        tail->is_away = 1;
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF &&
               message->err != RD_KAFKA_RESP_ERR__TRANSPORT) {
        return error_set(err, ERROR_TEMPORARY, "kafka read: %s", rd_kafka_message_errstr(message));
    }
    return 0;
}

/* Follows until a stop is asked for, or the output cannot be written. */
static int follow(struct tail *tail, rd_kafka_t *rk, struct error *err)
{
    int rc = 0;

    while (rc == 0 && !stop_requested() && !ferror(stdout)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, POLL_MS);

        if (message == NULL)
            continue;
        rc = take(tail, message, err);
        fflush(stdout); /* a reader waits for whole lines, also where it is no terminal */
        rd_kafka_message_destroy(message);
    }
    return rc;
}

static int run(struct tail *tail, const char *const *names, int count, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = find_ends(tail, names, count, err);
    rd_kafka_t *rk = list != NULL ? kafka_reader_new(tail->config, NULL, err) : NULL;
    int rc = -1;

    if (rk != NULL && rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, ERROR_TEMPORARY, "kafka assign failed");
    } else if (rk != NULL) {
        fprintf(stderr, "bigfusion: following %d topic%s from now on\n", count,
                count == 1 ? "" : "s");
        rc = follow(tail, rk, err);
    }
    if (list != NULL)
        rd_kafka_topic_partition_list_destroy(list);
    if (rk != NULL) {
        kafka_close(rk, CLOSE_MS);
        kafka_destroy(rk, CLOSE_MS);
    }
    return rc;
}

int tail_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct tail tail = {.config = config, .line = line};
    struct topic_plan *plan;
    const char **names;
    int count, chosen;
    int rc = -1;

    topics_init(&tail.topics, config);
    plan = topics_plan(&tail.topics, config, &count);
    names = mem_alloc((size_t)count * sizeof(*names));
    chosen = choose(&tail, plan, count, names, err);
    if (chosen > 0)
        rc = run(&tail, names, chosen, err);
    free(names);
    topics_plan_free(plan, count);
    topics_clear(&tail.topics);
    return rc;
}
