/* internal.h - what the files of the stage share; nobody else includes it. Each file needs only
 * those before it in this list: state.c, ticket.c, due.c, send.c, commit.c, stage_mark.c,
 * stage_claim.c, hand.c, group.c, and stage.c with the loop. All of it belongs to the stage's
 * thread, but for what says otherwise. */
#ifndef COMMON_STAGE_INTERNAL_H
#define COMMON_STAGE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "net/health.h"
#include "net/kafka.h"
#include "net/kafka_watch.h"
#include "stage/claim.h"
#include "stage/handout.h"
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
    int parked_count; /* those behind the mark among them */
    int revoked;
    int behind_count;
    struct claim found;     /* with the committed offset, at assignment */
    int is_watched;         /* its first record, or the claimed one, is still to come */
    int pause;              /* PAUSE_ bits wanted */
    int paused;             /* what librdkafka was told */
    struct handout handout; /* mark and floor: written with the stage's lock */
    int is_mark_missing;    /* its end is to be read */
    int64_t start;          /* the committed offset at assignment; -1: none; START_UNKNOWN */
    /* What the last commit said besides the offset; guarded by the stage's lock. */
    struct claim claim;
    int64_t marked; /* or MARK_UNSURE: nobody knows what Kafka made of it */
};

enum { MARK_UNSURE = -2, START_UNKNOWN = -2 };

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

struct unsent; /* send.c */

struct stage {
    struct stage_settings settings;
    stage_handler handler; /* or */
    stage_offer offer;
    void *context;
    pthread_t thread; /* that runs stage_run() */
    rd_kafka_t *consumer;
    rd_kafka_queue_t *answers; /* to commits; any thread */
    struct producer *producer;
    struct kafka_watch *watch;
    struct partition *partitions;
    struct ticket *pool, *all;
    struct ticket *finished; /* to be settled; found so by the stage's thread */
    struct unsent *unsent;   /* what the producer had no room for, see send.c */
    struct ticket *held;     /* offered and refused */
    int held_wait_ms;
    struct ticket *behind, **behind_end; /* beyond the hand-out mark of their partition; a queue */
    struct due *due;                     /* a heap */
    int due_count, due_capacity;
    uint64_t due_sequence;
    int inflight;
    int64_t inflight_bytes;
    uint32_t assignment;  /* counts them */
    int is_mark_low;      /* a mark is to be moved as soon as may be */
    int64_t next_ends_ms; /* when ends that could not be read are asked for again; 0: none is */
    int ramp, ramp_left;  /* after a bad end: so many records at once, so many of them to come; 0 */
    int64_t ramp_ms;      /* when this step of it began */
    int paused_all;
    int64_t blocked_since_ms; /* 0: not blocked */
    int stopping;
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
    struct commit *commits;   /* that were sent and are not settled */
    struct error fatal;       /* why the stage cannot go on */
    atomic_int is_fatal;
    struct metric *records[VERDICT_DEAD + 1][REASON_COUNT];
    struct metric *bytes, *commits_done, *rewinds;
    struct metric **lag; /* per input */
};

/* state.c: what the stage knows of itself; nothing here waits or calls a handler. */

/** @brief The stage cannot go on; the first cause counts. Thread-safe. */
void stage_fail(struct stage *stage, const struct error *err);

/** @brief Whether a further record may be handed over. */
int stage_has_room(const struct stage *stage);

/** @brief The partition a message came from, or NULL when it is not ours any more. */
struct partition *partition_of_message(struct stage *stage, const rd_kafka_message_t *message);

/** @brief The assigned partition that a list names, or NULL. */
struct partition *partition_listed(struct stage *stage, const rd_kafka_topic_partition_t *listed);

/** @brief Adds a partition to a list, which is made where *list is NULL. */
rd_kafka_topic_partition_t *partition_add_to(const struct stage *stage,
                                             rd_kafka_topic_partition_list_t **list,
                                             const struct partition *partition);

void partition_release(struct partition *partition);

/** @brief Tells librdkafka which partitions are paused by now; of one without a record yet, with
 * its first one. */
void partitions_apply_pauses(struct stage *stage);

/** @brief Sets or clears PAUSE_ALL on every partition. */
void partitions_pause_all(struct stage *stage, int paused);

/** @brief Tells the partitions which topics are paused by now. */
void partitions_pause_topics(struct stage *stage);

/* ticket.c: the memory of one record under way. */

/** @brief A ticket for a consumed message, added to its partition's window; takes message. */
struct ticket *ticket_new(struct stage *stage, struct partition *partition,
                          rd_kafka_message_t *message);

/** @brief Whether a ticket's partition was revoked, or is read again from further back. */
int ticket_is_stale(const struct ticket *ticket);

/** @brief Gives a ticket back to the pool. */
void ticket_release(struct stage *stage, struct ticket *ticket);

/** @brief Copies a ticket's bytes out of its message: one that stays longer. */
void ticket_own_bytes(struct ticket *ticket);

void ticket_free_all(struct stage *stage);

/* due.c: tickets that are set aside. */

/** @brief ms until a record is due, 0 when it is: see retry_due_in_ms(). */
int64_t ticket_due_in_ms(const struct stage *stage, const struct event *event);

/** @brief Sets a ticket aside until at_ms (monotonic). */
void ticket_park(struct stage *stage, struct ticket *ticket, int64_t at_ms);

