/* internal.h - what the files of the stage share: stage.c (the loop), ticket.c (one
 * record's way through), group.c (partitions, rebalances, pauses, commits), result.c. Nobody
 * else includes it. All of it belongs to the stage's thread, but for what says otherwise. */
#ifndef COMMON_STAGE_INTERNAL_H
#define COMMON_STAGE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "net/health.h"
#include "net/kafka.h"
#include "net/kafka_watch.h"
#include "stage/claim.h"
#include "stage/stage.h"
#include "stage/window.h"

enum { TICKET_REDO_MS = 1000 }; /* until what Kafka did not take is done again */

/* Why a partition is paused; it is while any bit is set. */
enum {
    PAUSE_TOPIC = 1 << 0, /* stage_set_paused() */
    PAUSE_DUE = 1 << 1,   /* its next record is not due yet */
    PAUSE_ALL = 1 << 2,   /* nothing can be taken at present */
};

/* What stage_set_paused() and stage_take_one() made of an input topic. */
enum { TOPIC_READ = 0, TOPIC_PAUSED, TOPIC_ONE };

/* An assigned partition; after its revocation it stays until its last ticket is released. */
struct partition {
    struct partition *next;
    int input; /* index into settings.inputs */
    int32_t id;
    const rd_kafka_topic_t *rkt; /* only compared; NULL before the first record */
    struct window window;
    int64_t committed; /* as far as we know; -1: commit again */
    int64_t sought;    /* the offset that was sought because of a gap; -1 */
    int ticket_count;
    int parked_count;
    int revoked;
    struct claim found; /* with the committed offset, at assignment */
    int is_watched;     /* its first record, or the claimed one, is still to come */
    int is_claimed;     /* the committed offset carries a claim of ours, or the one found */
    int pause;          /* PAUSE_ bits wanted */
    int paused;         /* what librdkafka was told */
};

struct ticket {
    struct ticket *next;     /* in the pool or a list of tickets to settle */
    struct ticket *all_next; /* every ticket ever made */
    struct stage *stage;
    struct event event;
    rd_kafka_message_t *message; /* owned; NULL: event's bytes lie in copy */
    char *copy;                  /* owned, or NULL */
    struct partition *partition;
    uint32_t generation; /* the window's when it was added */
    size_t bytes;
    int handed; /* counted in inflight */
    int abandoned;
    int deaths;       /* starts that ended under it; above 0: it runs alone, see claim.h */
    int offered;      /* it was offered once, and the offer was survived */
    int64_t claim_at; /* deaths > 0: the offset that its claims are committed with */
    int is_too_large; /* its too_large record is under way */
    size_t too_large_bytes;
    enum verdict verdict;
    enum reason reason;
    atomic_int
        waits; /* reports outstanding, plus one while its outputs are being sent; any thread */
    atomic_int failed; /* rd_kafka_resp_err_t of an output; any thread */
};

/* A ticket that waits for its time. */
struct due {
    int64_t at_ms; /* monotonic */
    uint64_t sequence;
    struct ticket *ticket;
};

struct stage {
    struct stage_settings settings;
    stage_handler handler; /* or */
    stage_offer offer;
    void *context;
    pthread_t thread; /* that runs stage_run() */
    rd_kafka_t *consumer;
    struct producer *producer;
    struct kafka_watch *watch;
    struct partition *partitions;
    struct ticket *pool, *all;
    struct ticket *finished; /* to be settled; found so by the stage's thread */
    struct ticket *held;     /* offered and refused */
    int held_wait_ms;
    struct due *due; /* a heap */
    int due_count, due_capacity;
    uint64_t due_sequence;
    int inflight;
    int64_t inflight_bytes;
    int ramp, ramp_left; /* after a bad end: so many records at once, so many of them to come; 0 */
    int64_t ramp_ms;     /* when this step of it began */
    int paused_all;
    int64_t blocked_since_ms; /* 0: not blocked */
    int in_rebalance;
    int stopping;
    int64_t stop_seen_ms; /* when the stage's thread, waiting for room, first saw the stop; 0 */
    int64_t next_commit_ms, next_lag_ms, failure_logged_ms;
    int64_t rejoin_ms; /* when the group is joined again; 0: it is not */
    int64_t bytes_before,
        bytes_trimmed;        /* consumed: at the last look, at the last return of memory */
    atomic_int *topic_paused; /* per input: TOPIC_READ ...; any thread */
    atomic_int pause_changed; /* any thread */
    atomic_int ended;         /* nothing more is sent; any thread */
    int suspects;             /* tickets with deaths */
    atomic_int is_alone;      /* one of them runs, or has run and is not settled yet; any thread */
    pthread_rwlock_t running; /* written by a record that runs alone: any thread */
    pthread_mutex_t lock;     /* of what follows: any thread */
    pthread_cond_t signal;
    int woken;
    struct ticket *completed; /* to be settled; found so by other threads */
    struct error fatal;       /* why the stage cannot go on */
    atomic_int is_fatal;
    struct metric *records[VERDICT_DEAD + 1][REASON_COUNT];
    struct metric *bytes, *commits, *rewinds;
    struct metric **lag; /* per input */
};

/* ticket.c */

/** @brief A ticket for a consumed message, added to its partition's window; takes message. */
struct ticket *ticket_new(struct stage *stage, struct partition *partition,
                          rd_kafka_message_t *message);

/** @brief Hands a ticket to the handler, or parks it until it is due (is_due: it is). */
void ticket_hand(struct stage *stage, struct ticket *ticket, int is_due);

