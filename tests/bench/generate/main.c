/* NAME
 *   bench-generate - fills the topic of raw orders with orders of 4 KB, or another topic
 * SYNOPSIS
 *   BENCH_ORDERS=N [BENCH_FIRST=ID] [BENCH_RATE=PER_SECOND] [BENCH_CUSTOMERS=N]
 *   [BENCH_TOPIC=NAME BENCH_TEMPLATE=FILE [BENCH_LEDGER=TEXT]] bench-generate [--config FILE]
 * WRITES <prefix>.orders.raw, as the poller does: key, headers, the store's bytes; or TOPIC, with
 *   the bytes of FILE and the header `ledger`
 * DOES
 *   Orders FIRST..FIRST+N-1 of the first configured store, all to be synced, of 4000 (CUSTOMERS)
 *   customers and 200 products in turn. In a template $i stands for the order's id, $c for the customer's, $p and
 *   $q for two products. As fast as Kafka takes them, or RATE a second. Ends when all are
 *   acknowledged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/kafka.h"
#include "record/topic.h"
#include "settings/config.h"

#include "order_template.h"

enum { PRODUCT_COUNT = 200, CUSTOMER_COUNT = 4000, FLUSH_MS = 60000, HASH_PRIME = 7919 };

static void on_report(void *context, void *opaque, rd_kafka_resp_err_t error)
{
    int64_t *failed = context;

    (void)opaque;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        ++*failed;
}

static int64_t number_from(const char *name, int64_t missing)
{
    const char *text = getenv(name);

    return text != NULL ? strtoll(text, NULL, 10) : missing;
}

/* What is written: where, and from which text. */
struct plan {
    const char *topic;
    const char *ledger; /* or NULL */
    struct buffer template;
    int64_t customers; /* how many there are */
};

/* @returns 0, or -1 when the file of the template cannot be read */
static int plan_read(struct plan *plan, const char *raw, struct error *err)
{
    const char *path = getenv("BENCH_TEMPLATE");
    char part[4096];
    size_t length;
    FILE *file;

    plan->topic = path != NULL ? getenv("BENCH_TOPIC") : raw;
    plan->ledger = getenv("BENCH_LEDGER");
    plan->customers = number_from("BENCH_CUSTOMERS", CUSTOMER_COUNT);
    if (path == NULL) {
        buffer_append(&plan->template, order_template, strlen(order_template));
        return 0;
    }
    file = fopen(path, "rb");
    if (file == NULL || plan->topic == NULL)
        return error_set(err, ERROR_PERMANENT, "no topic, or no template %s", path);
    while ((length = fread(part, 1, sizeof(part), file)) > 0)
        buffer_append(&plan->template, part, length);
    fclose(file);
    return 0;
}

static void print_order(struct buffer *target, const struct plan *plan, int64_t id)
{
    const char *at = plan->template.data, *token;

    buffer_reset(target);
    while ((token = strchr(at, '$')) != NULL) {
        int64_t number = id;

        if (token[1] == 'c')
            number = 1000 + id % plan->customers;
        else if (token[1] == 'p')
            number = id * HASH_PRIME % PRODUCT_COUNT;
        else if (token[1] == 'q')
            number = (id * HASH_PRIME + 1) % PRODUCT_COUNT;
        buffer_append(target, at, (size_t)(token - at));
        buffer_printf(target, "%" PRId64, number);
        at = token + 2;
    }
    buffer_append(target, at, strlen(at));
}

static int send_order(struct producer *producer, const struct config *config,
                      const struct plan *plan, int64_t id, struct buffer *order, struct error *err)
{
    const struct config_store *store = &config->stores[0];
    char key[128], now[24];
    struct output output = {.topic = plan->topic};
    enum producer_answer answer;

    snprintf(key, sizeof(key), "%s/order/%" PRId64, store->hash, id);
    snprintf(now, sizeof(now), "%" PRId64, clock_now_ms());
    print_order(order, plan, id);
    output.key = text_of(key);
    output.value = (struct text){order->data, order->length};
    output.partition_hash = event_hash(0, output.key);
    output.headers[HEADER_STORE] = text_of(store->hash);
    output.headers[HEADER_ACCOUNT] = text_of(store->account);
    output.headers[HEADER_SOURCE] = text_of("poll");
    output.headers[HEADER_MODIFIED_AT] = text_of("1552317445000");
    output.headers[HEADER_POLLED_AT] = text_of(now);
    output.headers[HEADER_START_FROM] = text_of("0");
    if (plan->ledger != NULL)
        output.headers[HEADER_LEDGER] = text_of(plan->ledger);
    while ((answer = producer_send(producer, &output, 0, NULL, err)) == PRODUCER_FULL)
        producer_poll(producer, 10);
    return answer == PRODUCER_QUEUED ? 0
                                     : error_set(err, ERROR_PERMANENT, "order refused by kafka");
}

static int generate(struct producer *producer, const struct config *config, const struct plan *plan,
                    struct error *err)
{
    int64_t count = number_from("BENCH_ORDERS", 1000), first = number_from("BENCH_FIRST", 1);
    int64_t rate = number_from("BENCH_RATE", 0), begun_ms = clock_monotonic_ms();
    struct buffer order = {0};
    int result = 0;

    for (int64_t i = 0; i < count && result == 0 && !stop_requested(); i++) {
        int64_t ahead_ms = rate > 0 ? begun_ms + i * 1000 / rate - clock_monotonic_ms() : 0;

        if (ahead_ms > 0)
            stop_wait_ms(ahead_ms);
        result = send_order(producer, config, plan, first + i, &order, err);
        if (i % 64 == 0 || rate > 0)
            producer_poll(producer, 0);
    }
    buffer_clear(&order);
    return result;
}

int main(int argc, char **argv)
{
    static const struct config_program program = {.program = PROGRAM_MAPPER,
                                                  .name = "bench-generate",
                                                  .summary = "Fills the topic of raw orders."};
    struct config config = {0};
    struct error err = {0};
    struct topics topics = {0};
    struct plan plan = {0};
    struct producer *producer = NULL;
    int64_t failed = 0;

    log_open("generate");
    if (config_load(&config, &program, argc, argv, &err) != 0)
        goto out;
    stop_install();
    topics_init(&topics, &config);
    if (plan_read(&plan, topics.lanes[TOPIC_LANE_ORDERS].raw, &err) != 0)
        goto out;
    producer = producer_new(&config, "bench-generate", on_report, &failed, &err);
    if (producer == NULL || generate(producer, &config, &plan, &err) != 0)
        goto out;
    rd_kafka_flush(producer_handle(producer), FLUSH_MS);
    if (failed > 0 || producer_pending(producer) > 0)
        error_set(&err, ERROR_TEMPORARY, "%" PRId64 " orders were not acknowledged",
                  failed + producer_pending(producer));
out:
    producer_free(producer, 0);
    buffer_clear(&plan.template);
    topics_clear(&topics);
    config_free(&config);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
