#include "batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "net/health.h"
#include "net/kafka.h"

enum {
    FLUSH_MS = 5000,
    ASK_EACH_MS = 2000,
    ASK_MS = 1000,
    FULL_WAIT_MS = 50,    /* before a record is offered again to a full queue */
    REPORT_WAIT_MS = 250, /* before the lease and the stop flag are looked at again */
};

struct batches {
    struct producer *producer;
    pthread_mutex_t lock; /* of all batches */
    pthread_cond_t reported;
    /* of batches_serve() */
    int64_t asked_ms; /* monotonic: when a broker was last asked for its metadata */
    int answered;
};

struct slot {
    struct batch *batch;
    rd_kafka_resp_err_t error;
};

struct batch {
    struct batches *batches;
    struct asker *asker; /* borrowed until the batch is dropped */
    int pending;
    int dropped;
    int size;
    struct slot slots[];
};

static void on_report(void *context, void *opaque, rd_kafka_resp_err_t error)
{
    struct batches *batches = context;
    struct slot *slot = opaque;
    struct batch *batch = slot->batch;
    int over;

    pthread_mutex_lock(&batches->lock);
    slot->error = error;
    over = --batch->pending == 0 && batch->dropped;
    pthread_cond_broadcast(&batches->reported);
    pthread_mutex_unlock(&batches->lock);
    if (over)
        free(batch);
}

struct batches *batches_new(const struct config *config, struct error *err)
{
    struct batches *batches = mem_alloc(sizeof(*batches));
    pthread_condattr_t attributes;

    pthread_mutex_init(&batches->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&batches->reported, &attributes);
    pthread_condattr_destroy(&attributes);
    batches->producer = producer_new(config, "bigfusion-poller", on_report, batches, err);
    if (batches->producer == NULL) {
        batches_free(batches);
        return NULL;
    }
    return batches;
}

void batches_free(struct batches *batches)
{
    if (batches == NULL)
        return;
    producer_free(batches->producer, FLUSH_MS);
    pthread_cond_destroy(&batches->reported);
    pthread_mutex_destroy(&batches->lock);
    free(batches);
}

/* The producer learns from its reports only whether a broker can be reached. While the stores are
 * quiet there are none, so the broker is asked for its metadata now and then. */
static int is_connected(struct batches *batches)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int64_t now_ms = clock_monotonic_ms();

    if (producer_connected(batches->producer))
        return 1;
    if (batches->asked_ms != 0 && now_ms - batches->asked_ms < ASK_EACH_MS)
        return batches->answered;
    batches->asked_ms = now_ms;
    batches->answered = rd_kafka_metadata(producer_handle(batches->producer), 0, NULL, &metadata,
                                          ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    return batches->answered;
}

void batches_serve(struct batches *batches, int timeout_ms)
{
    int connected;

    producer_poll(batches->producer, timeout_ms);
    connected = is_connected(batches);
    health_set_ready("kafka", connected, connected ? NULL : "no broker can be reached");
}

int batches_check(const struct batches *batches, struct error *err)
{
    return producer_check(batches->producer, err);
}

struct batch *batch_new(struct batches *batches, struct asker *asker, int size)
{
    struct batch *batch = mem_alloc(sizeof(*batch) + (size_t)size * sizeof(batch->slots[0]));

    batch->batches = batches;
    batch->asker = asker;
    batch->size = size;
    for (int i = 0; i < size; i++)
        batch->slots[i].batch = batch;
    return batch;
}

static void count(struct batch *batch, int by)
{
    pthread_mutex_lock(&batch->batches->lock);
    batch->pending += by;
    pthread_mutex_unlock(&batch->batches->lock);
}

/* Offers a record to the producer. */
static enum producer_answer offer(struct batch *batch, const struct output *output, int slot,
                                  struct error *err)
{
    enum producer_answer answer;

    /* The record is counted before it is sent, because its report may come at once. */
    batch->slots[slot].error = RD_KAFKA_RESP_ERR_NO_ERROR;
    count(batch, 1);
    answer = producer_send(batch->batches->producer, output, 0, &batch->slots[slot], err);
    if (answer != PRODUCER_QUEUED)
        count(batch, -1);
    return answer;
}

enum outcome batch_send(struct batch *batch, const struct output *output, int slot,
                        enum batch_answer *answer, struct error *err)
{
    enum producer_answer offered;

    while ((offered = offer(batch, output, slot, err)) == PRODUCER_FULL) {
        enum outcome outcome = ask_wait(batch->asker, FULL_WAIT_MS, err);

        if (outcome != OUTCOME_OK)
            return outcome;
    }
    *answer = offered == PRODUCER_QUEUED      ? BATCH_OK
              : offered == PRODUCER_TOO_LARGE ? BATCH_TOO_LARGE
                                              : BATCH_FAILED;
    if (*answer != BATCH_FAILED)
        return OUTCOME_OK;
    error_set(err, ERROR_TEMPORARY, "kafka refuses a record");
    return OUTCOME_TROUBLE;
}

/* @returns 1 when every record is reported, 0 when some are not yet after timeout_ms */
static int wait_for_reports(struct batch *batch, int64_t timeout_ms)
{
    struct batches *batches = batch->batches;
    struct timespec until;
    int waited = 0, over;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&batches->lock);
    while (batch->pending > 0 && waited == 0)
        waited = pthread_cond_timedwait(&batches->reported, &batches->lock, &until);
    over = batch->pending == 0;
    pthread_mutex_unlock(&batches->lock);
    return over;
}

enum outcome batch_wait(struct batch *batch, struct error *err)
{
    while (!wait_for_reports(batch, REPORT_WAIT_MS)) {
        enum outcome outcome = ask_wait(batch->asker, 0, err);

        if (outcome != OUTCOME_OK)
            return outcome;
    }
    return OUTCOME_OK;
}

enum batch_answer batch_result(const struct batch *batch, int slot, struct error *err)
{
    rd_kafka_resp_err_t error = batch->slots[slot].error;

    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return BATCH_OK;
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return BATCH_TOO_LARGE;
    error_set(err, ERROR_TEMPORARY, "kafka: %s", rd_kafka_err2str(error));
    return BATCH_FAILED;
}

void batch_drop(struct batch *batch)
{
    int over;

    if (batch == NULL)
        return;
    pthread_mutex_lock(&batch->batches->lock);
    batch->dropped = 1;
    over = batch->pending == 0;
    pthread_mutex_unlock(&batch->batches->lock);
    if (over)
        free(batch);
}

enum outcome batch_produce_one(struct batches *batches, struct asker *asker,
                               const struct output *output, struct error *err)
{
    struct batch *batch = batch_new(batches, asker, 1);
    enum batch_answer answer;
    enum outcome outcome = batch_send(batch, output, 0, &answer, err);

    if (outcome == OUTCOME_OK)
        outcome = batch_wait(batch, err);
    if (outcome == OUTCOME_OK && (answer != BATCH_OK || batch_result(batch, 0, err) != BATCH_OK)) {
        error_set(err, ERROR_TEMPORARY, "kafka takes no record of %zu bytes for %s",
                  output->value.length, output->topic);
        outcome = OUTCOME_TROUBLE;
    }
    batch_drop(batch);
    return outcome;
}
