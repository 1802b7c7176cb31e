#include "stage/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    FOUND_TIMEOUT_MS = 3000,
    RAMP_STEP_MS = 1000, /* longest time of one step of a careful start */
};

/* Makes the lock so that a writer goes before new readers: a record that runs alone waits for the
 * records that run, and those that come after it wait for it. */
void claim_init(struct stage *stage)
{
    pthread_rwlockattr_t attributes;

    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&stage->running, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static int poison_after(const struct stage *stage)
{
    return (int)stage->settings.config->kafka.poison_after;
}

static void note_unclean(struct stage *stage, int unclean)
{
    if (unclean == 0)
        return;
    stage->ramp = stage->ramp_left = 1;
    stage->ramp_ms = clock_monotonic_ms();
    log_info("the last program ended without stopping, starting with care partitions=%d", unclean);
}

void found_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *found;
    int unclean = 0, is_answered;

    if ((poison_after(stage) == 0 && stage->settings.mark_block == 0) || list->cnt == 0)
        return;
    found = rd_kafka_topic_partition_list_copy(list);
    is_answered =
        rd_kafka_committed(stage->consumer, found, FOUND_TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    /* Without an answer no record is suspect. If one of them ends the program now, its claim is
     * found at the next start. */
    if (!is_answered)
        log_warn("kafka committed offsets not read, records are taken as unknown");
    for (int i = 0; i < found->cnt && poison_after(stage) > 0; i++) {
        struct partition *partition = partition_listed(stage, &found->elems[i]);

        if (partition == NULL)
            continue;
        claim_parse((struct text){found->elems[i].metadata, found->elems[i].metadata_size},
                    &partition->found);
        partition->is_watched = 1;
        unclean += claim_is_unclean(&partition->found);
    }
    if (stage->settings.mark_block > 0)
        mark_assigned(stage, found, is_answered);
    rd_kafka_topic_partition_list_destroy(found);
    note_unclean(stage, unclean);
}

/* Writes a claim. Any thread. is_first: the hand-out mark may be moved with it. None is written for
 * a partition that was revoked: Kafka takes commits of any member for any partition, so the new
 * owner's offset and mark would be replaced by older ones. @returns whether Kafka has it */
static int write_claim(struct stage *stage, struct ticket *ticket, int64_t committed,
                       const struct claim *claim, int is_first)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    struct partition *partition = ticket->partition;
    const struct event *event = &ticket->event;
    const struct log_about about = event_about(event), *before;
    struct commit *commit;
    rd_kafka_resp_err_t code;

    pthread_mutex_lock(&stage->lock);
    if (partition->is_leaving || rd_kafka_assignment_lost(stage->consumer)) {
        pthread_mutex_unlock(&stage->lock);
        rd_kafka_topic_partition_list_destroy(list);
        return 0;
    }
    if (is_first && !commit_is_pending(stage))
        handout_raise(&partition->handout, stage->settings.mark_block);
    partition->claim = *claim;
    partition->marked = partition->handout.mark;
    commit_add(list, event->topic, event->partition, committed, claim, partition->marked);
    commit = commit_send(stage, list, 1, 1);
    pthread_mutex_unlock(&stage->lock);
    code = commit_wait(stage, commit);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    /* A record whose claim cannot be written is handed over all the same, because trouble with
     * Kafka must not stop the work. */
    before = log_set_about(&about);
    log_warn("kafka claim not written topic=%s partition=%d offset=%lld error=\"%s\"", event->topic,
             event->partition, (long long)event->offset, rd_kafka_err2str(code));
    log_set_about(before);
    return 0;
}

static void set_poison(struct stage *stage, struct ticket *ticket, int deaths,
                       struct result *result)
{
    const struct event *event = &ticket->event;
    const struct log_about about = event_about(event);
    const struct log_about *before = log_set_about(&about);
    char detail[sizeof(result->detail)];

    snprintf(detail, sizeof(detail), "%d starts of %s in a row ended under it", deaths,
             stage->settings.service);
    log_error("poison set aside origin=%s/%d/%lld starts=%d", event->topic, event->partition,
              (long long)event->offset, deaths);
    log_set_about(before);
    metric_add(metric_counter("bigfusion_alarms_total", "Alarms raised", "kind=\"poison\""), 1);
    result_dead(result, &stage->settings, event, REASON_POISON, detail);
}

