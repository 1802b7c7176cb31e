/* ask.h - sends one request to the store. Around the request it does what every request needs: it
 * keeps the lease, waits as long as the store's quota demands, repeats a request that the store
 * throttled, and returns early when the program is asked to stop or an operator pauses the store. */
#ifndef COMMON_ASK_H
#define COMMON_ASK_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "bigcommerce/bigcommerce.h"
#include "bigcommerce/lease.h"

/* How it went with the store as a whole. Each of these but OK ends the round. */
enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_TROUBLE, /* the store or Kafka does not work as it should: try again later */
    OUTCOME_CLOSED,  /* the store refuses the token: a person must act */
    OUTCOME_LOST,    /* the lease is lost, or Redis does not answer */
    OUTCOME_STOPPED, /* the program was asked to stop, or an operator paused the store */
};

/* What a request to one store needs. Embedded; all pointers are borrowed. */
struct asker {
    const char *store; /* its hash */
    struct bigcommerce *client;
    struct lease *lease;         /* or NULL: a command reads the store beside the poller */
    struct paused_watch *paused; /* or NULL: a pause of the store is not looked at */
    size_t
        order_max_bytes; /* [kafka] max_record_bytes: a larger order can never be published, so an
                               answer about one order is read up to here */
};

enum ask_kind {
    ASK_ORDERS = 0,     /* a list of orders */
    ASK_ORDERS_SLIM,    /* the same without line items and fees */
    ASK_ORDER,          /* one order */
    ASK_PRODUCTS,       /* the line items of one order */
    ASK_COUPONS,        /* the coupons of one order */
    ASK_TIME,           /* the store's clock */
    ASK_NEWEST,         /* a list of orders, the newest first */
    ASK_PLACED,         /* a list of the orders placed in a window, by id */
    ASK_PLACED_SLIM,    /* the same without line items and fees */
    ASK_PLACED_LAST,    /* the one of them with the highest id */
    ASK_CATALOG,        /* a list of products with their variants */
    ASK_CATALOG_SLIM,   /* a list of products with nothing but their names */
    ASK_STORE,          /* the store itself: its currency */
    ASK_CUSTOMERS,      /* a list of customers with their addresses, by the store's cursor */
    ASK_CUSTOMERS_SLIM, /* the same without addresses */
    ASK_GROUPS,         /* a list of customer groups */
};

/* What is asked for. The comments say for which kinds a member counts. */
struct ask {
    enum ask_kind kind;
    struct cursor_query
        query; /* ORDERS, ORDERS_SLIM; of CUSTOMERS and CUSTOMERS_SLIM the dates; of NEWEST limit and page; of PLACED the dates
                                  are those of date_created */
    int64_t id;        /* ORDER, PRODUCTS, COUPONS: the order's; CATALOG, CATALOG_SLIM: of
                                  the product behind which the list begins */
    int limit;         /* CATALOG, CATALOG_SLIM, CUSTOMERS, CUSTOMERS_SLIM */
    struct text after; /* CUSTOMERS, CUSTOMERS_SLIM: the cursor; empty: from the beginning */
    int page;          /* PRODUCTS, COUPONS, GROUPS */
};

/** @brief Says in err that the lease is lost, unless err holds another error (of Redis) already.
 * @returns OUTCOME_LOST */
enum outcome ask_lost(struct error *err);

/**
 * @brief Waits for delay_ms and keeps the lease meanwhile. With 0 it only looks whether the lease
 * is still held, whether the program has to stop, and whether the store is paused.
 * @returns OUTCOME_OK, OUTCOME_LOST or OUTCOME_STOPPED
 */
enum outcome ask_wait(struct asker *asker, int64_t delay_ms, struct error *err);

/**
 * @brief Waits before a request is repeated: a random time, which may be longer with each attempt,
 * up to 8 s.
 * @param attempt  1 before the first repetition
 */
enum outcome ask_wait_before_retry(struct asker *asker, int attempt, struct error *err);

/**
 * @brief Sends a request, and repeats it as long as the store answers 429.
 * @param answer  out, on OUTCOME_OK: OK, GONE, REFUSED, TROUBLE or TOO_LARGE; where what->id names
 * an order also CLOSED (403) and UNAVAILABLE, since they may be about that order alone; and for
 * the catalogue, the customers, their groups and the store CLOSED (403), since the token may read orders all the same. Unless it
 * is OK, err says why
 * @param body    out: borrowed until the next request
 * @returns OUTCOME_OK when an answer came that is about what was asked for, else what ends the
 * round
 */
enum outcome ask(struct asker *asker, const struct ask *what, enum bigcommerce_answer *answer,
                 struct text *body, struct error *err);

#endif
