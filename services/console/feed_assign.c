/* feed_assign.c - which partitions there are, and where reading goes on in each. */
#include "feed_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { METADATA_TIMEOUT_MS = 2000, CLUSTER_TIMEOUT_MS = 1000 };

static uint32_t hash_of(const char *topic, int32_t partition)
{
    return event_hash((uint32_t)partition + 1, text_of(topic));
}

static int find_part(const struct feed *feed, const char *topic, int32_t partition)
{
    uint32_t slot = hash_of(topic, partition) & (uint32_t)(feed->slot_count - 1);

    for (; feed->slot_count > 0 && feed->slots[slot] >= 0;
         slot = (slot + 1) & (uint32_t)(feed->slot_count - 1)) {
        const struct feed_part *part = &feed->parts[feed->slots[slot]];

        if (part->partition == partition && strcmp(part->topic, topic) == 0)
            return feed->slots[slot];
    }
    return -1;
}

int feed_part_of(struct feed *feed, const rd_kafka_message_t *message)
{
    if (message->rkt == NULL)
        return -1;
    if (feed->last < 0 || message->rkt != feed->last_rkt ||
        feed->parts[feed->last].partition != message->partition) {
        feed->last = find_part(feed, rd_kafka_topic_name(message->rkt), message->partition);
        feed->last_rkt = message->rkt;
    }
    return feed->last;
}

static void make_slots(struct feed *feed)
{
    feed->slot_count = 64;
    while (feed->slot_count < 2 * feed->part_count)
        feed->slot_count *= 2;
    feed->slots = mem_realloc(feed->slots, (size_t)feed->slot_count * sizeof(*feed->slots));
    for (int i = 0; i < feed->slot_count; i++)
        feed->slots[i] = -1;
    for (int i = 0; i < feed->part_count; i++) {
        uint32_t slot = hash_of(feed->parts[i].topic, feed->parts[i].partition);

        while (feed->slots[slot &= (uint32_t)(feed->slot_count - 1)] >= 0)
            slot++;
        feed->slots[slot] = i;
    }
    feed->last = -1;
}

static void add_part(struct feed *feed, const char *topic, int32_t partition)
{
    int known = find_part(feed, topic, partition);

    if (known >= 0) {
        feed->parts[known].is_listed = 1;
        return;
    }
    feed->parts = mem_realloc(feed->parts, ((size_t)feed->part_count + 1) * sizeof(*feed->parts));
    feed->parts[feed->part_count++] =
        (struct feed_part){.topic = topic,
                           .partition = partition,
                           .next = index_position(feed->index, topic, partition),
                           .last_ms = -1,
                           .end_ms = -1,
                           .is_listed = 1};
    feed->must_assign = 1;
}

/* Takes out what the brokers no longer have: a topic that was deleted. */
static void drop_unlisted(struct feed *feed)
{
    int count = 0;

    for (int i = 0; i < feed->part_count; i++)
        if (feed->parts[i].is_listed)
            feed->parts[count++] = feed->parts[i];
    if (count != feed->part_count)
        feed->must_assign = 1;
    feed->part_count = count;
}

static const char *name_of(const struct feed *feed, const char *topic)
{
    for (int i = 0; i < feed->name_count; i++)
        if (strcmp(feed->names[i], topic) == 0)
            return feed->names[i];
    return NULL;
}

static void take(struct feed *feed, const struct rd_kafka_metadata *metadata)
{
    int before = feed->part_count;

    for (int i = 0; i < feed->part_count; i++)
        feed->parts[i].is_listed = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        const char *name = name_of(feed, topic->topic);

        if (name == NULL)
            continue;
        for (int j = 0; j < topic->partition_cnt; j++)
            add_part(feed, name, topic->partitions[j].id);
        /* A topic that cannot be told of for a moment keeps its partitions. */
        for (int j = 0; topic->err != RD_KAFKA_RESP_ERR_NO_ERROR && j < before; j++)
            feed->parts[j].is_listed |= feed->parts[j].topic == name;
    }
    drop_unlisted(feed);
    make_slots(feed);
}

/* A file that was filled from another Kafka has positions that mean nothing here. */
static void look_at_cluster(struct feed *feed)
{
    char *cluster = rd_kafka_clusterid(feed->rk, CLUSTER_TIMEOUT_MS);
    struct error err = {0};

    if (cluster == NULL)
        return;
    if (index_set_cluster(feed->index, cluster, &err) == 0)
        feed->is_cluster_known = 1;
    else
        log_warn("the index cannot be used: %s", err.text);
    rd_kafka_mem_free(feed->rk, cluster);
}

int feed_look(struct feed *feed)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(feed->rk, 1, NULL, &metadata, METADATA_TIMEOUT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    if (!feed->is_cluster_known)
        look_at_cluster(feed);
    take(feed, metadata);
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

int feed_assign(struct feed *feed, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(feed->part_count);
    rd_kafka_resp_err_t code;
    int fresh = 0;

    for (int i = 0; i < feed->part_count; i++) {
        struct feed_part *part = &feed->parts[i];

        part->next = index_position(feed->index, part->topic, part->partition);
        part->is_moved = 0;
        part->is_first = 1;
        fresh += part->next < 0;
        rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset =
            part->next >= 0 ? part->next : RD_KAFKA_OFFSET_BEGINNING;
    }
    code = rd_kafka_assign(feed->rk, list);
    kafka_watch_assigned(feed->watch, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_TEMPORARY, "kafka assign: %s", rd_kafka_err2str(code));
    log_info("reading partitions=%d from_their_beginning=%d", feed->part_count, fresh);
    feed->must_assign = 0;
    feed->generation = index_generation(feed->index);
    return 0;
}