enum claim_verdict claim_first(struct stage *stage, struct ticket *ticket, struct result *result)
{
    struct partition *partition = ticket->partition;
    const struct event *event = &ticket->event;
    uint64_t key = claim_key(event->key);
    int deaths = claim_deaths(&partition->found, event->offset, key);
    enum claim_verdict verdict = claim_decide(deaths, poison_after(stage));
    int64_t committed = window_committable(&partition->window);
    struct claim claim = {CLAIM_OPEN, event->offset, key, 0};

    partition->is_watched = 0;
    if (verdict == CLAIM_POISON) {
        set_poison(stage, ticket, deaths, result);
        return verdict;
    }
    /* This keeps a regular commit of the same offset from removing the claim. */
    partition->committed = committed;
    if (verdict == CLAIM_SUSPECT) {
        ticket->deaths = deaths;
        stage->suspects++;
        ticket->claim_at = committed;
        partition->claim = partition->found;
    } else if (!write_claim(stage, ticket, committed, &claim, 1)) {
        partition->committed = -1;
    }
    commit_settle(stage);
    return verdict;
}

void claim_as(struct stage *stage, struct ticket *ticket, enum claim_state state)
{
    struct claim claim = {state, ticket->event.offset, claim_key(ticket->event.key),
                          ticket->deaths};

    write_claim(stage, ticket, ticket->claim_at, &claim, 0);
}

int stage_is_revoked(struct stage *stage, const struct ticket *ticket)
{
    int is_leaving;

    pthread_mutex_lock(&stage->lock);
    is_leaving = ticket->partition->is_leaving;
    pthread_mutex_unlock(&stage->lock);
    return is_leaving;
}

void stage_begin(struct stage *stage, struct ticket *ticket)
{
    if (ticket->deaths == 0) {
        pthread_rwlock_rdlock(&stage->running);
        return;
    }
    pthread_rwlock_wrlock(&stage->running);
    atomic_store(&stage->is_alone, 1);
    claim_as(stage, ticket, CLAIM_ALONE);
}

void stage_end(struct stage *stage, struct ticket *ticket, int is_set_aside)
{
    /* This comes before any other record runs: if the program ends after it, this record was not
     * the reason. */
    if (ticket->deaths > 0) {
        claim_as(stage, ticket, is_set_aside ? CLAIM_IDLE : CLAIM_RAMP);
        if (is_set_aside)
            atomic_store(&stage->is_alone, 0);
    }
    pthread_rwlock_unlock(&stage->running);
}

/* The stage's thread does not wait for records that run: the record is held and offered again
 * soon. */
enum stage_answer claim_offer(struct stage *stage, struct ticket *ticket)
{
    int claims = ticket->deaths > 0 && !ticket->offered;
    enum stage_answer answer;

    if ((claims ? pthread_rwlock_trywrlock(&stage->running)
                : pthread_rwlock_tryrdlock(&stage->running)) != 0)
        return STAGE_FULL;
    if (claims)
        claim_as(stage, ticket, CLAIM_ALONE);
    ticket->offered = 1;
    answer = stage->offer(stage->context, ticket, &ticket->event);
    if (claims)
        claim_as(stage, ticket, CLAIM_IDLE);
    pthread_rwlock_unlock(&stage->running);
    return answer;
}

void claim_ramp(struct stage *stage)
{
    int64_t now_ms = clock_monotonic_ms();

    if (stage->ramp_left == stage->ramp ||
        (stage->inflight > 0 &&
         (now_ms - stage->ramp_ms < RAMP_STEP_MS || atomic_load(&stage->is_alone))))
        return;
    group_commit(stage, COMMIT_WAIT);
    stage->ramp *= 2;
    stage->ramp_left = stage->ramp;
    stage->ramp_ms = now_ms;
    if (stage->ramp >= stage->settings.inflight_records_max)
        stage->ramp = 0;
}
