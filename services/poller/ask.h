/* ask.h - one request to the store with everything around it: the lease is kept, the quota obeyed,
 * a stop minded. */
#ifndef POLLER_ASK_H
#define POLLER_ASK_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

#include "bigcommerce.h"
#include "lease.h"

/* How it went with the store as a whole. All but OK end the round. */
enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_TROUBLE, /* the store or Kafka: later */
    OUTCOME_CLOSED,  /* the store refuses the token: a person must act */
    OUTCOME_LOST,    /* the lease is lost, or Redis does not answer */
    OUTCOME_STOPPED,
};

/* Embedded; all borrowed. */
struct asker {
    const char *store; /* hash */
    struct bigcommerce *client;
    struct lease *lease;
};

enum ask_kind { ASK_ORDERS = 0, ASK_ORDERS_SLIM, ASK_ORDER, ASK_PRODUCTS, ASK_COUPONS, ASK_TIME };

struct ask {
    enum ask_kind kind;
    struct cursor_query query; /* ORDERS */
    int64_t id;                /* ORDER, PRODUCTS, COUPONS */
    int page;                  /* PRODUCTS, COUPONS */
};

/** @brief What a lost lease comes to. An error that err has already (Redis) stays. @returns
 * OUTCOME_LOST */
enum outcome ask_lost(struct error *err);

/** @brief Waits, keeping the lease. */
enum outcome ask_wait(struct asker *asker, int64_t delay_ms, struct error *err);

/** @brief Waits before try number attempt (1: the first repetition): a second or two, then longer,
 * with jitter. */
enum outcome ask_wait_before_retry(struct asker *asker, int attempt, struct error *err);

/**
 * @brief Asks, as often as the store says 429.
 * @param answer  out, on OUTCOME_OK: OK, REFUSED, TROUBLE or TOO_LARGE; for the calls of one order
 * also CLOSED (403) and UNAVAILABLE; but for OK err says why
 * @param body    out: borrowed until the next request
 */
enum outcome ask(struct asker *asker, const struct ask *what, enum bigcommerce_answer *answer,
                 struct text *body, struct error *err);

#endif
