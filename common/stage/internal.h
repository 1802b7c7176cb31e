/* internal.h - what the files of the stage share; no other file includes it. Each file needs only
 * those before it in this list: measure.c, state.c, ticket.c, due.c, send.c, commit.c, stage_mark.c,
 * stage_claim.c, hand.c, group.c, and stage.c with the loop. Only the stage's thread uses these
 * members and functions, unless a comment says otherwise. */
#ifndef COMMON_STAGE_INTERNAL_H
#define COMMON_STAGE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "net/health.h"
#include "net/kafka.h"
#include "net/kafka_watch.h"
#include "record/trace.h"
#include "stage/claim.h"
#include "stage/handout.h"
#include "stage/stage.h"
#include "stage/window.h"

enum { TICKET_REDO_MS = 1000 }; /* wait before a record is produced again that Kafka did not take */

/* The reasons for a pause. A partition is paused while any of these bits is set. */
enum {
    PAUSE_TOPIC = 1 << 0, /* stage_set_paused() */
    PAUSE_DUE = 1 << 1,   /* its next record is not due yet */
    PAUSE_ALL = 1 << 2,   /* there is no room for any record */
};

/* The state of an input topic, set by stage_set_paused() and stage_take_one(). */
enum { TOPIC_READ = 0, TOPIC_PAUSED, TOPIC_ONE };

/* An assigned partition. After its revocation it stays until its last ticket is released. */
struct partition {
    struct partition *next;
    int input; /* index into settings.inputs */
    int32_t id;
    const rd_kafka_topic_t *rkt; /* only for comparison; NULL before the first record */
    struct window window;
    int64_t committed; /* the committed offset as far as we know; -1: it is to be committed again */
    int64_t sought;    /* the offset that was sought because of a gap, or -1 */
    int ticket_count;
    int parked_count; /* includes those that wait behind the mark */
    int revoked;
    int behind_count;
    int64_t offer_ms;       /* the first record behind was refused alone: when it is offered again,
                               monotonic; else 0 */
    struct claim found;     /* the claim that was beside the committed offset at the assignment */
    int is_watched;         /* its first record, or the claimed one, has not come yet */
    int pause;              /* the PAUSE_ bits that are wanted */
    int paused;             /* 1: librdkafka was told to pause it */
    struct handout handout; /* mark and floor are written with the stage's lock held */
    int is_mark_missing;    /* 1: no mark was found, and its end must still be read */
    int64_t start;          /* the committed offset at assignment; -1: none; START_UNKNOWN */
    /* What was last committed beside the offset. Protected by the stage's lock. */
    struct claim claim;
    int64_t marked; /* or MARK_UNSURE: nobody knows what Kafka made of it */
    int is_leaving; /* 1: it is being revoked; from now on others may have its records in hand.
                       Protected by the stage's lock */
};

enum { MARK_UNSURE = -2, START_UNKNOWN = -2 };

struct ticket {
    struct ticket *next;     /* next in the pool, or in a list of tickets to be settled */
    struct ticket *all_next; /* list of all tickets that were ever made */
    struct stage *stage;
    struct event event;
    rd_kafka_message_t *message; /* owned; NULL: the event's bytes are in copy */
    char *copy;                  /* owned, or NULL */
    char trace[TRACE_BYTES];     /* the event's header traceparent, with the stage's own span id */
    struct partition *partition;
    uint32_t generation; /* generation of the window when it was added */
    size_t bytes;
    int handed;        /* 1: it is counted in inflight */
    int64_t handed_ms; /* since when, monotonic */
    int abandoned;
    int deaths;       /* how many starts ended under it; above 0: it runs alone, see claim.h */
    int offered;      /* 1: it was offered before, and the program did not end by it */
    int64_t claim_at; /* deaths > 0: the offset with which its claims are committed */
    int is_too_large; /* 1: its too_large record is under way */
    size_t too_large_bytes;
    enum verdict verdict;
    enum reason reason;
    atomic_int
        waits; /* how many reports are missing, plus one while its outputs are being sent; any
                  thread */
    atomic_int failed; /* rd_kafka_resp_err_t of an output; any thread */
};

/* A ticket that waits until it is due. */
struct due {
    int64_t at_ms; /* monotonic clock */
    uint64_t sequence;
    struct ticket *ticket;
};

