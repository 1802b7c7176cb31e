#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "record/mark.h"

enum { COMMIT_WAIT_MS = 2000, COMMIT_POLL_MS = 50 };

struct commit {
    struct commit *next;
    struct stage *stage;
    rd_kafka_topic_partition_list_t *list; /* the offsets that are committed; each receives its
                                              answer */
    uint32_t assignment;                   /* the stage's number of the assignment when it was
                                              sent */
    int is_claim; /* it is the claim of one record, which the regular commits do not know */
    /* protected by the stage's lock */
    rd_kafka_resp_err_t code;
    int is_answered;
    int is_waited_for; /* a thread waits for it and still uses it */
};

/* Called in whichever thread polls the queue. */
static void on_answer(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct commit *commit = opaque;

    (void)rk;
    pthread_mutex_lock(&commit->stage->lock);
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        rd_kafka_topic_partition_t *asked = rd_kafka_topic_partition_list_find(
            commit->list, list->elems[i].topic, list->elems[i].partition);

        if (asked != NULL)
            asked->err = list->elems[i].err;
    }
    commit->code = code;
    commit->is_answered = 1;
    pthread_mutex_unlock(&commit->stage->lock);
}

int commit_is_pending(const struct stage *stage)
{
    const struct commit *commit = stage->commits;

    while (commit != NULL && commit->is_answered)
        commit = commit->next;
    return commit != NULL;
}

struct commit *commit_send(struct stage *stage, rd_kafka_topic_partition_list_t *list, int is_claim,
                           int is_waited_for)
{
    struct commit *commit = mem_alloc(sizeof(*commit));

    *commit = (struct commit){.next = stage->commits,
                              .stage = stage,
                              .list = list,
                              .assignment = stage->assignment,
                              .is_claim = is_claim,
                              .is_waited_for = is_waited_for};
    stage->commits = commit;
    commit->code = rd_kafka_commit_queue(stage->consumer, list, stage->answers, on_answer, commit);
    commit->is_answered = commit->code != RD_KAFKA_RESP_ERR_NO_ERROR;
    return commit;
}

rd_kafka_resp_err_t commit_wait(struct stage *stage, struct commit *commit)
{
    int64_t until_ms = clock_monotonic_ms() + COMMIT_WAIT_MS;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    int is_over = 0;

    while (!is_over) {
        pthread_mutex_lock(&stage->lock);
        is_over = commit->is_answered || clock_monotonic_ms() >= until_ms;
        if (commit->is_answered)
            code = commit->code;
        for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < commit->list->cnt; i++)
            code = commit->list->elems[i].err;
        if (is_over)
            commit->is_waited_for = 0;
        pthread_mutex_unlock(&stage->lock);
        if (!is_over)
            rd_kafka_queue_poll_callback(stage->answers, COMMIT_POLL_MS);
    }
    return code;
}

static void settle_partition(struct stage *stage, const struct commit *commit,
                             const rd_kafka_topic_partition_t *listed, rd_kafka_resp_err_t code)
{
    struct partition *partition = partition_listed(stage, listed);

    if (partition == NULL || commit->assignment != stage->assignment)
        return;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        handout_acknowledged(
            &partition->handout,
            mark_read((struct text){listed->metadata, listed->metadata_size}, listed->offset));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    pthread_mutex_lock(&stage->lock);
    partition->marked = MARK_UNSURE;
    pthread_mutex_unlock(&stage->lock);
    if (!commit->is_claim)
        partition->committed = -1;
}

static void settle(struct stage *stage, const struct commit *commit)
{
    rd_kafka_resp_err_t first = commit->code;

    for (int i = 0; i < commit->list->cnt; i++) {
        rd_kafka_resp_err_t own = commit->code != 0 ? commit->code : commit->list->elems[i].err;

        settle_partition(stage, commit, &commit->list->elems[i], own);
        if (first == RD_KAFKA_RESP_ERR_NO_ERROR)
            first = own;
    }
    if (commit->is_claim)
        return;
    if (first != RD_KAFKA_RESP_ERR_NO_ERROR && first != RD_KAFKA_RESP_ERR__NO_OFFSET)
        log_warn("kafka commit failed, is tried again error=\"%s\"", rd_kafka_err2str(first));
    else
        metric_add(stage->commits_done, 1);
    CRASH_POINT("committed", "");
}

