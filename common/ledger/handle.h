/* handle.h - the inside of the ledger: the handle, its scripts, and the pure parts. Only for the
 * files of this folder and their tests. peek.c and server.c need only a connection; handle.c makes
 * it and runs scripts; ledger.c and rebuild.c have the calls. */
#ifndef COMMON_LEDGER_HANDLE_H
#define COMMON_LEDGER_HANDLE_H

#include "ledger/ledger.h"
#include "ledger/seen.h"
#include "ledger/server.h"
#include "net/redis.h"

enum ledger_script {
    SCRIPT_ACQUIRE = 0,
    SCRIPT_STEP,
    SCRIPT_HELLO,
    SCRIPT_DISTRUST,
    SCRIPT_LOCK,
    SCRIPT_FILL,
    SCRIPT_SEAL,
    SCRIPT_FORGET,
    SCRIPT_ERASE,
    SCRIPT_COUNT
};

enum { LEDGER_TOKEN_BYTES = 64 };

struct ledger {
    struct ledger_settings settings;
    struct redis *redis;
    struct redis_script scripts[SCRIPT_COUNT];
    char marker_key[LEDGER_KEY_BYTES];
    char lock_key[LEDGER_KEY_BYTES];
    char owner[33];                      /* random name of the handle, as the owner of its leases */
    char run[LEDGER_RUN_BYTES];          /* run id of the connected server */
    int vouches;                         /* 1: a restart of that server loses nothing that it
                                            acknowledged */
    struct ledger_seen *own_seen;        /* used where the settings name none to share */
    enum ledger_answer greeting;         /* the answer of `hello` on this connection */
    int64_t epoch;                       /* the epoch that it told; 0: LOST */
    unsigned generation;                 /* generation of the connection on which `hello` was
                                            said; 0: none */
    char lock_token[LEDGER_TOKEN_BYTES]; /* token of the rebuild lock; "": we do not hold it */
    unsigned lock_count;
};

/** @brief The scripts (scripts.c). Their SHAs are computed here. */
void ledger_scripts_init(struct redis_script scripts[SCRIPT_COUNT]);

/** @brief Runs `hello` on the connection. Its answer goes to greeting and epoch. */
int ledger_say_hello(struct ledger *ledger, struct error *err);

/** @brief Notes the write counter that an answer tells, for `hello` to compare. 0: nothing was
 * written. */
void ledger_saw_write(struct ledger *ledger, int64_t epoch, int64_t writes);

/** @brief Connects, and runs `hello` where that was not done on this connection. */
int ledger_ready(struct ledger *ledger, struct error *err);

/* The arguments of one script call. Keys and texts are borrowed; numbers are printed into it. */
enum { LEDGER_ARGUMENTS_MAX = 1000, LEDGER_NUMBERS_MAX = 8 };
struct ledger_arguments {
    const char **data;
    size_t *lengths;
    int count;
    char numbers[LEDGER_NUMBERS_MAX][24];
    int number_count;
};
void ledger_add_text(struct ledger_arguments *arguments, const char *data, size_t length);
void ledger_add_string(struct ledger_arguments *arguments, const char *string); /* NULL: "" */
void ledger_add_number(struct ledger_arguments *arguments, int64_t number);

/**
 * @brief Runs a script, after `hello`. Where an idle connection turns out to be closed, the script
 * is run once more; all scripts may be repeated.
 * @returns an array of texts with at least one element (new), or NULL with err set
 */
redisReply *ledger_run(struct ledger *ledger, enum ledger_script script,
                       const struct ledger_arguments *arguments, struct error *err);

/**
 * @brief As ledger_run(), with the peeks of ledger_peek_many() behind the script, in the same round
 * trip.
 * @param count  <= LEDGER_PIPELINE_MAX
 */
redisReply *ledger_run_and_peek(struct ledger *ledger, enum ledger_script script,
                                const struct ledger_arguments *arguments, struct text account,
                                struct ledger_peek *peeks, int count, struct error *err);

/* commands that are under way at once; it limits the memory on both sides */
enum { LEDGER_PIPELINE_MAX = 256 };

/** @brief Sends the commands of peeks, and reads their answers. @returns 0, or -1 with err set */
int ledger_queue_peeks(struct ledger *ledger, struct text account, const struct ledger_peek *peeks,
                       int count, struct error *err);
int ledger_read_peeks(struct ledger *ledger, struct ledger_peek *peeks, int count,
                      struct error *err);

/**
 * @brief Runs one script and behind it the peeks of ledger_peek_many(), in one round trip.
 * @param count  <= LEDGER_PIPELINE_MAX
 * @returns the script's reply (new), never an error reply; or NULL with err set
 */
redisReply *ledger_script_and_peek(struct ledger *ledger, const struct redis_script *script,
                                   const struct ledger_arguments *arguments, struct text account,
                                   struct ledger_peek *peeks, int count, struct error *err);

/** @brief Reads the answer from a script's first element. @returns 0, or -1 with a temporary
 * error */
int ledger_answer_of(const redisReply *reply, enum ledger_answer *answer, struct error *err);

/** @brief Element i as a whole number, or missing. */
int64_t ledger_element_int(const redisReply *reply, size_t i, int64_t missing);

/**
 * @brief Reads acquire's answer into grant. Its key is kept; the rest of grant must be empty. Pure.
 * @returns 0, or -1 when the reply is not of that form
 */
int ledger_grant_read(struct ledger_grant *grant, const redisReply *reply,
                      int64_t visibility_delay_ms, struct error *err);

/** @brief Replaces target by the note of the entry (note.h) from step's answer to a finish; target
 * becomes empty where the answer has none. Pure. */
void ledger_entry_write(const redisReply *reply, struct buffer *target);

/** @brief Reads a peek's answer. A damaged entry is taken for an unknown one here; acquire reports
 * it, for one order. Pure. */
void ledger_peek_read(struct ledger_peek *peek, const redisReply *reply);

/** @brief Redis key of an entry. @returns 0, or -1 with a permanent error when it is too long.
 * Pure. */
int ledger_entry_key(char target[LEDGER_KEY_BYTES], const char *prefix, struct text account,
                     enum ledger_kind kind, struct text id, struct error *err);

/** @brief "order", "contact", "product" or "tag": the kind, which is also the name of the step that makes
 * it. Static. */
const char *ledger_kind_name(enum ledger_kind kind);

#endif