struct unsent; /* send.c */

/* What an input is for; the times that records wait in it are counted apart. */
/* A lane's topics, in the order of enum topic_lane, then the others. */
enum input_kind { INPUT_LANE = 0, INPUT_RETRY = TOPIC_LANE_COUNT, INPUT_WAITING, INPUT_KIND_COUNT };

/* How far the stage is behind in one input. */
struct lag {
    enum input_kind kind;
    struct metric *records;
    struct metric *age; /* of the oldest record that is not finished */
    int64_t oldest_ms;  /* when the oldest record under way came in; 0: none is under way */
    int64_t since_ms;   /* when the oldest record came in, under way or not; 0: there is none */
};

struct stage {
    struct stage_settings settings;
    stage_handler handler; /* or offer: one of the two */
    stage_offer offer;
    void *context;
    pthread_t thread; /* the thread that runs stage_run() */
    rd_kafka_t *consumer;
    rd_kafka_queue_t *answers; /* answers to commits; any thread */
    struct producer *producer;
    struct kafka_watch *watch;
    struct partition *partitions;
    struct ticket *pool, *all;
    struct ticket *finished; /* tickets to be settled; only the stage's thread adds to it */
    struct unsent *unsent;   /* outputs for which the producer had no room, see send.c */
    struct ticket *held;     /* the ticket that was offered and refused */
    int held_wait_ms;
    struct ticket *behind, **behind_end; /* tickets beyond the hand-out mark of their partition, or
                                            behind one that was refused alone; a queue */
    struct due *due;                     /* a heap */
    int due_count, due_capacity;
    uint64_t due_sequence;
    int inflight;
    int64_t inflight_bytes;
    uint32_t assignment;  /* how many assignments there were */
    int is_mark_low;      /* a mark has to be moved soon */
    int64_t next_ends_ms; /* when to ask again for ends that could not be read; 0: there are none */
    int ramp, ramp_left;  /* careful start: how many records may run at once, and how many of
                             them are still to come; else 0 */
    int64_t ramp_ms;      /* when this step of the careful start began */
    int paused_all;
    int64_t blocked_since_ms; /* 0: not blocked */
    int stopping;
    int64_t next_commit_ms, next_lag_ms, failure_logged_ms;
    int64_t rejoin_ms; /* when to join the group again; 0: no need */
    int64_t bytes_before,
        bytes_trimmed;        /* bytes consumed: at the last look, and when memory was last given
                                 back */
    atomic_int *topic_paused; /* per input: TOPIC_READ ...; any thread */
    atomic_int pause_changed; /* any thread */
    atomic_int ended;         /* 1: nothing more is sent; any thread */
    int suspects;             /* how many tickets have deaths > 0 */
    atomic_int is_alone;      /* one of them runs, or has run and is not settled yet; any thread */
    pthread_rwlock_t running; /* a record that runs alone has the write lock; any thread */
    pthread_mutex_t lock;     /* protects the next members; any thread */
    pthread_cond_t signal;
    int woken;
    struct ticket *completed; /* tickets to be settled; other threads add to it */
    struct commit *commits;   /* commits that were sent and are not settled */
    struct error fatal;       /* why the stage cannot go on */
    atomic_int is_fatal;
    struct metric *records[VERDICT_DEAD + 1][REASON_COUNT];
    struct metric *bytes, *commits_done, *rewinds, *assigned;
    struct histogram *processing, *waiting[INPUT_KIND_COUNT];
    struct lag *lags; /* per input */
};

/* measure.c: what /metrics tells about the stage. */

void measure_init(struct stage *stage);

/** @brief A ticket was handed over now: how long its record waited in its topic. */
void measure_handed(struct stage *stage, struct ticket *ticket);

/** @brief A ticket's record is finished: its fate, and how long it took. */
void measure_finished(struct stage *stage, const struct ticket *ticket);

/** @brief Measures how many records of each input are not finished, and how old the oldest is. */
void measure_lag(struct stage *stage);

/* state.c: what the stage knows about itself. Nothing here waits or calls a handler. */

/** @brief Says that the stage cannot go on. The first cause is kept. Thread-safe. */
void stage_fail(struct stage *stage, const struct error *err);

