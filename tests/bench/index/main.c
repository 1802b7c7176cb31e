/* NAME
 *   bench-index - fills the console's index with invented orders, without Kafka, and asks it
 * SYNOPSIS
 *   BENCH_ORDERS=N BENCH_INDEX=FILE bench-index [--config FILE]
 * DOES
 *   Four records of each order (raw, eligible, payloads, delivered) go through the index as the feed
 *   passes them on: in turns, and faster where they are small. Then orders are looked up that the
 *   system has not in memory. Prints one line of JSON. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "record/topic.h"
#include "settings/config.h"

#include "../../../services/console/index.h"
#include "../../../services/console/index_read.h"
#include "../generate/order_template.h"

enum { PARTITIONS = 12, LOOKUPS = 2000, TOPICS = 4, FIRST_ID = 100000000 };

#define FIRST_MS INT64_C(1790000000000)

static const char payload_template[] =
    "{\"format\":1,\"kind\":\"order\",\"account\":\"main\",\"store\":\"abc123\",\"external_key\":"
    "\"bc-abc123-$i\",\"contact\":{\"given_name\":\"Jane\",\"family_name\":\"Doe\",\"email_"
    "addresses\":[{"
    "\"email\":\"c$i@example.com\",\"field\":\"EMAIL1\"}]},\"products\":[],\"order\":{\"order_"
    "title\":"
    "\"BC #$i\",\"order_items\":[";
static const char item[] = "{\"name\":\"An ordinary product\",\"quantity\":1,\"price\":\"10.00\"},";
static const char delivered_template[] =
    "{\"modified_at\":1790000000000,\"contact_id\":\"4$i\",\"order_id\":\"9$i\",\"steps\":{"
    "\"contact\":"
    "\"4$i\",\"product:0123456789abcdef0123456789abcdef\":\"77\",\"order\":\"9$i\","
    "\"payment\":\"done\",\"goal:BCORDER/BC\":\"sent\",\"goal:BCSKU/SKU-0123\":\"sent\","
    "\"goal:BCSKU/"
    "SKU-4567\":\"sent\"},\"in_doubt\":[],\"digest\":\"0123456789abcdef0123456789abcdef\","
    "\"incomplete\":[],\"calls\":9,\"attempts\":1,\"times\":{\"placed\":1790000000000,\"eligible\":"
    "1790000001000,\"modified\":1790000000000,\"polled\":1790000000500,\"created\":1790000009000}}";

/* A value in which the id is overwritten: that costs next to nothing. */
struct form {
    struct buffer text;
    size_t places[16];
    int place_count;
};

static void form_make(struct form *form, const char *template, const char *more, int count)
{
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '$' && at[1] == 'i' && form->place_count < 16)
            form->places[form->place_count++] = form->text.length;
        buffer_append(&form->text, *at == '$' ? "123456789" : at, *at == '$' ? 9 : 1);
        at += *at == '$';
    }
    for (int i = 0; i < count; i++)
        buffer_append(&form->text, more, strlen(more));
    if (count > 0)
        buffer_append(&form->text, "{}]}}", 5);
}

static struct text form_fill(struct form *form, const char *id)
{
    for (int i = 0; i < form->place_count; i++)
        memcpy(form->text.data + form->places[i], id, 9);
    return (struct text){form->text.data, form->text.length};
}

/* One topic that is being read. */
struct source {
    const char *topic;
    struct form form;
    int64_t next; /* number of the next order */
    int at_once;  /* records in one turn */
    int64_t delay_ms;
};

struct bench {
    struct config config;
    struct index *index;
    struct topics topics;
    struct source sources[TOPICS];
    int64_t orders, records;
};

static void id_print(char id[24], int64_t number)
{
    snprintf(id, 24, "%" PRId64, FIRST_ID + number);
}

static int apply(struct bench *bench, struct source *source, struct error *err)
{
    struct event event = {.topic = source->topic};
    char key[64], id[24], when[24], version[24];

    id_print(id, source->next);
    snprintf(key, sizeof(key), "abc123/order/%s", id);
    snprintf(when, sizeof(when), "%" PRId64, FIRST_MS + source->next * 10);
    snprintf(version, sizeof(version), "%" PRId64, FIRST_MS + source->next * 10 - 500);
    event.key = text_of(key);
    event.value = form_fill(&source->form, id);
    event.partition = (int32_t)(source->next % PARTITIONS);
    event.offset = source->next / PARTITIONS;
    event.timestamp_ms = FIRST_MS + source->next * 10 + source->delay_ms;
    event.headers[HEADER_KIND] = text_of("order");
    event.headers[HEADER_STORE] = text_of("abc123");
    event.headers[HEADER_ACCOUNT] = text_of("main");
    event.headers[HEADER_SOURCE] = text_of("poll");
    event.headers[HEADER_MODIFIED_AT] = text_of(version);
    event.headers[HEADER_POLLED_AT] = text_of(when);
    event.headers[HEADER_TRACEPARENT] =
        text_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    if (index_apply(bench->index, &event, err) != 0)
        return -1;
    index_set_position(bench->index, source->topic, event.partition, event.offset + 1);
    source->next++;
    bench->records++;
    if (!index_batch_is_full(bench->index))
        return 0;
    return index_commit(bench->index, err) == 0 ? index_begin(bench->index, err) : -1;
}

