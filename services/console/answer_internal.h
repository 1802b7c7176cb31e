/* answer_internal.h - what the files of answer.h share. */
#ifndef CONSOLE_ANSWER_INTERNAL_H
#define CONSOLE_ANSWER_INTERNAL_H

#include "act/paused.h"
#include "history/ledger_orders.h"
#include "net/redis.h"

#include "answer.h"
#include "index_read.h"
#include "live.h"
#include "store_ask.h"

struct answers {
    const struct config *config; /* borrowed */
    struct index *index;         /* borrowed */
    struct live *live;           /* what the services do right now */
    struct paused_watch *paused; /* which stores and accounts are paused */
    struct store_ask_group asks; /* what limits questions to the stores */
};

struct answerer {
    struct answers *answers;
    struct index_reader *reader;
    struct ledger_orders *ledger;
    struct redis *redis; /* what the pollers tell */
    struct store_ask *stores;
    int64_t ledger_again_ms; /* Redis did not answer: it is not asked before (monotonic) */
};

/** @brief Sets a fault. @returns NULL */
json_t *answer_refuse(struct answer_fault *fault, int status, const char *code, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

/** @brief The index cannot be read. @returns NULL */
json_t *answer_no_index(struct answer_fault *fault, struct error *err);

/** @brief How fresh the index is: {"is_caught_up", "behind_s", "as_of", "trouble"}. New. */
json_t *answer_index(struct answerer *answerer);

/** @brief Whether an operator paused the store of that hash, or the account of that name. name: or
 * NULL */
int answer_is_paused(struct answerer *answerer, enum paused_kind kind, const char *name);

/* How a poller says that a store is doing. Times in ms since 1970; -1: not known. */
struct poll_state {
    int64_t polled_ms, next_ms;
    int64_t quota_left; /* requests left in the store's window at the last answer; -1: not known */
    char trouble[160];  /* "": none */
};

/** @brief Reads what the poller of a store wrote into Redis. Where it cannot be read, nothing is
 * known. */
void answer_poll_state(struct answerer *answerer, const char *hash, struct poll_state *state);

#endif
