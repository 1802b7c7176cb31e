/* handle.h - inside of the ledger: the handle, its scripts, and the pure parts. For
 * the files of this folder and their tests: peek.c and server.c need a connection only, handle.c
 * makes it and runs scripts, ledger.c and rebuild.c are the calls. */
#ifndef COMMON_LEDGER_HANDLE_H
#define COMMON_LEDGER_HANDLE_H

#include "ledger/ledger.h"
#include "ledger/seen.h"
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
    SCRIPT_COUNT
};

enum { LEDGER_TOKEN_BYTES = 64 };

struct ledger {
    struct ledger_settings settings;
    struct redis *redis;
    struct redis_script scripts[SCRIPT_COUNT];
    char marker_key[LEDGER_KEY_BYTES];
    char lock_key[LEDGER_KEY_BYTES];
    char owner[33];                      /* random; whose leases are this handle's */
    char run[LEDGER_RUN_BYTES];          /* run id of the server that we are connected to */
    int vouches;                         /* a restart of that server would lose nothing */
    struct ledger_seen *own_seen;        /* where the settings name none to share */
    enum ledger_answer greeting;         /* what hello said on this connection */
    int64_t epoch;                       /* and the epoch; 0: LOST */
    unsigned generation;                 /* of the connection that hello was said on; 0: none */
    char lock_token[LEDGER_TOKEN_BYTES]; /* "": we do not hold the rebuild lock */
    unsigned lock_count;
};

/** @brief The scripts' texts (scripts.c). SHAs are computed here. */
void ledger_scripts_init(struct redis_script scripts[SCRIPT_COUNT]);

/* What a server says about itself. Hosted servers forbid CONFIG, and some leave lines of INFO out.
 */
enum ledger_fact { FACT_UNKNOWN = 0, FACT_NO, FACT_YES };

/* INFO and CONFIG GET (pure; server.c). */
struct ledger_facts {
    char run[LEDGER_RUN_BYTES];
    enum ledger_fact append_only;      /* aof_enabled */
    enum ledger_fact fsync_always;     /* appendfsync always */
    enum ledger_fact fsync_on_rewrite; /* no-appendfsync-on-rewrite no */
    enum ledger_fact never_promoted;   /* master_replid2 all zero */
    enum ledger_fact master;           /* role */
    enum ledger_fact cluster;          /* cluster_enabled */
    enum ledger_fact evicts;           /* maxmemory set and a policy other than noeviction */
};

/** @brief Value of a "name:value" line of INFO, cut to size; "" when absent. @returns target */
char *ledger_info_value(char *target, size_t size, const char *info, const char *name);

/** @brief Whether a restart of such a server loses nothing that it acknowledged (rule 8). */
int ledger_facts_vouch(const struct ledger_facts *facts);

/** @brief Reads what INFO says; the rest stays as it is. */
void ledger_facts_of_info(struct ledger_facts *facts, const char *info);

/** @brief A sentence for each fault of these facts, and for what could not be read. */
void ledger_facts_warn(const struct ledger_facts *facts, struct buffer *warnings);

/** @brief Asks the connected server. Settings that it does not tell stay unknown. */
int ledger_facts_read(struct redis *redis, struct ledger_facts *facts, struct error *err);

/** @brief Asks for the marker on a connection that is there; the answer goes to greeting and epoch.
 */
int ledger_say_hello(struct ledger *ledger, struct error *err);

/** @brief What an answer tells of the write counter, for hello to compare. 0: nothing was written.
 */
void ledger_saw_write(struct ledger *ledger, int64_t epoch, int64_t writes);

/** @brief Connects and says hello where that has not been done on this connection. */
int ledger_ready(struct ledger *ledger, struct error *err);

/* Arguments of one script call: keys and texts are borrowed, numbers are printed into it. */
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
 * @brief Runs a script after hello; repeats it once where an idle connection turns out to be
 * closed, for all scripts may be repeated.
 * @returns an array of texts with at least one element (new), or NULL with err set
 */
redisReply *ledger_run(struct ledger *ledger, enum ledger_script script,
                       const struct ledger_arguments *arguments, struct error *err);

/** @brief ledger_run(), and behind the script the peeks of ledger_peek_many() in the same round
 * trip.
 * @param count  <= LEDGER_PIPELINE_MAX */
redisReply *ledger_run_and_peek(struct ledger *ledger, enum ledger_script script,
                                const struct ledger_arguments *arguments, struct text account,
                                struct ledger_peek *peeks, int count, struct error *err);

/* commands under way at once: bounds the memory on both sides */
enum { LEDGER_PIPELINE_MAX = 256 };

/** @brief Sends the commands of peeks, and reads their answers. @returns 0, or -1 with err set */
int ledger_queue_peeks(struct ledger *ledger, struct text account, const struct ledger_peek *peeks,
                       int count, struct error *err);
int ledger_read_peeks(struct ledger *ledger, struct ledger_peek *peeks, int count,
                      struct error *err);

/**
 * @brief One script and behind it the peeks of ledger_peek_many(), in one round trip.
 * @param count  <= LEDGER_PIPELINE_MAX
 * @returns the script's reply (new), never an error reply; or NULL with err set
 */
redisReply *ledger_script_and_peek(struct ledger *ledger, const struct redis_script *script,
                                   const struct ledger_arguments *arguments, struct text account,
                                   struct ledger_peek *peeks, int count, struct error *err);

/** @brief The answer that a script's first element names. @returns 0, or -1 with a temporary error
 */
int ledger_answer_of(const redisReply *reply, enum ledger_answer *answer, struct error *err);

/** @brief The epoch in a fence, or 0. Pure. */
int64_t ledger_fence_epoch(const char *fence);

/** @brief Element i as a whole number, or missing. */
int64_t ledger_element_int(const redisReply *reply, size_t i, int64_t missing);

/**
 * @brief Reads acquire's answer into grant (its key is kept; the rest must be empty). Pure.
 * @returns 0, or -1 when the reply is not of that form
 */
int ledger_grant_read(struct ledger_grant *grant, const redisReply *reply,
                      int64_t visibility_delay_ms, struct error *err);

/** @brief Replaces target by the note of the entry that step's answer to a finish shows (note.h),
 * or by nothing where it shows none. Pure. */
void ledger_entry_write(const redisReply *reply, struct buffer *target);

/** @brief Reads a peek's answer. A damaged entry is not known here: acquire reports it, for one
 * order. Pure. */
void ledger_peek_read(struct ledger_peek *peek, const redisReply *reply);

/** @brief Redis key of an entry. @returns 0, or -1 with a permanent error when it is too long.
 * Pure. */
int ledger_entry_key(char target[LEDGER_KEY_BYTES], const char *prefix, struct text account,
                     enum ledger_kind kind, struct text id, struct error *err);

/** @brief "order", "contact", "product": the kind, and the step that makes it. Static. */
const char *ledger_kind_name(enum ledger_kind kind);

#endif
