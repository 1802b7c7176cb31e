/* NAME
 *     bigfusion-pusher - delivers payloads into Infusionsoft accounts, each effect once
 * SYNOPSIS
 *     bigfusion-pusher [--config FILE] [--check] [--health] [--help] [--version]
 * READS
 *     as group <prefix>.pusher:
 *     <prefix>.orders.payloads             orders to be delivered
 *     <prefix>.retry-1m, -10m, -1h         orders that failed, when the time for another attempt
 *                                          has come
 *     <prefix>.waiting.<account>           orders that their account could not take, while the
 *                                          account is open
 *     <prefix>.waiting-orders.<account>    the same, while the account takes orders
 *     to fill a lost ledger in: delivered, dead and skipped as well
 * WRITES
 *     <prefix>.delivered    what was made, with its ids
 *     <prefix>.skipped      an order that was taken back before it was made
 *     <prefix>.dead         what was refused for good, with the account's answer
 *     <prefix>.retry-*      what failed for now
 *     <prefix>.waiting*     what its account cannot take for now
 *     the ledger in Redis   which effect is done, begun or in doubt
 * GUARANTEES
 *     No order is lost, no order is made twice, and each goal is sent at most once, whatever is
 *     killed, cut off or emptied. docs/delivery.md says how, and which window remains.
 * SIGNALS
 *     TERM, INT: the program finishes the records in hand, commits and leaves. After a second one
 *     it leaves at once. PIPE is ignored.
 * EXIT STATUS
 *     0 asked to stop; 100 a person must fix something; 111 start me again
 */
#include <stdio.h>
#include <stdlib.h>

#include <sys/random.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/stop.h"
#include "ledger/seen.h"
#include "net/health.h"
#include "net/health_ask.h"
#include "net/http.h"
#include "net/redis_watch.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"
#include "account.h"
#include "known_products.h"
#include "goal.h"
#include "tag.h"
#include "pool.h"
#include "pusher.h"

enum {
    INFLIGHT_BYTES_MAX = 8 * 1024 * 1024,
    MARK_BLOCK = 64, /* one commit for each 32 records of a partition, at most */
};

static const struct config_program program = {
    .program = PROGRAM_PUSHER,
    .name = "bigfusion-pusher",
    .summary = "Delivers payloads into Infusionsoft accounts, each effect once.",
    .health = health_ask,
};

static int allow_files(const struct config *config, struct error *err)
{
    char what[64];

    snprintf(what, sizeof(what), "%d workers and %d accounts", (int)config->pusher.workers,
             config->account_count);
    return limits_allow_files(limits_of_pusher(config->pusher.workers, config->account_count), what,
                              err);
}

static struct metric *alarm_counter(const char *kind)
{
    char labels[64];

    snprintf(labels, sizeof(labels), "kind=\"%s\"", kind);
    return metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
}

