/* doctor.c - runs all checks of `bigfusion doctor` and tells the worst. */
#include "doctor.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"

#include "command.h"

enum {
    THREADS_MAX = 64, /* they only wait: so many stores that do not answer cost one time limit */
    PROGRESS_S = 2,
};

struct task {
    void (*look)(const struct config *config, int index, struct findings *findings);
    int index;
    struct findings found;
};

/* What the threads share. */
struct doctor {
    const struct config *config;
    struct task *tasks;
    int task_count;
    atomic_int next; /* index of the first task that nobody has begun */
    atomic_int done;
};

static void *work(void *context)
{
    struct doctor *doctor = context;

    for (;;) {
        int index = atomic_fetch_add(&doctor->next, 1);

        if (index >= doctor->task_count || stop_requested())
            return NULL;
        doctor->tasks[index].look(doctor->config, doctor->tasks[index].index,
                                  &doctor->tasks[index].found);
        atomic_fetch_add(&doctor->done, 1);
    }
}

static void add_tasks(struct doctor *doctor)
{
    const struct config *config = doctor->config;

    doctor->tasks =
        mem_alloc((size_t)(3 + config->store_count + config->account_count) * sizeof(struct task));
    doctor->tasks[doctor->task_count++].look = doctor_look_here;
    doctor->tasks[doctor->task_count++].look = doctor_look_kafka;
    doctor->tasks[doctor->task_count++].look = doctor_look_redis;
    for (int i = 0; i < config->store_count; i++)
        doctor->tasks[doctor->task_count++] = (struct task){.look = doctor_look_store, .index = i};
    for (int i = 0; i < config->account_count; i++)
        doctor->tasks[doctor->task_count++] =
            (struct task){.look = doctor_look_account, .index = i};
}

/* Waits until a thread has ended. On a terminal's standard error it says every two seconds how far
 * all of them are; look_at_all() clears that line. */
static void join(const struct doctor *doctor, pthread_t thread)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PROGRESS_S;
    while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT) {
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\rlooked at %d of %d\033[K", atomic_load(&doctor->done),
                    doctor->task_count);
        until.tv_sec += PROGRESS_S;
    }
}

/* Everything is waited for and has limits of its own, so what does not answer costs all the others
 * nothing: the checks run beside each other. */
static void look_at_all(const struct config *config, struct findings *findings)
{
    struct doctor doctor = {.config = config};
    pthread_t threads[THREADS_MAX];
    int started = 0;

    add_tasks(&doctor);
    while (started < THREADS_MAX && started < doctor.task_count &&
           pthread_create(&threads[started], NULL, work, &doctor) == 0)
        started++;
    if (started == 0)
        work(&doctor);
    for (int i = 0; i < started; i++)
        join(&doctor, threads[i]);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    for (int i = 0; i < doctor.task_count; i++)
        findings_take(findings, &doctor.tasks[i].found);
    free(doctor.tasks);
}

/* Prints the findings. @returns 0, or -1 with an error as bad as the worst of them */
static int conclude(const struct findings *findings, const struct command_line *line,
                    struct error *err)
{
    int failed = findings_count(findings, DOCTOR_FAIL);
    int away = findings_count(findings, DOCTOR_AWAY);

    if (line->json)
        findings_print_json(findings);
    else
        findings_print(findings, isatty(STDOUT_FILENO));
    fflush(stdout);
    if (failed > 0)
        return error_set(err, ERROR_PERMANENT, "doctor: failed checks: %d", failed + away);
    if (away > 0)
        return error_set(err, ERROR_TEMPORARY,
                         "doctor: failed checks: %d; something cannot be reached", away);
    return 0;
}

int doctor_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct findings findings = {0};
    int rc;

    log_set_level(LOG_ERROR); /* what matters of connections is in the findings */
    findings_add(&findings, CHECK_CONFIGURATION, "", DOCTOR_OK, "", "%s: %d stores, %d accounts",
                 config->path, config->store_count, config->account_count);
    look_at_all(config, &findings);
    if (stop_requested()) /* what was broken off would look like a failure */
        rc = error_set(err, ERROR_TEMPORARY, "doctor: asked to stop");
    else
        rc = conclude(&findings, line, err);
    findings_clear(&findings);
    return rc;
}

int doctor_run_refused(const struct command_line *line, struct error *err)
{
    struct findings findings = {0};
    int rc;

    findings_add(&findings, CHECK_CONFIGURATION, "", DOCTOR_FAIL,
                 "correct that setting; every program refuses the file until then", "%s",
                 err->text);
    findings_skip(&findings, CHECK_CONFIGURATION + 1, CHECK_COUNT - 1, "",
                  "the configuration cannot be used");
    error_clear(err);
    rc = conclude(&findings, line, err);
    findings_clear(&findings);
    return rc;
}
