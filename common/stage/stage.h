/* stage.h - the loop that filter, mapper and pusher share: consume -> handler -> produce -> commit.
 * Pipelined: thousands of records may be under way; the commit of a partition follows its lowest
 * unfinished offset. A record is finished when all outputs of its result are acknowledged by Kafka.
 * At least once, in order of completion.
 *
 * The handler is given one record and fills a result (see event.h). Either it answers at once
 * (stage_new) or it takes the record and completes it later from any thread (stage_new_async).
 *
 * A record whose header not_before lies in the future is not handed over before it is due; its
 * partition is paused meanwhile (retry topics: the head of a partition is always the first due). */
#ifndef COMMON_STAGE_H
#define COMMON_STAGE_H

#include "base/error.h"
#include "record/event.h"
#include "record/topic.h"
#include "settings/config.h"

struct stage;
struct ticket; /* one record under way */

/** @brief Decides one record. in is borrowed until the record is finished, so outputs may point
 * into it. */
typedef void (*stage_handler)(void *context, const struct event *in, struct result *out);

/**
 * @brief Offers one record to an asynchronous handler; called by the stage's thread.
 * @returns 0: taken, stage_complete() will follow exactly once; 1: no room now, it is offered again
 */
typedef int (*stage_offer)(void *context, struct ticket *ticket, const struct event *in);

struct stage_settings {
    const struct config *config; /* keeps */
    const char *service; /* "filter": group <prefix>.filter, client id, log, metrics; keeps */
    const struct topics *topics; /* keeps */
    const char *const *inputs;   /* full names of the topics to read; keeps */
    int input_count;
    int inflight_records_max;   /* no more records are under way at once; 0: the stage's default */
    int64_t inflight_bytes_max; /* neither are more bytes; 0: the stage's default */
    int mark_block; /* records by which a hand-out mark is moved ahead (handout.h); 0: no marks, for
                       handlers without effects outside Kafka */
};

/** @brief New; NULL with a permanent error. Connects when run. Free with stage_free(). */
struct stage *stage_new(const struct stage_settings *settings, stage_handler handler, void *context,
                        struct error *err);
struct stage *stage_new_async(const struct stage_settings *settings, stage_offer offer,
                              void *context, struct error *err);

/**
 * @brief Runs until a stop is asked for: then stops fetching, finishes what is under way (5 s at
 * most), commits. Unreachable brokers are waited for. @returns 0 after a stop, -1 with an error
 * nobody can heal (exit 111 or 100)
 */
int stage_run(struct stage *stage, struct error *err);
void stage_free(struct stage *stage);

/** @brief The record of a ticket; borrowed until completed. */
const struct event *ticket_event(const struct ticket *ticket);

/** @brief Completes a record of an asynchronous stage; thread-safe. Takes owned values; copies what
 * else it needs. */
void stage_complete(struct stage *stage, struct ticket *ticket, struct result *result);

/**
 * @brief There is room again: a record that was refused is offered at once. stage_complete() does
 * it too, but where the room comes only after that call (a worker that is idle again), this saves
 * up to 20 ms. Thread-safe.
 */
void stage_wake(struct stage *stage);

/**
 * @brief Hands a record back unfinished: nothing is produced and its offset is not committed, so it
 * is read again after a restart. For shutdown only. Thread-safe.
 */
void stage_abandon(struct stage *stage, struct ticket *ticket);

/**
 * @brief An asynchronous handler works at a record between these two, in the same thread. Records
 * run beside each other, but for one under which a program ended: that one runs alone, and Kafka is
 * told before (see claim.h). is_set_aside: it is not finished, and runs again later. Thread-safe.
 */
void stage_begin(struct stage *stage, struct ticket *ticket);
void stage_end(struct stage *stage, struct ticket *ticket, int is_set_aside);

/** @brief Pauses or resumes all partitions of one input topic, also ones that are assigned later.
 * Thread-safe. */
void stage_set_paused(struct stage *stage, const char *topic, int paused);

/**
 * @brief Has one record of a paused topic handed over, from whichever of its partitions it comes
 * first; the topic is paused again with it. Until then it stays asked for. Thread-safe.
 */
void stage_take_one(struct stage *stage, const char *topic);

/* Results that every stage makes alike. All fill output 0; texts are borrowed until the record is
 * finished. */

/** @brief DEAD: the original key and bytes to the dead topic with reason, detail, stage, origin. */
void result_dead(struct result *result, const struct stage_settings *settings,
                 const struct event *in, enum reason reason, const char *detail);

/** @brief DEAD too_large: id and size as value instead of bytes that fit nowhere. */
void result_too_large(struct result *result, const struct stage_settings *settings,
                      const struct event *in, size_t size_bytes);

/** @brief SKIP: value (malloc()ed JSON, taken) to the skipped topic; a tombstone on dead where in
 * came from a replay. */
void result_skip(struct result *result, const struct stage_settings *settings,
                 const struct event *in, enum reason reason, const char *detail, char *value,
                 size_t value_length);

#endif
