/* answer.h - the answers of the console as JSON: from the index, the ledger, the stores and Kafka.
 * There is no HTTP in it. docs/console.md describes the answers. */
#ifndef CONSOLE_ANSWER_H
#define CONSOLE_ANSWER_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "settings/config.h"

#include "index.h"

/* What all threads that answer share: the index, and what a thread of its own measures of the
 * services every few seconds. */
struct answers;

/** @brief New; config and index are kept. Starts the thread that measures. Free with
 * answers_free(). @returns NULL with an error */
struct answers *answers_new(const struct config *config, struct index *index, struct error *err);
void answers_free(struct answers *answers);

/* What one thread needs to answer: a reader of the index, connections to Redis and to the stores. */
struct answerer;

/** @brief New; free with answerer_free(). @returns NULL with an error */
struct answerer *answerer_new(struct answers *answers, struct error *err);
void answerer_free(struct answerer *answerer);

enum { ANSWER_CODE_BYTES = 32, ANSWER_TEXT_BYTES = 256 };

/* Why there is no answer. */
struct answer_fault {
    int status;                   /* HTTP: 400 the question is wrong, 404, 503 not now */
    char code[ANSWER_CODE_BYTES]; /* a word for programs, e.g. "unknown_store" */
    char text[ANSWER_TEXT_BYTES]; /* a sentence for people */
};

/* One of the four ways to name an order; the others NULL. Borrowed. */
struct answer_why {
    const char *order;        /* "BC/1042", "BC #1042", "1042", "abc123/order/1042" */
    const char *infusionsoft; /* the order's id in the account */
    const char *account;      /* with infusionsoft: the account's name; NULL: any */
    const char *email;        /* an address */
    const char *email_digest; /* 32 hex digits */
};

/** @brief {"orders": [...], "index": {...}}. New; or NULL with a fault. May take seconds where a store
 * has to be asked. */
json_t *answer_why(struct answerer *answerer, const struct answer_why *question,
                   struct answer_fault *fault);

/* Which orders are listed. Texts as they stand in the query; NULL: not given. Borrowed. */
struct answer_orders {
    const char *list; /* stuck | skipped | dead | waiting | retrying */
    const char *store, *reason, *since, *older, *limit, *after;
};

/** @brief {"total", "counts", "orders", "next", "index"}. New; or NULL with a fault. */
json_t *answer_orders(struct answerer *answerer, const struct answer_orders *question,
                      struct answer_fault *fault);

/** @brief {"stages", "stores", "accounts", "fates", "alarms", "index"}. New; or NULL with a fault. */
json_t *answer_status(struct answerer *answerer, struct answer_fault *fault);

/** @brief {"hours", "step_s", "steps": [...], "index"}. hours: as in the query; NULL: 24. New; or NULL
 * with a fault. */
json_t *answer_series(struct answerer *answerer, const char *hours, struct answer_fault *fault);

#endif
