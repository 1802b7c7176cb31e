/* bigcommerce.h - the HTTP client of one store. It builds the addresses, follows the store's clock
 * and its quota, and says what an answer means. A client belongs to one thread. It never waits by
 * itself: bigcommerce_pause_ms() says how long its owner has to wait. */
#ifndef COMMON_BIGCOMMERCE_H
#define COMMON_BIGCOMMERCE_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "bigcommerce/cursor.h"
#include "net/http.h"
#include "settings/config.h"

struct bigcommerce;

/* What an answer means for the caller. With each of these but OK an error says why. */
enum bigcommerce_answer {
    /* 200 whose body begins as it must; or 204 to a request for a list: the list is empty. */
    BIGCOMMERCE_OK = 0,
    /* 429: send the same request again after bigcommerce_pause_ms(). */
    BIGCOMMERCE_THROTTLED,
    /* 401, 403: the token is wrong or lacks a scope; a person must act. */
    BIGCOMMERCE_CLOSED,
    /* 404: where one order was asked for, the store does not have it (any more). */
    BIGCOMMERCE_GONE,
    /* Any other 4xx, or a redirect. */
    BIGCOMMERCE_REFUSED,
    /* No answer or half of one, 5xx, 200 without the list or object that was asked for, another
     * 2xx, 304: ask again later, and for fewer orders at once. */
    BIGCOMMERCE_TROUBLE,
    /* 503: the store as a whole is down: ask again minutes later. */
    BIGCOMMERCE_UNAVAILABLE,
    /* 413; or the answer begins as it must, and has more bytes than we take: ask for fewer orders
     * at once. */
    BIGCOMMERCE_TOO_LARGE,
};

/* Line items, coupons or customer groups asked for in one page. */
enum { BIGCOMMERCE_LINES_MAX = 250 };

/**
 * @brief How long a request may take: three fifths of the lease, at most 30 s. When a request
 * begins, at least two thirds of the lease are left (see lease_keep()), so the lease does not run
 * out while a slow answer is waited for. Pure.
 */
int64_t bigcommerce_timeout_ms(int64_t lease_ms);

/**
 * @brief New. store is kept. Free with bigcommerce_free().
 * @param http        of [http], not kept
 * @param timeout_ms  how long one request may take, see bigcommerce_timeout_ms()
 */
struct bigcommerce *bigcommerce_new(const struct config_store *store,
                                    const struct http_settings *http, int64_t timeout_ms);
void bigcommerce_free(struct bigcommerce *client);

/**
 * @brief GET /v2/orders.
 * @param slim  without consignments and fees: for an order that cannot be read with them
 * @param body  out: borrowed until the next call
 */
enum bigcommerce_answer bigcommerce_orders(struct bigcommerce *client,
                                           const struct cursor_query *query, int slim,
                                           struct text *body, struct error *err);

/** @brief GET /v2/orders with sort=id:desc: the newest orders first. */
enum bigcommerce_answer bigcommerce_newest(struct bigcommerce *client, int page, int limit,
                                           struct text *body, struct error *err);

/**
 * @brief GET /v2/orders by the date on which orders were placed.
 * @param query  its dates are those of date_created
 * @param slim   as for bigcommerce_orders()
 */
enum bigcommerce_answer bigcommerce_placed(struct bigcommerce *client,
                                           const struct cursor_query *query, int slim,
                                           struct text *body, struct error *err);

/** @brief The same, but the highest id alone, in place of the query's page. */
enum bigcommerce_answer bigcommerce_placed_last(struct bigcommerce *client,
                                                const struct cursor_query *query, struct text *body,
                                                struct error *err);

/** @brief GET /v2/orders/{id}, with the same members as in the list.
 * @param max_bytes  a longer answer is TOO_LARGE; never more than 32 MB are read */
enum bigcommerce_answer bigcommerce_order(struct bigcommerce *client, int64_t id, size_t max_bytes,
                                          struct text *body, struct error *err);

/** @brief GET /v2/orders/{id}/{what}. what is "products" or "coupons"; a page is asked for with
 * BIGCOMMERCE_LINES_MAX values.
 * @param max_bytes  as for bigcommerce_order() */
enum bigcommerce_answer bigcommerce_part(struct bigcommerce *client, int64_t id, const char *what,
                                         int page, size_t max_bytes, struct text *body,
                                         struct error *err);

/** @brief GET /v3/catalog/products: the products with greater ids than after_id, by id, each with its
 * variants and what is synced of it.
 * @param slim  with nothing but id and name: for a product that cannot be read otherwise */
enum bigcommerce_answer bigcommerce_catalog(struct bigcommerce *client, int64_t after_id, int limit,
                                            int slim, struct text *body, struct error *err);