/** @brief Whether one more record may be handed over. */
int stage_has_room(const struct stage *stage);

/** @brief The partition that a message came from, or NULL when it is not assigned to us
 * any more. */
struct partition *partition_of_message(struct stage *stage, const rd_kafka_message_t *message);

/** @brief The assigned partition that a list names, or NULL. */
struct partition *partition_listed(struct stage *stage, const rd_kafka_topic_partition_t *listed);

/** @brief Adds a partition to a list. The list is made where *list is NULL. */
rd_kafka_topic_partition_t *partition_add_to(const struct stage *stage,
                                             rd_kafka_topic_partition_list_t **list,
                                             const struct partition *partition);

void partition_release(struct partition *partition);

/** @brief Tells librdkafka which partitions are to be paused now. A partition without a record yet
 * is told about with its first one. */
void partitions_apply_pauses(struct stage *stage);

/** @brief Sets or clears PAUSE_ALL on every partition. */
void partitions_pause_all(struct stage *stage, int paused);

/** @brief Sets on each partition whether its topic is paused now. */
void partitions_pause_topics(struct stage *stage);

/* ticket.c: the memory of one record under way. */

/** @brief Makes a ticket for a consumed message (taken) and adds it to its partition's window. */
struct ticket *ticket_new(struct stage *stage, struct partition *partition,
                          rd_kafka_message_t *message);

/** @brief Whether a ticket's partition was revoked, or is being read again from further back. */
int ticket_is_stale(const struct ticket *ticket);

/** @brief Puts a ticket back into the pool. */
void ticket_release(struct stage *stage, struct ticket *ticket);

/** @brief Copies a ticket's bytes out of its message. For a ticket that stays longer. */
void ticket_own_bytes(struct ticket *ticket);

void ticket_free_all(struct stage *stage);

/* due.c: tickets that are set aside. */

/** @brief ms until a record is due, 0 when it is: see retry_due_in_ms(). */
int64_t ticket_due_in_ms(const struct stage *stage, const struct event *event);

/** @brief Sets a ticket aside until at_ms (monotonic). */
void ticket_park(struct stage *stage, struct ticket *ticket, int64_t at_ms);

/** @brief Returns a ticket that was set aside and whose time has come, or NULL. */
struct ticket *ticket_take_due(struct stage *stage, int64_t now_ms);

/** @brief Sets a ticket aside that is beyond its partition's hand-out mark, or behind another one
 * that was set aside so. */
void ticket_put_behind(struct stage *stage, struct ticket *ticket);

/** @brief Takes back a ticket that was offered and refused alone. It stays the first one of its partition. */
void ticket_put_back(struct stage *stage, struct ticket *ticket);

/** @brief Removes the ticket at a link of the queue of those that were set aside so. */
struct ticket *ticket_take_behind(struct stage *stage, struct ticket **link);

/** @brief Releases all tickets that were set aside, and the held one, because their partitions were
 * revoked. */
void ticket_drop_parked(struct stage *stage);

/* send.c: sends the outputs of a record to Kafka, and handles their reports. */

/**
 * @brief Sends the outputs of a result. The last report has the ticket settled.
 *
 * The stage's thread does not wait here: outputs for which the producer has no room are kept, and
 * ticket_settle_all() tries again. Until then stage_has_room() says no, so the texts that the
 * handler lent stay valid. Other threads wait for room.
 */
void ticket_send(struct stage *stage, struct ticket *ticket, struct result *result);

/** @brief Sends what was kept. Then settles all tickets whose outputs are reported: updates window
 * and counters, or sends again what failed. */
void ticket_settle_all(struct stage *stage);

/** @brief The report function for producer_new(). */
void ticket_on_report(void *context, void *opaque, rd_kafka_resp_err_t error);

void ticket_free_unsent(struct stage *stage);

/* commit.c: every commit of the stage. */

enum commit_kind {
    COMMIT_REGULAR = 0,
    COMMIT_WAIT,  /* waits for the answer, 2 s at most */
    COMMIT_FINAL, /* waits for the answer, clears every claim and gives back the unused part of
                     the hand-out marks: for a clean stop or a revocation */
};

/** @brief Commits what is finished, and moves hand-out marks that are low. */
void group_commit(struct stage *stage, enum commit_kind kind);

