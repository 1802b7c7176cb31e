#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>

void stage_fail(struct stage *stage, const struct error *err)
{
    pthread_mutex_lock(&stage->lock);
    if (!atomic_load(&stage->is_fatal)) {
        stage->fatal = *err;
        atomic_store(&stage->is_fatal, 1);
    }
    pthread_mutex_unlock(&stage->lock);
}

void stage_wake(struct stage *stage)
{
    if (pthread_equal(pthread_self(), stage->thread))
        return;
    pthread_mutex_lock(&stage->lock);
    stage->woken = 1;
    pthread_cond_signal(&stage->signal);
    pthread_mutex_unlock(&stage->lock);
}

int stage_has_room(const struct stage *stage)
{
    return stage->held == NULL && stage->unsent == NULL &&
           (stage->ramp == 0 || stage->ramp_left > 0) &&
           stage->inflight < stage->settings.inflight_records_max &&
           stage->inflight_bytes < stage->settings.inflight_bytes_max;
}

void partition_release(struct partition *partition)
{
    window_clear(&partition->window);
    free(partition);
}

rd_kafka_topic_partition_t *partition_add_to(const struct stage *stage,
                                             rd_kafka_topic_partition_list_t **list,
                                             const struct partition *partition)
{
    if (*list == NULL)
        *list = rd_kafka_topic_partition_list_new(16);
    return rd_kafka_topic_partition_list_add(*list, stage->settings.inputs[partition->input],
                                             partition->id);
}

/* While librdkafka itself starts a partition, a pause or resume makes it drop that start as
 * outdated, and the partition is never read (its issues 2190 and 5591). So neither is sent before
 * the partition's first record. Until then no partition is paused, see revoke(). */
void partitions_apply_pauses(struct stage *stage)
{
    rd_kafka_topic_partition_list_t *pause = NULL, *resume = NULL;

    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next) {
        int wanted = partition->pause != 0;

        if (partition->rkt == NULL || wanted == partition->paused)
            continue;
        partition->paused = wanted;
        partition_add_to(stage, wanted ? &pause : &resume, partition);
    }
    if (pause != NULL) {
        rd_kafka_pause_partitions(stage->consumer, pause);
        rd_kafka_topic_partition_list_destroy(pause);
    }
    if (resume != NULL) {
        rd_kafka_resume_partitions(stage->consumer, resume);
        rd_kafka_topic_partition_list_destroy(resume);
    }
}

void partitions_pause_all(struct stage *stage, int paused)
{
    stage->paused_all = paused;
    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next)
        partition->pause = paused ? partition->pause | PAUSE_ALL : partition->pause & ~PAUSE_ALL;
    partitions_apply_pauses(stage);
}

void partitions_pause_topics(struct stage *stage)
{
    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next) {
        if (atomic_load(&stage->topic_paused[partition->input]) == TOPIC_PAUSED)
            partition->pause |= PAUSE_TOPIC;
        else
            partition->pause &= ~PAUSE_TOPIC;
    }
    partitions_apply_pauses(stage);
}

struct partition *partition_of_message(struct stage *stage, const rd_kafka_message_t *message)
{
    const char *topic = NULL;
    struct partition *partition;

    for (partition = stage->partitions; partition != NULL; partition = partition->next)
        if (partition->rkt == message->rkt && partition->id == message->partition)
            return partition;
    topic = rd_kafka_topic_name(message->rkt);
    for (partition = stage->partitions; partition != NULL; partition = partition->next)
        if (partition->id == message->partition &&
            strcmp(stage->settings.inputs[partition->input], topic) == 0) {
            partition->rkt = message->rkt;
            partitions_apply_pauses(stage); /* the pauses that had to wait for this record */
            return partition;
        }
    return NULL;
}

struct partition *partition_listed(struct stage *stage, const rd_kafka_topic_partition_t *listed)
{
    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next)
        if (partition->id == listed->partition &&
            strcmp(stage->settings.inputs[partition->input], listed->topic) == 0)
            return partition;
    return NULL;
}