/** @brief GET /v3/customers, each with its addresses.
 * @param query  the window of date_modified; a min_ms of 0 or less: no limit
 * @param after  the cursor of the answer before; empty: the first page
 * @param slim   without addresses: for a customer that cannot be read with them */
enum bigcommerce_answer bigcommerce_customers(struct bigcommerce *client,
                                              const struct cursor_query *query, struct text after,
                                              int limit, int slim, struct text *body,
                                              struct error *err);

/** @brief GET /v2/customer_groups, BIGCOMMERCE_LINES_MAX groups in a page. */
enum bigcommerce_answer bigcommerce_groups(struct bigcommerce *client, int page, struct text *body,
                                           struct error *err);

/** @brief GET /v2/store, for the currency of the catalogue's prices. */
enum bigcommerce_answer bigcommerce_store(struct bigcommerce *client, struct text *body,
                                          struct error *err);

/** @brief GET /v2/time: learns the store's clock anew. What was known of it before is forgotten. */
enum bigcommerce_answer bigcommerce_time(struct bigcommerce *client, struct error *err);

/** @brief The store's clock now, from the Date headers of its answers; -1 when none is known. */
int64_t bigcommerce_clock_ms(const struct bigcommerce *client);

/** @brief How long to wait before the next request, in ms; 0: none. */
int64_t bigcommerce_pause_ms(const struct bigcommerce *client);

/** @brief Whether little was left of the store's quota at the last answer. Requests that can wait
 * are then put off, so that the rest of the quota serves the search for new orders. */
int bigcommerce_is_scarce(const struct bigcommerce *client);

/** @brief 0 where the quota is not scarce; else how long until it is whole again, in ms, as far as the
 * last answer told it. */
int64_t bigcommerce_scarce_ms(const struct bigcommerce *client);

/** @brief How many requests the store still allowed at the last answer that told it; -1: none did. */
int64_t bigcommerce_requests_left(const struct bigcommerce *client);

/** @brief Sets how long each request from now on may take. With 0, or with more than
 * bigcommerce_new() was given, the limit is the one that bigcommerce_new() was given. */
void bigcommerce_limit_ms(struct bigcommerce *client, int64_t limit_ms);

/** @brief HTTP status of the last answer; 0 when no answer came. */
int bigcommerce_status(const struct bigcommerce *client);

/** @brief Moves the body of the last answer into target, so that it outlives the next request;
 * pointers into the body stay valid. The client takes target's old memory for its next answer. */
void bigcommerce_take_body(struct bigcommerce *client, struct buffer *target);

/* What the body of a 200 must begin with. A body that begins otherwise comes from a proxy, for
 * example. It tells nothing about orders, so no order counts as missing or gone because of it. */
enum bigcommerce_shape { BIGCOMMERCE_LIST = '[', BIGCOMMERCE_OBJECT = '{' };

/** @brief What an answer means by its status and the beginning of its body. Pure. */
enum bigcommerce_answer bigcommerce_classify(int status, struct text body,
                                             enum bigcommerce_shape shape);

/* What is known of the store's clock from the last two Date headers that count: how far the store's
 * clock is ahead of our monotonic one. */
struct bigcommerce_clock {
    int known;
    int64_t lead_ms;
    int64_t before_ms; /* lead_ms of the answer before; of this answer where it is the first */
};

/** @brief Takes an answer's Date into account. Only the Date of a 2xx counts, and that of a 4xx as
 * long as no clock is known. Other answers may come from a proxy with a wrong clock. Pure. */
void bigcommerce_clock_learn(struct bigcommerce_clock *clock, int status, int64_t lead_ms);

/** @brief The smaller one of the two leads, so that a single Date that is wrongly in the future
 * moves no position into the future. Pure. */
int64_t bigcommerce_clock_lead_ms(const struct bigcommerce_clock *clock);

/* What an answer says about the quota. */
struct bigcommerce_quota {
    int status;
    int64_t left;           /* X-Rate-Limit-Requests-Left; -1: not said */
    int64_t quota;          /* X-Rate-Limit-Requests-Quota; -1: not said */
    int64_t reset_ms;       /* X-Rate-Limit-Time-Reset-Ms; -1: not said */
    int64_t retry_after_ms; /* X-Retry-After or Retry-After; -1: not said */
};

/** @brief Whether less than a quarter of the quota is left. Pure. */
int bigcommerce_quota_is_scarce(const struct bigcommerce_quota *quota);

/** @brief Reads the answer of /time, {"time": seconds}. Pure. @returns 0, or -1 when the answer
 * tells no time */
int bigcommerce_read_time(struct text body, int64_t *time_ms);

/** @brief Reads the headers about the quota. A value that is no number from 0 to INT32_MAX counts
 * as not said. Pure. */
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
