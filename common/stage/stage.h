/* stage.h - the loop that filter, mapper and pusher share: consume -> handler -> produce -> commit.
 *
 * It is pipelined: thousands of records may be under way, and the committed offset of a partition
 * is the lowest one that is not finished. A record is finished when Kafka has acknowledged all
 * outputs of its result. Each record is handled at least once; outputs are produced in the order in
 * which records are completed.
 *
 * The handler gets one record and fills a result (see event.h). Either it answers at once
 * (stage_new), or it takes the record and completes it later from any thread (stage_new_async).
 *
 * A record whose header not_before is in the future is not handed over before it is due, and its
 * partition is paused meanwhile. (In a retry topic the next record of a partition is always the
 * first that is due.) */
#ifndef COMMON_STAGE_H
#define COMMON_STAGE_H

#include "base/error.h"
#include "record/event.h"
#include "record/topic.h"
#include "settings/config.h"

struct stage;
struct ticket; /* one record that is under way */

/** @brief Decides about one record. in is borrowed until the record is finished, so outputs may
 * point into it. */
typedef void (*stage_handler)(void *context, const struct event *in, struct result *out);

enum stage_answer {
    STAGE_TAKEN = 0, /* stage_complete() follows exactly once */
    STAGE_FULL, /* no room for any record now: this one is offered again soon, and all others wait */
    STAGE_FULL_FOR_IT, /* no room for records like this one: it is offered again later, and those behind it in
                          its partition wait; the records of other partitions go on */
};

/** @brief Offers one record to an asynchronous handler. Called by the stage's thread. */
typedef enum stage_answer (*stage_offer)(void *context, struct ticket *ticket,
                                         const struct event *in);

struct stage_settings {
    const struct config *config; /* keeps */
    const char *service; /* "filter": group <prefix>.filter, client id, log, metrics; keeps */
    const struct topics *topics; /* keeps */
    const char *const *inputs;   /* full names of the topics to read; keeps */
    int input_count;
    int inflight_records_max;   /* how many records may be under way at once; 0: the stage's
                                   default */
    int64_t inflight_bytes_max; /* how many bytes they may have together; 0: the stage's default */
    int mark_block; /* records by which a hand-out mark is moved ahead (handout.h); 0: no marks, for
                       handlers without effects outside Kafka */
};

/** @brief New; NULL with a permanent error. It connects when it runs. Free with stage_free(). */
struct stage *stage_new(const struct stage_settings *settings, stage_handler handler, void *context,
                        struct error *err);
struct stage *stage_new_async(const struct stage_settings *settings, stage_offer offer,
                              void *context, struct error *err);

/**
 * @brief Runs until a stop is asked for. Then it stops fetching, finishes what is under way (5 s at
 * most) and commits. It waits for brokers that cannot be reached.
 * @returns 0 after a stop; -1 with an error that it cannot handle (exit 111 or 100)
 */
int stage_run(struct stage *stage, struct error *err);
void stage_free(struct stage *stage);

/** @brief The record of a ticket; borrowed until completed. */
const struct event *ticket_event(const struct ticket *ticket);

/** @brief Completes a record of an asynchronous stage. Thread-safe. Takes owned values; copies
 * everything else that it needs. */
void stage_complete(struct stage *stage, struct ticket *ticket, struct result *result);

/** @brief Says that there is room again, so that a record that was refused is offered at once.
 * stage_complete() says it too. Call this where the room comes only after that call (a worker that
 * is idle again); it saves up to 20 ms. Thread-safe. */
void stage_wake(struct stage *stage);

/** @brief Gives a record back unfinished: nothing is produced and its offset is not committed, so
 * it is read again after a restart, or by the new owner of its partition. For shutdown, and where
 * stage_is_revoked(). Thread-safe. */
void stage_abandon(struct stage *stage, struct ticket *ticket);

/** @brief Whether the record's partition was revoked, so that another process may have the record
 * too. Nothing is to be begun for it then; it is given back by stage_abandon(). Thread-safe. */
int stage_is_revoked(struct stage *stage, const struct ticket *ticket);

/** @brief An asynchronous handler calls stage_begin() before it works on a record, and stage_end()
 * after it, both from the same thread. Usually several records are worked on at the same time. But
 * if the program ended before while it worked on this record, stage_begin() first waits until no
 * other record is in work, and then writes into Kafka that only this one is (see claim.h).
 * is_set_aside: the record is not finished and is worked on again later. Thread-safe. */
void stage_begin(struct stage *stage, struct ticket *ticket);
void stage_end(struct stage *stage, struct ticket *ticket, int is_set_aside);

/** @brief Pauses or resumes all partitions of one input topic, also those that are assigned later.
 * Thread-safe. */
void stage_set_paused(struct stage *stage, const char *topic, int paused);

/** @brief Asks for one record of a paused topic, from the partition that delivers one first. The
 * topic is paused again with that record. The request stays until a record comes. Thread-safe. */
void stage_take_one(struct stage *stage, const char *topic);

/* Results that all stages make in the same way. Each fills output 0; texts are borrowed until the
 * record is finished. */

/** @brief DEAD: the original key and bytes go to the dead topic, with reason, detail, stage and
 * origin. */
void result_dead(struct result *result, const struct stage_settings *settings,
                 const struct event *in, enum reason reason, const char *detail);

/** @brief DEAD too_large: as the bytes fit into no topic, the value is the id and the size. */
void result_too_large(struct result *result, const struct stage_settings *settings,
                      const struct event *in, size_t size_bytes);

/** @brief SKIP: value (malloc()ed JSON, taken) goes to the skipped topic. Where in came from a
 * replay, a tombstone goes to the dead topic as well. */
void result_skip(struct result *result, const struct stage_settings *settings,
                 const struct event *in, enum reason reason, const char *detail, char *value,
                 size_t value_length);

#endif