static int fill(struct bench *bench, struct error *err)
{
    int left = TOPICS;

    if (index_begin(bench->index, err) != 0)
        return -1;
    while (left > 0 && !stop_requested()) {
        left = 0;
        for (int i = 0; i < TOPICS; i++) {
            struct source *source = &bench->sources[i];

            for (int j = 0; j < source->at_once && source->next < bench->orders; j++)
                if (apply(bench, source, err) != 0)
                    return -1;
            left += source->next < bench->orders;
        }
    }
    return index_commit(bench->index, err);
}

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double peak_mb(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* Makes the system forget the file, so that look-ups read it from the disk. */
static void forget_file(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        return;
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static int compare(const void *a, const void *b)
{
    const double *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}

static int look_up(struct bench *bench, double ms[LOOKUPS], struct error *err)
{
    struct index_reader *reader = index_reader_open(bench->index, err);
    uint64_t chance = 88172645463325252u;
    int result = reader == NULL ? -1 : 0;

    for (int i = 0; i < LOOKUPS && result == 0; i++) {
        struct index_order order = {0};
        char key[64], id[24];
        double begun;

        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        id_print(id, (int64_t)(chance % (uint64_t)bench->orders));
        snprintf(key, sizeof(key), "abc123/order/%s", id);
        begun = seconds(CLOCK_MONOTONIC);
        if (index_find(reader, key, &order, err) != 1 || order.history.count != TOPICS)
            result = error_set(err, ERROR_PERMANENT, "%s is not found whole", key);
        ms[i] = (seconds(CLOCK_MONOTONIC) - begun) * 1000;
        index_order_clear(&order);
    }
    index_reader_close(reader);
    qsort(ms, LOOKUPS, sizeof(*ms), compare);
    return result;
}

static void make_sources(struct bench *bench)
{
    const struct source sources[TOPICS] = {
        {.topic = bench->topics.lanes[TOPIC_LANE_ORDERS].raw, .at_once = 500, .delay_ms = 1},
        {.topic = bench->topics.lanes[TOPIC_LANE_ORDERS].eligible, .at_once = 500, .delay_ms = 2},
        {.topic = bench->topics.lanes[TOPIC_LANE_ORDERS].payloads, .at_once = 900, .delay_ms = 3},
        {.topic = bench->topics.delivered, .at_once = 3000, .delay_ms = 900},
    };

    memcpy(bench->sources, sources, sizeof(sources));
    form_make(&bench->sources[0].form, order_template, "", 0);
    form_make(&bench->sources[1].form, order_template, "", 0);
    form_make(&bench->sources[2].form, payload_template, item, 25);
    form_make(&bench->sources[3].form, delivered_template, "", 0);
}

static int run(struct bench *bench, const char *path, struct error *err)
{
    double wall, cpu, finish, *ms = mem_alloc(LOOKUPS * sizeof(*ms));
    struct index_progress progress = {0};
    int result = -1;

    bench->index = index_open(&bench->config, path, err);
    if (bench->index == NULL)
        goto out;
    wall = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (fill(bench, err) != 0)
        goto out;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    finish = seconds(CLOCK_MONOTONIC);
    if (index_finish(bench->index, err) != 0)
        goto out;
    finish = seconds(CLOCK_MONOTONIC) - finish;
    index_checkpoint(bench->index);
    index_measure(bench->index, &progress);
    forget_file(path);
    if (look_up(bench, ms, err) != 0)
        goto out;
    printf("{\"orders\":%" PRId64 ",\"records\":%" PRId64
           ",\"wall_s\":%.2f,\"cpu_s\":%.2f,\"finish_s\":%.2f,\"peak_mb\":%.1f,\"file_mb\":%.1f,"
           "\"lookup_p50_ms\":%.3f,\"lookup_p99_ms\":%.3f,\"lookup_max_ms\":%.3f}\n",
           progress.orders, bench->records, wall, cpu, finish, peak_mb(),
           (double)progress.file_bytes / 1e6, ms[LOOKUPS / 2], ms[LOOKUPS * 99 / 100],
           ms[LOOKUPS - 1]);
    result = 0;
out:
    index_close(bench->index);
    free(ms);
    return result;
}

int main(int argc, char **argv)
{
    static const struct config_program program = {
        .program = PROGRAM_MAPPER, .name = "bench-index", .summary = "Fills the console's index."};
    const char *orders = getenv("BENCH_ORDERS"), *path = getenv("BENCH_INDEX");
    struct bench *bench = mem_alloc(sizeof(*bench));
    struct error err = {0};

    log_open("bench-index");
    bench->orders = orders != NULL ? strtoll(orders, NULL, 10) : 100000;
    if (config_load(&bench->config, &program, argc, argv, &err) == 0) {
        stop_install();
        topics_init(&bench->topics, &bench->config);
        make_sources(bench);
        run(bench, path != NULL ? path : "index.sqlite", &err);
        for (int i = 0; i < TOPICS; i++)
            buffer_clear(&bench->sources[i].form.text);
        topics_clear(&bench->topics);
    }
    config_free(&bench->config);
    free(bench);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