/** @brief Adds an offset, with its claim and mark, to a list that is about to be committed. */
void commit_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition,
                int64_t offset, const struct claim *claim, int64_t mark);

/**
 * @brief Sends a commit. Call it with the same hold of the stage's lock under which the list was
 * made, so that commits are sent in the order in which their contents were decided.
 * @param list           taken
 * @param is_claim       it is about one record
 * @param is_waited_for  commit_wait() follows
 * @returns borrowed, valid until commit_wait() has returned
 */
struct commit *commit_send(struct stage *stage, rd_kafka_topic_partition_list_t *list, int is_claim,
                           int is_waited_for);

/** @brief Waits for the answer, 2 s at most (__TIMED_OUT). Any thread; the lock must not be
 * held. */
rd_kafka_resp_err_t commit_wait(struct stage *stage, struct commit *commit);

/** @brief Whether a commit is unanswered. The stage's lock must be held. */
int commit_is_pending(const struct stage *stage);

/** @brief Handles the answers that have come. It is cheap when there are none. */
void commit_settle(struct stage *stage);

void commit_free_all(struct stage *stage);

/* stage_mark.c: see handout.h. All of it does nothing in a stage without marks. */

/**
 * @brief Uses the marks that were found beside the committed offsets of partitions that were just
 * assigned. Where there is none, it reads the partition's end.
 * @param found        what Kafka answered; an offset of RD_KAFKA_OFFSET_INVALID: nothing is
 * committed
 * @param is_answered  0: Kafka did not answer
 */
void mark_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *found,
                   int is_answered);

/** @brief Moves marks that are low, and asks again for ends that could not be read. It is cheap
 * when there is nothing to do. */
void mark_mind(struct stage *stage);

/* stage_claim.c: see claim.h. */

/** @brief Makes the lock `running`. */
void claim_init(struct stage *stage);

/** @brief Reads what is beside the committed offsets of partitions that were just assigned:
 * hand-out marks, and claims. The claims decide whether this start is a careful one. */
void found_assigned(struct stage *stage, const rd_kafka_topic_partition_list_t *list);

/** @brief Decides about the first record of a partition, or the one for which a claim was found. An
 * ordinary record gets a claim; for a poison one the result is filled; a suspect one gets
 * ticket->deaths. */
enum claim_verdict claim_first(struct stage *stage, struct ticket *ticket, struct result *result);

/** @brief Writes to Kafka whether a suspect record is ALONE or IDLE. Waits for the answer, 2 s at
 * most. */
void claim_as(struct stage *stage, struct ticket *ticket, enum claim_state state);

/** @brief Offers a record while there are suspect ones, but never beside one that runs alone. */
enum stage_answer claim_offer(struct stage *stage, struct ticket *ticket);

/** @brief One step of the careful start: commits, then allows twice as many records. It is cheap
 * when there is no careful start. */
void claim_ramp(struct stage *stage);

/* hand.c: tickets on their way to the handler. */

/** @brief Hands a ticket to the handler, or sets it aside until it is due.
 * is_due: it is due now. */
void ticket_hand(struct stage *stage, struct ticket *ticket, int is_due);

/** @brief Offers the held ticket again. */
void ticket_offer_held(struct stage *stage);

/** @brief Hands over the tickets whose time has come, while there is room. */
void ticket_hand_due(struct stage *stage);

/** @brief Hands over the tickets that are below the hand-out mark by now, and offers those again that
 * were refused alone, while there is room. */
void ticket_hand_behind(struct stage *stage);

/* group.c: membership and rebalances. */

/** @brief The callback for rd_kafka_conf_set_rebalance_cb(); opaque is the stage. */
void group_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *list, void *opaque);

/**
 * @brief Subscribes to the inputs. A second call leaves the group and joins it again.
 * @returns 0; -1 with a permanent error
 */
int group_subscribe(struct stage *stage, struct error *err);

/** @brief Looks at an error of the consumer. Where it says that partitions were assigned without a
 * place to start from, the group is joined again a second later. */
void group_note_error(struct stage *stage, const rd_kafka_message_t *message);

/** @brief Joins the group again when that is due. It is cheap when it is not. */
void group_rejoin_when_due(struct stage *stage);

#endif
