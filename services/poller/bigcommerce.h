/* bigcommerce.h - HTTP client of one store: addresses, the store's clock, its quota, and what an
 * answer means. A client belongs to one thread. It never waits: bigcommerce_pause_ms() says how
 * long its owner has to. */
#ifndef POLLER_BIGCOMMERCE_H
#define POLLER_BIGCOMMERCE_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/http.h"
#include "settings/config.h"

#include "cursor.h"

struct bigcommerce;

/* What an answer means for the one who asked. All but OK leave an error that says why. */
enum bigcommerce_answer {
    BIGCOMMERCE_OK = 0,    /* 200: body begins as it must; 204: a list is empty, the store says that
                              there is nothing */
    BIGCOMMERCE_THROTTLED, /* 429: the same again after bigcommerce_pause_ms() */
    BIGCOMMERCE_CLOSED,    /* 401, 403: token or scope; a person must act */
    BIGCOMMERCE_GONE,      /* 404: of an order's own call, the store does not have it (any more) */
    BIGCOMMERCE_REFUSED,   /* any other 4xx, or a redirect */
    BIGCOMMERCE_TROUBLE,   /* no or half an answer, 5xx, 200 without the list or object that was
                              asked for, another 2xx, 304: later, and fewer at once */
    BIGCOMMERCE_UNAVAILABLE, /* 503: the store is down as a whole: minutes later */
    BIGCOMMERCE_TOO_LARGE,   /* more bytes than we take: fewer at once */
};

enum { BIGCOMMERCE_LINES_MAX = 250 }; /* values of one page of lines or coupons */

/**
 * @brief How long a request may take: three fifths of the lease, at most 30 s. A request begins
 * with two thirds of the lease left at least (lease_keep()), so a slow answer does not lose it.
 * Pure.
 */
int64_t bigcommerce_timeout_ms(int64_t lease_ms);

/**
 * @brief New. store is kept. Free with bigcommerce_free().
 * @param timeout_ms  how long one request may take, see bigcommerce_timeout_ms()
 */
struct bigcommerce *bigcommerce_new(const struct config_store *store, int64_t timeout_ms);
void bigcommerce_free(struct bigcommerce *client);

/**
 * @brief GET /v2/orders.
 * @param slim  without consignments and fees: for an order that cannot be read with them
 * @param body  out: borrowed until the next call
 */
enum bigcommerce_answer bigcommerce_orders(struct bigcommerce *client,
                                           const struct cursor_query *query, int slim,
                                           struct text *body, struct error *err);

/** @brief GET /v2/orders/{id}, as in the list. */
enum bigcommerce_answer bigcommerce_order(struct bigcommerce *client, int64_t id, struct text *body,
                                          struct error *err);

/** @brief GET /v2/orders/{id}/{what}: "products" or "coupons", BIGCOMMERCE_LINES_MAX on a page. */
enum bigcommerce_answer bigcommerce_part(struct bigcommerce *client, int64_t id, const char *what,
                                         int page, struct text *body, struct error *err);

/** @brief GET /v2/time: makes the store's clock known, whatever was known before. */
enum bigcommerce_answer bigcommerce_time(struct bigcommerce *client, struct error *err);

/** @brief The store's clock now, from the Date headers of its answers; -1 when none is known. */
int64_t bigcommerce_clock_ms(const struct bigcommerce *client);

/** @brief How long to wait before the next request, in ms; 0: none. */
int64_t bigcommerce_pause_ms(const struct bigcommerce *client);

/** @brief Whether little is left of the store's quota, as the last answer said: what can wait
 * leaves it to the polling. */
int bigcommerce_is_scarce(const struct bigcommerce *client);

/** @brief How long each call from now on may take; 0, or more than bigcommerce_new() was told: as
 * long as that. */
void bigcommerce_limit_ms(struct bigcommerce *client, int64_t limit_ms);

/** @brief HTTP status of the last answer; 0: none came. */
int bigcommerce_status(const struct bigcommerce *client);

/** @brief Moves the body of the last answer out: what was borrowed from it lives in target now.
 * Takes target's memory. */
void bigcommerce_take_body(struct bigcommerce *client, struct buffer *target);

/* What the body of a 200 must begin with. Anything else says nothing: no order is missing or gone
 * for it. An empty list may be a 204 too. */
enum bigcommerce_shape { BIGCOMMERCE_LIST = '[', BIGCOMMERCE_OBJECT = '{' };

/** @brief What an answer means by its status and the beginning of its body. Pure. */
enum bigcommerce_answer bigcommerce_classify(int status, struct text body,
                                             enum bigcommerce_shape shape);

/* What the last two Date headers that count say: the store's clock less the monotonic one. */
struct bigcommerce_clock {
    int known;
    int64_t lead_ms;
    int64_t before_ms; /* of the answer before; the same where there was none */
};

/** @brief Takes an answer's Date into account. Only a 2xx counts, while no clock is known a 4xx as
 * well: a proxy in between has a clock of its own. Pure. */
void bigcommerce_clock_learn(struct bigcommerce_clock *clock, int status, int64_t lead_ms);

/** @brief The smaller lead of the two, so that one wrong Date ahead moves no position into the
 * future. Pure. */
int64_t bigcommerce_clock_lead_ms(const struct bigcommerce_clock *clock);

/* What an answer says about the quota. */
struct bigcommerce_quota {
    int status;
    int64_t left;           /* X-Rate-Limit-Requests-Left; -1: not said */
    int64_t quota;          /* X-Rate-Limit-Requests-Quota; -1 */
    int64_t reset_ms;       /* X-Rate-Limit-Time-Reset-Ms; -1 */
    int64_t retry_after_ms; /* X-Retry-After or Retry-After; -1 */
};

/** @brief Whether less than a quarter of the quota is left. Pure. */
int bigcommerce_quota_is_scarce(const struct bigcommerce_quota *quota);

/** @brief Reads the answer of /time, {"time": seconds}. Pure. @returns 0, or -1 when it tells none
 */
int bigcommerce_read_time(struct text body, int64_t *time_ms);

/** @brief Reads the quota's headers; what is no number from 0 to INT32_MAX is not said. Pure. */
void bigcommerce_read_quota(const struct http_answer *answer, struct bigcommerce_quota *quota);

/**
 * @brief How long to leave the store alone after an answer. Pure.
 * @param throttled  429s in a row, this one included
 * @param chance     uniform in [0, 1)
 * @returns ms, 0 to ten minutes
 */
int64_t bigcommerce_quota_pause_ms(const struct bigcommerce_quota *quota, int throttled,
                                   double chance);

#endif