/** @brief Offers the held ticket again. */
void ticket_offer_held(struct stage *stage);

/** @brief Whether a ticket's partition was revoked, or is read again from further back. */
int ticket_is_stale(const struct ticket *ticket);

/** @brief Gives a ticket back to the pool. */
void ticket_release(struct stage *stage, struct ticket *ticket);

/** @brief Copies a ticket's bytes out of its message: one that stays longer. */
void ticket_own_bytes(struct ticket *ticket);

/* due.c */

/** @brief ms until a record is due, 0 when it is: see retry_due_in_ms(). */
int64_t ticket_due_in_ms(const struct stage *stage, const struct event *event);

/** @brief Sets a ticket aside until at_ms (monotonic). */
void ticket_park(struct stage *stage, struct ticket *ticket, int64_t at_ms);

/** @brief Hands over parked tickets whose time has come, while there is room. */
void ticket_hand_due(struct stage *stage);

/** @brief Releases all parked tickets and the held one: their partitions are gone. */
void ticket_drop_parked(struct stage *stage);

/* ticket.c again */

/** @brief Settles all tickets whose outputs are reported: window, counters, second attempts. */
void ticket_settle_all(struct stage *stage);

/** @brief For producer_new(). */
void ticket_on_report(void *context, void *opaque, rd_kafka_resp_err_t error);

void ticket_free_all(struct stage *stage);

/* group.c */

/** @brief For rd_kafka_conf_set_rebalance_cb() and rd_kafka_conf_set_offset_commit_cb(); opaque is
 * the stage. */
void group_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *list, void *opaque);
void group_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                     rd_kafka_topic_partition_list_t *list, void *opaque);

/** @brief Subscribes to the inputs; where it has done so before, the group is left and joined
 * again.
 * @returns 0; -1 with a permanent error */
int group_subscribe(struct stage *stage, struct error *err);

/** @brief Has the group joined again a second later, where an error says that partitions were
 * assigned without a place to start from. */
void group_note_error(struct stage *stage, const rd_kafka_message_t *message);

/** @brief Joins the group again where that is due. Cheap when it is not. */
void group_rejoin_when_due(struct stage *stage);

/** @brief The partition a message came from, or NULL when it is not ours any more. */
struct partition *group_find(struct stage *stage, const rd_kafka_message_t *message);

/** @brief The assigned partition that a list names, or NULL. */
struct partition *group_find_listed(struct stage *stage, const rd_kafka_topic_partition_t *listed);

/** @brief Tells librdkafka which partitions are paused by now; of one without a record yet, with
 * its first one. */
void group_apply_pauses(struct stage *stage);

/** @brief Sets or clears PAUSE_ALL on every partition. */
void group_pause_all(struct stage *stage, int paused);

enum commit {
    COMMIT_REGULAR = 0,
    COMMIT_WAIT,  /* waits for the answer, 2 s at most */
    COMMIT_FINAL, /* waits, and clears every claim: a clean stop, a revocation */
};

/** @brief Commits what is finished. */
void group_commit(struct stage *stage, enum commit how);

/** @brief Commits list and waits for the answer, 2 s at most (__TIMED_OUT). Thread-safe. */
rd_kafka_resp_err_t group_commit_wait(struct stage *stage, rd_kafka_topic_partition_list_t *list);

/** @brief Refreshes the lag metrics from what the client knows; no request. */
void group_measure_lag(struct stage *stage);

void partition_release(struct partition *partition);

/* stage_claim.c: see claim.h. */

/** @brief Makes the lock of what runs. */
void claim_init(struct stage *stage);

/** @brief Reads the claims of partitions that were just assigned; decides whether this start is a
 * careful one. */
void claim_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *list);

/**
 * @brief The first record of a partition, or the one that a claim was found for: decides, claims an
 * ordinary one, fills the result of a poison one. Suspect ones get ticket->deaths.
 */
enum claim_verdict claim_first(struct stage *stage, struct ticket *ticket, struct result *result);

/** @brief Says in Kafka how a suspect record is: ALONE or IDLE. Waits for the answer, 2 s at most.
 */
void claim_as(struct stage *stage, const struct ticket *ticket, enum claim_state state);

/** @brief Offers a record while there are suspect ones: never beside one that runs alone.
 * @returns whether it was taken */
int claim_offer(struct stage *stage, struct ticket *ticket);

/** @brief Puts a claim beside an offset that is about to be committed; CLAIM_NONE: none. */
void claim_set(rd_kafka_topic_partition_t *listed, const struct claim *claim);

/** @brief One step of the careful start: commits, then allows twice as many. Cheap when there is
 * none. */
void claim_ramp(struct stage *stage);

/* stage.c */

/** @brief Takes a consumed message: window, then handler (stash: later); takes message. */
void stage_take(struct stage *stage, rd_kafka_message_t *message, int stash);

/** @brief Whether a further record may be handed over. */
int stage_has_room(const struct stage *stage);

/** @brief Tells the partitions which topics are paused by now. */
void stage_apply_topic_pauses(struct stage *stage);

/**
 * @brief Waits up to wait_ms for reports or completions while nothing can be handed over, and keeps
 * the membership of the group alive meanwhile.
 */
void stage_breathe(struct stage *stage, int wait_ms);

/** @brief The stage cannot go on; the first cause counts. Thread-safe. */
void stage_fail(struct stage *stage, const struct error *err);

#endif
