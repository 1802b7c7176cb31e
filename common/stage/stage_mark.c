#include "stage/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/kafka.h"
#include "net/kafka_group.h"
#include "record/mark.h"

enum { END_TIMEOUT_MS = 1000, ENDS_AGAIN_MS = 5000, CLOSE_MS = 2000 };

/* Adds the first mark of a partition to a commit. Nothing was read of the partition yet, so no
 * regular commit would write its mark soon. The claim beside the offset stays as it is. */
static void add_first_mark(struct stage *stage, struct partition *partition, int64_t low,
                           rd_kafka_topic_partition_list_t *list)
{
    int64_t offset = partition->start >= 0 ? partition->start : low;

    if (partition->start == START_UNKNOWN || window_committable(&partition->window) >= 0)
        return;
    partition->marked = partition->handout.mark;
    commit_add(list, stage->settings.inputs[partition->input], partition->id, offset,
               &partition->found, partition->marked);
}

/* Begins the mark at the partition's end, which reader asks for. @returns how many records may have
 * been handed out; -1 when the end cannot be read now */
static int64_t begin_at_the_end(struct stage *stage, rd_kafka_t *reader,
                                struct partition *partition, rd_kafka_topic_partition_list_t *first)
{
    const char *topic = stage->settings.inputs[partition->input];
    int64_t low, end;
    rd_kafka_resp_err_t code =
        kafka_query_ends(reader, topic, partition->id, &low, &end, END_TIMEOUT_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_warn("kafka end of a partition not read topic=%s partition=%d error=\"%s\"", topic,
                 partition->id, rd_kafka_err2str(code));
        return -1;
    }
    pthread_mutex_lock(&stage->lock);
    handout_begin(&partition->handout, end);
    if (partition->start == START_UNKNOWN)
        handout_hold(&partition->handout);
    add_first_mark(stage, partition, low, first);
    pthread_mutex_unlock(&stage->lock);
    return end - (partition->start > low ? partition->start : low);
}

static int is_any_missing(const struct stage *stage)
{
    for (const struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next)
        if (partition->is_mark_missing)
            return 1;
    return 0;
}

/* A client of its own asks for the ends: a broker answers the requests of a connection one after
 * the other, so each question of the stage's consumer would wait behind a fetch that waits for
 * records. NULL: it cannot be made. */
static rd_kafka_t *reader_new(const struct stage *stage)
{
    struct error err = {0};
    rd_kafka_t *reader = kafka_reader_new(stage->settings.config, NULL, &err);

    if (reader == NULL)
        log_warn("kafka ends of partitions not read error=\"%s\"", err.text);
    return reader;
}

static void send_first_marks(struct stage *stage, rd_kafka_topic_partition_list_t *first)
{
    if (first->cnt == 0) {
        rd_kafka_topic_partition_list_destroy(first);
        return;
    }
    pthread_mutex_lock(&stage->lock);
    commit_send(stage, first, 0, 0);
    pthread_mutex_unlock(&stage->lock);
}

/* Begins the marks of all partitions for which none was found. @returns how many of them are not
 * empty, as far as is known */
static int begin_missing(struct stage *stage)
{
    rd_kafka_topic_partition_list_t *first;
    rd_kafka_t *reader;
    int filled = 0;

    stage->next_ends_ms = 0;
    if (!is_any_missing(stage))
        return 0;
    first = rd_kafka_topic_partition_list_new(16);
    reader = reader_new(stage);
    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next) {
        int64_t count = -1;

        if (!partition->is_mark_missing)
            continue;
        if (reader != NULL && stage->next_ends_ms == 0) /* after one failure the other partitions
                                                           wait for the next attempt */
            count = begin_at_the_end(stage, reader, partition, first);
        partition->is_mark_missing = count < 0;
        filled += count != 0;
        if (count < 0)
            stage->next_ends_ms = clock_monotonic_ms() + ENDS_AGAIN_MS;
    }
    send_first_marks(stage, first);
    if (reader != NULL) {
        kafka_close(reader, CLOSE_MS);
        kafka_destroy(reader, CLOSE_MS);
    }
    return filled;
}

void mark_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *found,
                   int is_answered)
{
    int filled;

    for (int i = 0; i < found->cnt; i++) {
        const rd_kafka_topic_partition_t *listed = &found->elems[i];
        struct partition *partition = partition_listed(stage, listed);
        int is_known = is_answered && listed->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        int64_t mark = MARK_NONE;

        if (partition == NULL)
            continue;
        partition->start = !is_known ? START_UNKNOWN : listed->offset >= 0 ? listed->offset : -1;
        if (partition->start >= 0)
            mark =
                mark_read((struct text){listed->metadata, listed->metadata_size}, partition->start);
        partition->is_mark_missing = mark == MARK_NONE;
        partition->marked = mark;
        if (mark != MARK_NONE)
            handout_found(&partition->handout, mark);
        else if (!is_known)
            handout_hold(&partition->handout);
    }
    filled = begin_missing(stage);
    if (filled > 0)
        log_warn("no hand-out marks found, all that is there is taken for handed out partitions=%d",
                 filled);
}

void mark_mind(struct stage *stage)
{
    int is_pending = 0;

    if (stage->next_ends_ms != 0 && clock_monotonic_ms() >= stage->next_ends_ms)
        begin_missing(stage);
    if (!stage->is_mark_low)
        return;
    pthread_mutex_lock(&stage->lock);
    is_pending = commit_is_pending(stage);
    pthread_mutex_unlock(&stage->lock);
    if (!is_pending)
        group_commit(stage, COMMIT_REGULAR);
}
