#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "record/mark.h"

enum { REVOKE_WAIT_MS = 2000, REJOIN_DELAY_MS = 1000 };

static int input_of(const struct stage *stage, const char *topic)
{
    for (int i = 0; i < stage->settings.input_count; i++)
        if (strcmp(stage->settings.inputs[i], topic) == 0)
            return i;
    return -1;
}

int group_subscribe(struct stage *stage, struct error *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(stage->settings.input_count);
    rd_kafka_resp_err_t code;

    for (int i = 0; i < stage->settings.input_count; i++)
        rd_kafka_topic_partition_list_add(list, stage->settings.inputs[i], RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(stage->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_PERMANENT, "kafka subscribe: %s", rd_kafka_err2str(code));
    return 0;
}

/* After a timeout librdkafka asks again for committed offsets. But where the broker answers that
 * it is not the group's coordinator, or not yet, librdkafka does not ask again, and those
 * partitions are assigned and never read. That error has no code of its own, so it is recognised
 * by its text. */
void group_note_error(struct stage *stage, const rd_kafka_message_t *message)
{
    static const char text[] = "Failed to fetch committed offset";
    const char *said = rd_kafka_message_errstr(message);

    if (said == NULL || strncmp(said, text, sizeof(text) - 1) != 0 || stage->rejoin_ms != 0)
        return;
    stage->rejoin_ms = clock_monotonic_ms() + REJOIN_DELAY_MS;
    log_warn("kafka gave no start of partitions, the group is joined again");
}

void group_rejoin_when_due(struct stage *stage)
{
    struct error err = {0};

    if (stage->rejoin_ms == 0 || clock_monotonic_ms() < stage->rejoin_ms)
        return;
    stage->rejoin_ms = 0;
    if (group_subscribe(stage, &err) != 0)
        stage_fail(stage, &err);
}

static void assign(struct stage *stage, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code;

    stage->rejoin_ms = 0;
    stage->assignment++;
    for (int i = 0; i < list->cnt; i++) {
        struct partition *partition = mem_alloc(sizeof(*partition));

        partition->input = input_of(stage, list->elems[i].topic);
        if (partition->input < 0) {
            free(partition);
            continue;
        }
        partition->id = list->elems[i].partition;
        partition->committed = partition->sought = -1;
        partition->marked = MARK_NONE;
        handout_init(&partition->handout);
        window_init(&partition->window, -1);
        if (stage->paused_all)
            partition->pause |= PAUSE_ALL;
        if (atomic_load(&stage->topic_paused[partition->input]) == TOPIC_PAUSED)
            partition->pause |= PAUSE_TOPIC;
        partition->next = stage->partitions;
        stage->partitions = partition;
    }
    code = rd_kafka_assign(stage->consumer, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_error("kafka assign failed error=\"%s\"", rd_kafka_err2str(code));
    found_assigned(stage, list);
    kafka_watch_assigned(stage->watch, list);
    health_set_ready("kafka", 1, NULL);
    log_info("assigned partitions=%d", list->cnt);
}

/* Waits a moment for records that are under way. What is finished and committed here is not done
 * again by another process. */
static void wait_for_inflight(struct stage *stage)
{
    int64_t limit_ms = stage->settings.config->kafka.session_timeout_ms / 3;
    int64_t until_ms;

    if (limit_ms > REVOKE_WAIT_MS)
        limit_ms = REVOKE_WAIT_MS;
    until_ms = clock_monotonic_ms() + limit_ms;
    ticket_settle_all(stage);
    while (stage->inflight > 0 && clock_monotonic_ms() < until_ms &&
           !atomic_load(&stage->is_fatal)) {
        producer_poll(stage->producer, 10);
        ticket_settle_all(stage);
    }
}

/* Resumes all partitions. librdkafka keeps a pause over revocation and assignment, so pauses are
 * removed before. All partitions are resumed, because a resume that was sent while librdkafka
 * itself paused for this rebalance was dropped. */
static void resume_all(struct stage *stage)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next)
        if (partition->rkt != NULL)
            partition_add_to(stage, &list, partition);
    if (list == NULL)
        return;
    rd_kafka_resume_partitions(stage->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* From here on nothing more is begun for records of these partitions, and no claim is written. */
static void note_leaving(struct stage *stage)
{
    pthread_mutex_lock(&stage->lock);
    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next)
        partition->is_leaving = 1;
    pthread_mutex_unlock(&stage->lock);
}

static void revoke(struct stage *stage, const rd_kafka_topic_partition_list_t *list)
{
    int lost = rd_kafka_assignment_lost(stage->consumer);

    ticket_drop_parked(stage);
    if (!lost && !atomic_load(&stage->ended) && !stage->stopping)
        wait_for_inflight(stage);
    note_leaving(stage);
    if (!lost && !atomic_load(&stage->ended)) /* otherwise drain() has committed */
        group_commit(stage, COMMIT_FINAL);
    ticket_drop_parked(stage);
    log_info("revoked partitions=%d lost=%d unfinished=%d", list->cnt, lost, stage->inflight);
    resume_all(stage);
    /* With the assignment range, all partitions are revoked together. */
    while (stage->partitions != NULL) {
        struct partition *partition = stage->partitions;

        stage->partitions = partition->next;
        partition->revoked = 1;
        if (partition->ticket_count == 0)
            partition_release(partition);
    }
    kafka_watch_assigned(stage->watch, NULL);
    rd_kafka_assign(stage->consumer, NULL);
}

void group_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct stage *stage = opaque;

    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(stage, list);
    } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        revoke(stage, list);
    } else {
        log_warn("kafka rebalance error=\"%s\"", rd_kafka_err2str(code));
        rd_kafka_assign(rk, NULL);
    }
}