/** @brief A parked ticket whose time has come, or NULL. */
struct ticket *ticket_take_due(struct stage *stage, int64_t now_ms);

/** @brief Sets a ticket aside that is beyond its partition's hand-out mark. */
void ticket_put_behind(struct stage *stage, struct ticket *ticket);

/** @brief Takes the ticket at a link of the queue behind the marks. */
struct ticket *ticket_take_behind(struct stage *stage, struct ticket **link);

/** @brief Releases all tickets that are set aside, and the held one: their partitions are gone. */
void ticket_drop_parked(struct stage *stage);

/* send.c: a record's outputs on their way to Kafka, and what their reports mean. */

/**
 * @brief Sends a result's outputs; the last report has the ticket settled. The stage's thread does
 * not wait here: what the producer has no room for is kept, and ticket_settle_all() tries again.
 * Until then stage_has_room() says no, so the texts that the handler lent stay as they are. Other
 * threads wait for room.
 */
void ticket_send(struct stage *stage, struct ticket *ticket, struct result *result);

/** @brief Sends what was kept, then settles all tickets whose outputs are reported: window,
 * counters, second attempts. */
void ticket_settle_all(struct stage *stage);

/** @brief For producer_new(). */
void ticket_on_report(void *context, void *opaque, rd_kafka_resp_err_t error);

void ticket_free_unsent(struct stage *stage);

/* commit.c: every commit of the stage. */

enum commit_kind {
    COMMIT_REGULAR = 0,
    COMMIT_WAIT,  /* waits for the answer, 2 s at most */
    COMMIT_FINAL, /* waits, clears every claim, gives back what is left of the hand-out marks: a
                     clean stop, a revocation */
};

/** @brief Commits what is finished, and moves hand-out marks that are low. */
void group_commit(struct stage *stage, enum commit_kind kind);

/** @brief Adds an offset to a list that is about to be committed, with what stands beside it. */
void commit_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition,
                int64_t offset, const struct claim *claim, int64_t mark);

/**
 * @brief Sends a commit. Call it with the stage's lock, under which the list was made: commits are
 * so carried out in the order in which what they say was true.
 * @param list           taken
 * @param is_claim       it is about one record
 * @param is_waited_for  commit_wait() follows
 * @returns borrowed, valid until commit_wait() has returned
 */
struct commit *commit_send(struct stage *stage, rd_kafka_topic_partition_list_t *list, int is_claim,
                           int is_waited_for);

/** @brief Waits for the answer, 2 s at most (__TIMED_OUT). Any thread, without the lock. */
rd_kafka_resp_err_t commit_wait(struct stage *stage, struct commit *commit);

/** @brief Whether a commit is unanswered; with the stage's lock. */
int commit_is_pending(const struct stage *stage);

/** @brief Takes notice of the answers that have come. Cheap when there are none. */
void commit_settle(struct stage *stage);

void commit_free_all(struct stage *stage);

/* stage_mark.c: see handout.h. All of it does nothing in a stage without marks. */

/**
 * @brief Takes over the marks found with the committed offsets of partitions that were just
 * assigned; where there is none, the partition's end is read.
 * @param found  what Kafka answered; an offset of RD_KAFKA_OFFSET_INVALID: nothing is committed
 * @param is_answered  0: it did not
 */
void mark_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *found,
                   int is_answered);

/** @brief Moves marks that are low, asks again for ends. Cheap when there is nothing to do. */
void mark_mind(struct stage *stage);

/* stage_claim.c: see claim.h. */

/** @brief Makes the lock of what runs. */
void claim_init(struct stage *stage);

/** @brief Reads what stands beside the committed offsets of partitions that were just assigned:
 * hand-out marks, and claims; the claims decide whether this start is a careful one. */
void found_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *list);

/**
 * @brief The first record of a partition, or the one that a claim was found for: decides, claims an
 * ordinary one, fills the result of a poison one. Suspect ones get ticket->deaths.
 */
enum claim_verdict claim_first(struct stage *stage, struct ticket *ticket, struct result *result);

/** @brief Says in Kafka how a suspect record is: ALONE or IDLE. Waits for the answer, 2 s at most.
 */
void claim_as(struct stage *stage, struct ticket *ticket, enum claim_state state);

/** @brief Offers a record while there are suspect ones: never beside one that runs alone.
 * @returns whether it was taken */
int claim_offer(struct stage *stage, struct ticket *ticket);

/** @brief One step of the careful start: commits, then allows twice as many. Cheap when there is
 * none. */
void claim_ramp(struct stage *stage);

/* hand.c: tickets on their way to the handler. */

/** @brief Hands a ticket to the handler, or parks it until it is due (is_due: it is). */
void ticket_hand(struct stage *stage, struct ticket *ticket, int is_due);

/** @brief Offers the held ticket again. */
void ticket_offer_held(struct stage *stage);

/** @brief Hands over parked tickets whose time has come, while there is room. */
void ticket_hand_due(struct stage *stage);

/** @brief Hands over tickets that the hand-out mark has passed by now, while there is room. */
void ticket_hand_behind(struct stage *stage);

/* group.c: membership and rebalances. */

/** @brief For rd_kafka_conf_set_rebalance_cb(); opaque is the stage. */
void group_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
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

/** @brief Refreshes the lag metrics from what the client knows; no request. */
void group_measure_lag(struct stage *stage);

#endif
