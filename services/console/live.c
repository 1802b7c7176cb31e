#include "live.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "history/flow.h"
#include "history/outside_text.h"

enum {
    WINDOW_MS = 3000, /* in which rates are measured; services commit twice a second */
    BUSY_PAUSE_MS = 2000,
    IDLE_PAUSE_MS = 60000, /* while nobody asks */
    ASKED_MS = 30000,      /* for so long a question keeps the measuring busy */
    STEP_MS = 200,
};

struct live {
    const struct config *config; /* borrowed */
    pthread_t thread;
    pthread_mutex_t lock;  /* protects the next members */
    struct live_view view; /* its lists are never changed, only replaced */
    int64_t asked_ms;      /* monotonic: the last question */
    int is_stopping;
};

static json_t *number_or_null(int is_known, double number)
{
    return is_known ? json_real(number) : json_null();
}

/* How many records a second a difference is. */
static double rate(int64_t begin, int64_t end, int64_t window_ms)
{
    return window_ms > 0 && end > begin ? (double)(end - begin) * 1000 / (double)window_ms : 0;
}

static json_t *stage_json(const struct flow *flow, const struct topics *topics,
                          const struct flow_topic *topic, int64_t now_ms)
{
    int has_oldest = topic->unread > 0 && topic->oldest_ms >= 0;
    int64_t age_ms = now_ms > topic->oldest_ms ? now_ms - topic->oldest_ms : 0;

    return mem_check(json_pack(
        "{s:s, s:s, s:o, s:I, s:o, s:o, s:f, s:f}", "service", spot_groups[topic->group], "stage",
        spot_name(topics, topic->topic), "members",
        flow->members[topic->group] >= 0 ? json_integer(flow->members[topic->group]) : json_null(),
        "lag_records", (json_int_t)topic->unread, "lag_s",
        number_or_null(topic->unread == 0 || has_oldest, has_oldest ? (double)age_ms / 1000 : 0),
        "oldest", has_oldest ? outside_time_json(topic->oldest_ms) : json_null(), "in_s",
        rate(topic->begin_end, topic->end_end, flow->window_ms), "done_s",
        rate(topic->begin_committed, topic->end_committed, flow->window_ms)));
}

/* What waits for an account, and why: the newest record in its topics says. */
static json_t *account_json(const struct flow *flow, const struct topics *topics,
                            const struct config *config, int index)
{
    int64_t waiting[2] = {0, 0}, oldest_ms = -1, newest_ms = -1;
    const char *why = NULL;

    for (int i = 0; i < flow->count; i++) {
        const struct flow_topic *topic = &flow->topics[i];
        struct spot spot = spot_of(topics, topic->topic);

        if ((spot.kind != SPOT_WAITING && spot.kind != SPOT_WAITING_ORDERS) ||
            spot.index != index || topic->unread == 0)
            continue;
        waiting[spot.kind == SPOT_WAITING_ORDERS] += topic->unread;
        if (oldest_ms < 0 || (topic->oldest_ms >= 0 && topic->oldest_ms < oldest_ms))
            oldest_ms = topic->oldest_ms;
        if (topic->newest_why != NULL && topic->newest_ms > newest_ms) {
            newest_ms = topic->newest_ms;
            why = topic->newest_why;
        }
    }
    return mem_check(
        json_pack("{s:s, s:s, s:o, s:o, s:I, s:I}", "name", config->accounts[index].name, "state",
                  waiting[0] > 0 ? "closed" : "open", "since", outside_time_json(oldest_ms), "why",
                  why != NULL ? json_string(why) : json_null(), "waiting", (json_int_t)waiting[0],
                  "waiting_orders", (json_int_t)waiting[1]));
}

static void publish(struct live *live, const struct flow *flow, const struct topics *topics)
{
    struct live_view view = {.stages = mem_check(json_array()),
                             .accounts = mem_check(json_array()),
                             .measured_ms = clock_now_ms()};
    struct live_view old;

    for (int i = 0; i < flow->count; i++)
        json_array_append_new(view.stages,
                              stage_json(flow, topics, &flow->topics[i], view.measured_ms));
    for (int i = 0; i < live->config->account_count; i++)
        json_array_append_new(view.accounts, account_json(flow, topics, live->config, i));
    pthread_mutex_lock(&live->lock);
    old = live->view;
    live->view = view;
    pthread_mutex_unlock(&live->lock);
    live_view_clear(&old);
}

/* One measurement. Where Kafka does not answer, the last one stays, and the trouble is told. */
static void measure(struct live *live)
{
    struct survey survey;
    struct flow flow = {0};
    struct error err = {0};

    survey_init(&survey, live->config);
    if (flow_begin(&flow, &survey, &err) == 0 && flow_end(&flow, &survey, WINDOW_MS, &err) == 0)
        publish(live, &flow, &survey.topics);
    if (err.kind != ERROR_NONE && !stop_requested()) {
        pthread_mutex_lock(&live->lock);
        if (live->view.trouble[0] == '\0')
            log_warn("services cannot be measured error=\"%s\"", err.text);
        snprintf(live->view.trouble, sizeof(live->view.trouble), "%s", err.text);
        pthread_mutex_unlock(&live->lock);
    }
    error_clear(&err);
    flow_clear(&flow);
    survey_clear(&survey);
}

/* How long to pause now: short while somebody asks. -1: stop. */
static int64_t pause_ms(struct live *live)
{
    int64_t pause;

    pthread_mutex_lock(&live->lock);
    pause = clock_monotonic_ms() - live->asked_ms < ASKED_MS ? BUSY_PAUSE_MS : IDLE_PAUSE_MS;
    if (live->is_stopping)
        pause = -1;
    pthread_mutex_unlock(&live->lock);
    return pause;
}

static void *run(void *context)
{
    struct live *live = context;

    while (!stop_requested() && pause_ms(live) >= 0) {
        int64_t begun_ms;

        measure(live);
        begun_ms = clock_monotonic_ms();
        while (clock_monotonic_ms() - begun_ms < pause_ms(live) && !stop_wait_ms(STEP_MS))
            ;
    }
    return NULL;
}

struct live *live_start(const struct config *config, struct error *err)
{
    struct live *live = mem_alloc(sizeof(*live));

    live->config = config;
    live->asked_ms = clock_monotonic_ms();
    live->view = (struct live_view){
        .stages = mem_check(json_array()), .accounts = mem_check(json_array()), .measured_ms = -1};
    pthread_mutex_init(&live->lock, NULL);
    if (pthread_create(&live->thread, NULL, run, live) != 0) {
        error_set(err, ERROR_TEMPORARY, "no thread can be started");
        live_view_clear(&live->view);
        pthread_mutex_destroy(&live->lock);
        free(live);
        return NULL;
    }
    return live;
}

void live_stop(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    live->is_stopping = 1;
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->thread, NULL);
    live_view_clear(&live->view);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

/* The lists are copied whole, because their counts of references are not for several threads. */
void live_view(struct live *live, struct live_view *view)
{
    pthread_mutex_lock(&live->lock);
    *view = live->view;
    view->stages = mem_check(json_deep_copy(live->view.stages));
    view->accounts = mem_check(json_deep_copy(live->view.accounts));
    live->asked_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&live->lock);
}

void live_view_clear(struct live_view *view)
{
    json_decref(view->stages);
    json_decref(view->accounts);
    view->stages = view->accounts = NULL;
}