static void commit_free(struct commit *commit)
{
    rd_kafka_topic_partition_list_destroy(commit->list);
    free(commit);
}

void commit_settle(struct stage *stage)
{
    struct commit *answered = NULL, **link = &stage->commits;
    int is_idle;

    pthread_mutex_lock(&stage->lock);
    is_idle = stage->commits == NULL;
    pthread_mutex_unlock(&stage->lock);
    if (is_idle)
        return;
    rd_kafka_queue_poll_callback(stage->answers, 0);
    pthread_mutex_lock(&stage->lock);
    while (*link != NULL) {
        struct commit *commit = *link;

        if (commit->is_answered && !commit->is_waited_for) {
            *link = commit->next;
            commit->next = answered;
            answered = commit;
        } else {
            link = &commit->next;
        }
    }
    pthread_mutex_unlock(&stage->lock);
    while (answered != NULL) {
        struct commit *commit = answered;

        answered = commit->next;
        settle(stage, commit);
        commit_free(commit);
    }
}

void commit_free_all(struct stage *stage)
{
    if (stage->answers != NULL)
        rd_kafka_queue_destroy(stage->answers); /* answers that come later are dropped */
    stage->answers = NULL;
    while (stage->commits != NULL) {
        struct commit *commit = stage->commits;

        stage->commits = commit->next;
        commit_free(commit);
    }
}

void commit_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition,
                int64_t offset, const struct claim *claim, int64_t mark)
{
    rd_kafka_topic_partition_t *listed = rd_kafka_topic_partition_list_add(list, topic, partition);
    char text[CLAIM_TEXT_BYTES];

    /* Records below the committed offset were handed over, or do not exist, so the mark is never
     * below it. */
    claim_print(claim, mark != MARK_NONE && mark < offset ? offset : mark, text);
    listed->offset = offset;
    if (text[0] == '\0')
        return;
    listed->metadata = mem_strdup(text); /* the list frees it */
    listed->metadata_size = strlen(text);
}

/* Adds to the list what is to be committed of a partition. Called with the stage's lock. */
static void add_partition(const struct stage *stage, struct partition *partition,
                          enum commit_kind kind, rd_kafka_topic_partition_list_t *list)
{
    int64_t offset = window_committable(&partition->window);
    int64_t mark =
        kind == COMMIT_FINAL ? handout_final(&partition->handout) : partition->handout.mark;

    if (offset < 0)
        return;
    if (offset != partition->committed || kind == COMMIT_FINAL) {
        int is_same = offset == partition->committed && mark == partition->marked;

        if (is_same && partition->claim.state == CLAIM_NONE)
            return;
        partition->claim = (struct claim){.offset = offset};
        if (stage->ramp > 0 && kind != COMMIT_FINAL)
            partition->claim.state = CLAIM_RAMP;
    } else if (mark == partition->marked) {
        return;
    }
    /* Where only the mark moves and not the offset, the claim beside it is written again
     * unchanged. */
    commit_add(list, stage->settings.inputs[partition->input], partition->id, offset,
               &partition->claim, mark);
    partition->committed = offset;
    partition->marked = mark;
}

void group_commit(struct stage *stage, enum commit_kind kind)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    struct commit *commit = NULL;
    int may_raise;

    /* A consumer that has lost its assignment must not commit: if the group has no members by then,
     * the broker takes the commit for one from outside the group and accepts it. */
    if (stage->settings.mark_block > 0 && rd_kafka_assignment_lost(stage->consumer)) {
        rd_kafka_topic_partition_list_destroy(list);
        return;
    }
    pthread_mutex_lock(&stage->lock);
    may_raise = kind != COMMIT_FINAL && !commit_is_pending(stage);
    for (struct partition *partition = stage->partitions; partition != NULL;
         partition = partition->next) {
        if (may_raise)
            handout_raise(&partition->handout, stage->settings.mark_block);
        add_partition(stage, partition, kind, list);
    }
    if (may_raise)
        stage->is_mark_low = 0;
    if (list->cnt > 0) {
        CRASH_POINT("committing", "");
        commit = commit_send(stage, list, 0, kind != COMMIT_REGULAR);
    }
    pthread_mutex_unlock(&stage->lock);
    if (commit == NULL)
        rd_kafka_topic_partition_list_destroy(list);
    else if (kind != COMMIT_REGULAR)
        commit_wait(stage, commit);
    commit_settle(stage);
}
