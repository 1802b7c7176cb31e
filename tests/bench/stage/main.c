/* NAME
 *   bench-stage - the stage loop with a handler that does nothing: what common/stage costs
 * SYNOPSIS
 *   [BENCH_WORKERS=N] [BENCH_MARKS=N] [BENCH_DIES_AT=KEY] [BENCH_SLEEPS_AT=KEY]
 *   bench-stage [--config FILE]
 * READS
 *   <prefix>.orders.raw, in the group <prefix>.pass
 * WRITES
 *   <prefix>.delivered, into which nothing else writes in these runs
 * DOES
 *   Passes every record on. With BENCH_WORKERS the records go through N threads (an asynchronous
 *   stage), which finish them out of order: also the subject of the stage's own tests. With
 *   BENCH_MARKS it writes hand-out marks, in blocks of N, and prints each record before it passes it on. The record with the key of BENCH_DIES_AT
 *   ends it by SIGKILL. The record with the key of BENCH_SLEEPS_AT takes nine seconds. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/health.h"
#include "record/event.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"

enum { WORKERS_MAX = 64, SLEEP_S = 9 };

/* Hands records from the stage's thread to the workers, one at a time. */
struct pass {
    struct topics topics;
    char *target;          /* the topic's name */
    int is_told;           /* each record is told of before it is passed on */
    const char *dies_at;   /* the key of the record that ends the program; or NULL */
    const char *sleeps_at; /* the key of the record that takes long; or NULL */
    struct stage *stage;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ticket *waiting; /* NULL: a worker has taken it */
    int idle;               /* workers that wait for one */
    int ending;
};

static void pass_on(struct pass *pass, const struct event *in, struct result *out)
{
    struct output *output = &out->outputs[0];

    if (pass->is_told)
        dprintf(STDERR_FILENO, "handed %d %lld\n", in->partition, (long long)in->offset);
    if (pass->dies_at != NULL && text_is(in->key, pass->dies_at))
        kill(getpid(), SIGKILL);
    if (pass->sleeps_at != NULL && text_is(in->key, pass->sleeps_at)) {
        sleep(SLEEP_S);
        dprintf(STDERR_FILENO, "slept\n");
    }
    out->verdict = VERDICT_PASS;
    out->output_count = 1;
    output->topic = pass->target;
    output->key = in->key;
    output->value = in->value;
    memcpy(output->headers, in->headers, sizeof(output->headers));
    output->partition_hash = event_hash(0, in->key);
}

static void handle(void *context, const struct event *in, struct result *out)
{
    pass_on(context, in, out);
}

static enum stage_answer offer(void *context, struct ticket *ticket, const struct event *in)
{
    struct pass *pass = context;
    int taken;

    (void)in;
    pthread_mutex_lock(&pass->lock);
    taken = pass->idle > 0 && pass->waiting == NULL;
    if (taken) {
        pass->waiting = ticket;
        pass->idle--;
        pthread_cond_signal(&pass->changed);
    }
    pthread_mutex_unlock(&pass->lock);
    return taken ? STAGE_TAKEN : STAGE_FULL;
}

static void *work(void *context)
{
    struct pass *pass = context;

    pthread_mutex_lock(&pass->lock);
    for (;;) {
        struct ticket *ticket;
        struct result result = {0};

        pass->idle++;
        stage_wake(pass->stage);
        while (pass->waiting == NULL && !pass->ending)
            pthread_cond_wait(&pass->changed, &pass->lock);
        if (pass->waiting == NULL)
            break;
        ticket = pass->waiting;
        pass->waiting = NULL;
        pthread_mutex_unlock(&pass->lock);
        stage_begin(pass->stage, ticket);
        pass_on(pass, ticket_event(ticket), &result);
        stage_end(pass->stage, ticket, 0);
        stage_complete(pass->stage, ticket, &result);
        pthread_mutex_lock(&pass->lock);
    }
    pthread_mutex_unlock(&pass->lock);
    return NULL;
}

static int run_with_workers(struct pass *pass, int count, struct error *err)
{
    pthread_t threads[WORKERS_MAX];
    int result;

    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, pass) != 0)
            return error_set(err, ERROR_TEMPORARY, "no thread can be started");
    result = stage_run(pass->stage, err);
    pthread_mutex_lock(&pass->lock);
    pass->ending = 1;
    pthread_cond_broadcast(&pass->changed);
    pthread_mutex_unlock(&pass->lock);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return result;
}

int main(int argc, char **argv)
{
    static const struct config_program program = {
        .program = PROGRAM_FILTER,
        .name = "bench-stage",
        .summary = "The stage loop with a handler that does nothing."};
    const char *workers = getenv("BENCH_WORKERS");
    const char *marks = getenv("BENCH_MARKS"), *dies_at = getenv("BENCH_DIES_AT");
    int worker_count = workers != NULL ? (int)strtol(workers, NULL, 10) : 0;
    struct config config = {0};
    struct error err = {0};
    struct pass pass = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct stage_settings settings = {.config = &config, .service = "pass", .topics = &pass.topics};
    const char *input;

    log_open("pass");
    if (config_load(&config, &program, argc, argv, &err) != 0)
        goto out;
    stop_install();
    if (health_start(config.health.listen, &err) != 0)
        goto out;
    topics_init(&pass.topics, &config);
    input = pass.topics.lanes[TOPIC_LANE_ORDERS].raw;
    pass.dies_at = dies_at;
    pass.sleeps_at = getenv("BENCH_SLEEPS_AT");
    pass.target = mem_printf("%s.delivered", config.kafka.topic_prefix);
    settings.inputs = &input;
    settings.input_count = 1;
    pass.is_told = marks != NULL;
    settings.mark_block = marks != NULL ? (int)strtol(marks, NULL, 10) : 0;
    if (worker_count > WORKERS_MAX)
        worker_count = WORKERS_MAX;
    pass.stage = worker_count > 0 ? stage_new_async(&settings, offer, &pass, &err)
                                  : stage_new(&settings, handle, &pass, &err);
    if (pass.stage == NULL)
        goto out;
    if (worker_count > 0)
        run_with_workers(&pass, worker_count, &err);
    else
        stage_run(pass.stage, &err);
out:
    stage_free(pass.stage);
    health_stop();
    topics_clear(&pass.topics);
    free(pass.target);
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
