#include "act/send.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/kafka.h"

enum { POLL_MS = 100, WAIT_MS = 60000, FREE_MS = 1000 };

struct send {
    struct producer *producer;
    int64_t queued, reported, acknowledged;
    rd_kafka_resp_err_t failure; /* of the first record that was refused */
};

static void on_report(void *context, void *opaque, rd_kafka_resp_err_t error)
{
    struct send *send = context;

    (void)opaque;
    send->reported++;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        send->acknowledged++;
    else if (send->failure == RD_KAFKA_RESP_ERR_NO_ERROR)
        send->failure = error;
}

struct send *send_new(const struct config *config, const char *client_id, struct error *err)
{
    struct send *send = mem_alloc(sizeof(*send));

    send->producer = producer_new(config, client_id, on_report, send, err);
    if (send->producer != NULL)
        return send;
    free(send);
    return NULL;
}

void send_free(struct send *send)
{
    if (send == NULL)
        return;
    producer_free(send->producer, FREE_MS);
    free(send);
}

static int check(struct send *send, struct error *err)
{
    if (send->failure != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka did not take a record: %s",
                         rd_kafka_err2str(send->failure));
    return producer_check(send->producer, err);
}

int send_queue(struct send *send, const struct output *output, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    for (;;) {
        if (check(send, err) != 0)
            return -1;
        switch (producer_send(send->producer, output, 0, NULL, err)) {
        case PRODUCER_QUEUED:
            send->queued++;
            producer_poll(send->producer, 0);
            return 0;
        case PRODUCER_TOO_LARGE:
            return error_set(err, ERROR_PERMANENT, "the record is larger than its topic takes");
        case PRODUCER_FATAL:
            return -1;
        case PRODUCER_FULL:
            break;
        }
        producer_poll(send->producer, POLL_MS);
        if (clock_monotonic_ms() > until_ms)
            return error_set(err, ERROR_TEMPORARY, "kafka does not answer");
    }
}

int send_wait(struct send *send, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    while (send->reported < send->queued) {
        producer_poll(send->producer, POLL_MS);
        if (check(send, err) != 0)
            return -1;
        if (clock_monotonic_ms() > until_ms)
            return error_set(err, ERROR_TEMPORARY, "kafka does not answer");
    }
    return check(send, err);
}

int send_one(struct send *send, const struct output *output, struct error *err)
{
    return send_queue(send, output, err) == 0 ? send_wait(send, err) : -1;
}

int64_t send_count(const struct send *send) { return send->acknowledged; }