static void make_owner(char owner[33])
{
    unsigned char random[16] = {0};

    while (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        ; /* it fails only when a signal interrupts it */
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(owner + 2 * i, 3, "%02x", random[i]);
}

/* A label of a metric: name="value". @returns target */
static const char *label(char target[64], const char *name, const char *value)
{
    snprintf(target, 64, "%s=\"%s\"", name, value);
    return target;
}

/* Fills in everything but the stage and the threads. inputs has room for the payloads' topic, the
 * retry topics and two topics for each account. */
static void set_up(struct pusher *pusher, const struct config *config, const char **inputs)
{
    struct topics *topics = &pusher->topics;
    char labels[64];
    int count = 0;

    pusher->config = config;
    topics_init(topics, config);
    for (int i = 0; i < TOPIC_LANE_COUNT; i++)
        inputs[count++] = topics->lanes[i].payloads;
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        inputs[count++] = topics->retry[i];
    for (int i = 0; i < config->account_count; i++) {
        inputs[count++] = topics->waiting[i];
        inputs[count++] = topics->waiting_orders[i];
    }
    pusher->stage_settings = (struct stage_settings){.config = config,
                                                     .service = "pusher",
                                                     .topics = topics,
                                                     .inputs = inputs,
                                                     .input_count = count,
                                                     .inflight_bytes_max = INFLIGHT_BYTES_MAX,
                                                     .mark_block = MARK_BLOCK};
    pusher->ledger_settings = ledger_settings_of(config);
    pusher->ledger_settings.seen = pusher->seen = ledger_seen_new();
    pusher->claims = claims_new();
    make_owner(pusher->owner);
    pusher->alarms_double_found = alarm_counter("double_found");
    pusher->alarms_fenced = alarm_counter("fenced");
    pusher->alarms_total_differs = alarm_counter("total_differs");
    pusher->calls = metric_counter("bigfusion_infusionsoft_calls_total", "HTTP calls made", "");
    pusher->lookups = metric_counter("bigfusion_infusionsoft_lookups_total",
                                     "Calls that looked for a contact, product or order", "");
    pusher->placed_to_created = metric_histogram(
        "bigfusion_order_placed_to_created_seconds",
        "Time from an order's placing until it was made in the account", "", &metric_buckets_order);
    pusher->modified_to_created =
        metric_histogram("bigfusion_order_modified_to_created_seconds",
                         "Time from the last change of an order in its store until it was made in "
                         "the account",
                         "", &metric_buckets_order);
    for (enum ledger_answer answer = LEDGER_OK; answer <= LEDGER_LOST; answer++)
        pusher->ledger_answers[answer] =
            metric_counter("bigfusion_ledger_answers_total", "Answers of the ledger",
                           label(labels, "answer", ledger_answer_name(answer)));
    for (int i = 0; i < TAG_RESULT_COUNT; i++)
        pusher->tags[i] = metric_counter("bigfusion_tags_total", "Tags by what became of them",
                                         label(labels, "result", tag_results[i]));
    for (int i = 0; i < GOAL_RESULT_COUNT; i++)
        pusher->goals[i] = metric_counter("bigfusion_goals_total", "Goals by what became of them",
                                          label(labels, "result", goal_results[i]));
}

/* Warns once, at start, of settings with which Redis may lose writes that it acknowledged. Where
 * Redis cannot be reached, nothing is known about its settings. */
static void warn_about_redis(const struct pusher *pusher)
{
    struct ledger *ledger = ledger_new(&pusher->ledger_settings);
    struct buffer warnings = {0};
    struct error err = {0};

    if (ledger_check_server(ledger, &warnings, &err) != 0)
        log_warn("redis not checked error=\"%s\"", err.text);
    else if (warnings.length > 0)
        log_warn("redis settings: %s", warnings.data);
    buffer_clear(&warnings);
    ledger_free(ledger);
}

static void make_accounts(struct pusher *pusher)
{
    int count = pusher->config->account_count;

    pusher->accounts = mem_alloc((size_t)count * sizeof(struct account *));
    pusher->known_products = mem_alloc((size_t)count * sizeof(struct known_products *));
    for (int i = 0; i < count; i++) {
        struct account_settings settings = {.config = pusher->config,
                                            .topics = &pusher->topics,
                                            .paused = pusher->paused,
                                            .rebuild = pusher->rebuild,
                                            .index = i};

        pusher->accounts[i] = account_new(&settings);
        pusher->known_products[i] = known_products_new();
    }
}

static int run_stage(struct pusher *pusher, struct pool *pool, struct error *err)
{
    pusher->stage_settings.inflight_records_max = pool_room(pool);
    pusher->stage = stage_new_async(&pusher->stage_settings, pool_offer, pool, err);
    if (pusher->stage == NULL)
        return -1;
    for (int i = 0; i < pusher->config->account_count; i++)
        if (account_start(pusher->accounts[i], pusher->stage, err) != 0)
            return -1;
    if (pool_start(pool, err) != 0)
        return -1;
    if (rebuild_wait(pusher->rebuild) != 0)
        return 0;
    return stage_run(pusher->stage, err);
}

/* Runs with a good configuration until a stop is asked for. */
static int run(const struct config *config, struct error *err)
{
    struct pusher pusher = {0};
    const char **inputs =
        mem_alloc(((size_t)config->account_count * 2 + TOPIC_LANE_COUNT + TOPIC_RETRY_COUNT) *
                  sizeof(*inputs));
    struct pool *pool = NULL;
    struct redis_watch *watch = NULL;
    int status = -1;

    set_up(&pusher, config, inputs);
    if (health_start(config->health.listen, err) != 0)
        goto out;
    watch = redis_watch_start(config, err);
    if (watch == NULL)
        goto out;
    warn_about_redis(&pusher);
    pusher.paused = paused_watch_start(config, err);
    if (pusher.paused == NULL)
        goto out;
    pusher.publisher = publisher_new(config, err);
    pusher.rebuild = rebuild_new(&pusher.stage_settings, &pusher.ledger_settings, err);
    if (pusher.publisher == NULL || pusher.rebuild == NULL)
        goto out;
    make_accounts(&pusher);
    pool = pool_new(&pusher);
    status = run_stage(&pusher, pool, err);
out:
    stop_request(); /* after an error too, because every thread waits for it */
    if (pool != NULL)
        pool_stop(pool);
    claims_give_back(pusher.claims, &pusher.ledger_settings);
    for (int i = 0; pusher.accounts != NULL && i < config->account_count; i++) {
        if (status == 0 && account_error(pusher.accounts[i], err) != 0)
            status = -1;
        account_free(pusher.accounts[i]);
        known_products_free(pusher.known_products[i]);
    }
    if (status == 0 && redis_watch_error(watch, err) != 0)
        status = -1;
    redis_watch_free(watch);
    paused_watch_free(pusher.paused);
    if (status == 0 && publisher_check(pusher.publisher, err) != 0)
        status = -1;
    rebuild_free(pusher.rebuild);
    stage_free(pusher.stage);
    publisher_free(pusher.publisher);
    pool_free(pool);
    ledger_seen_free(pusher.seen);
    health_stop();
    topics_clear(&pusher.topics);
    claims_free(pusher.claims);
    free(pusher.accounts);
    free(pusher.known_products);
    free(inputs);
    return status;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct error err = {0};

    log_open("pusher");
    if (config_load(&config, &program, argc, argv, &err) == 0 && allow_files(&config, &err) == 0 &&
        http_global_init(&err) == 0) {
        stop_install();
        /* Calls under way are waited for, because one that is broken off has to be looked up. */
        stop_set_limit((unsigned)config.pusher.http_timeout_s + STOP_LIMIT_S);
        run(&config, &err);
        http_global_cleanup();
    }
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
