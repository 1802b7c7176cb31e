#include "bigcommerce/ask.h"

#include "act/paused.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"

enum { WAIT_STEP_MS = 250, RETRY_BASE_MS = 1000, RETRY_CAP_MS = 8000 };

enum outcome ask_lost(struct error *err)
{
    error_set(err, ERROR_TEMPORARY, "the lease is lost: another process has the store");
    return OUTCOME_LOST;
}

static int is_paused(const struct asker *asker)
{
    return asker->paused != NULL &&
           paused_watch_state(asker->paused, PAUSED_STORE, asker->store) == PAUSED_YES;
}

enum outcome ask_wait(struct asker *asker, int64_t delay_ms, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + delay_ms;

    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        struct error own = {0};
        int kept;

        if (stop_requested() || is_paused(asker))
            return OUTCOME_STOPPED;
        kept = asker->lease != NULL ? lease_keep(asker->lease, &own) : 1;
        if (kept != 1) {
            *err = own;
            return ask_lost(err);
        }
        if (left_ms <= 0)
            return OUTCOME_OK;
        stop_wait_ms(left_ms < WAIT_STEP_MS ? left_ms : WAIT_STEP_MS);
    }
}

enum outcome ask_wait_before_retry(struct asker *asker, int attempt, struct error *err)
{
    const struct retry_policy policy = {0, RETRY_BASE_MS, RETRY_CAP_MS};

    return ask_wait(asker, retry_delay_ms(&policy, attempt, retry_chance(), -1), err);
}

static enum bigcommerce_answer send_one(const struct asker *asker, const struct ask *what,
                                        struct text *body, struct error *err)
{
    struct bigcommerce *client = asker->client;
    size_t max_bytes = asker->order_max_bytes;

    switch (what->kind) {
    case ASK_ORDERS:
        return bigcommerce_orders(client, &what->query, 0, body, err);
    case ASK_ORDERS_SLIM:
        return bigcommerce_orders(client, &what->query, 1, body, err);
    case ASK_NEWEST:
        return bigcommerce_newest(client, what->query.page, what->query.limit, body, err);
    case ASK_PLACED:
    case ASK_PLACED_SLIM:
        return bigcommerce_placed(client, &what->query, what->kind == ASK_PLACED_SLIM, body, err);
    case ASK_PLACED_LAST:
        return bigcommerce_placed_last(client, &what->query, body, err);
    case ASK_ORDER:
        return bigcommerce_order(client, what->id, max_bytes, body, err);
    case ASK_PRODUCTS:
        return bigcommerce_part(client, what->id, "products", what->page, max_bytes, body, err);
    case ASK_COUPONS:
        return bigcommerce_part(client, what->id, "coupons", what->page, max_bytes, body, err);
    case ASK_CATALOG:
    case ASK_CATALOG_SLIM:
        return bigcommerce_catalog(client, what->id, what->limit, what->kind == ASK_CATALOG_SLIM,
                                   body, err);
    case ASK_CUSTOMERS:
    case ASK_CUSTOMERS_SLIM:
        return bigcommerce_customers(client, &what->query, what->after, what->limit,
                                     what->kind == ASK_CUSTOMERS_SLIM, body, err);
    case ASK_GROUPS:
        return bigcommerce_groups(client, what->page, body, err);
    case ASK_STORE:
        return bigcommerce_store(client, body, err);
    default:
        return bigcommerce_time(client, err);
    }
}

static int is_catalog(const struct ask *what) { return what->kind >= ASK_CATALOG; }

/* Whether a refusal may be about one order alone, because the request named that order. A 401 is
 * always about the token. */
static int is_about_order(const struct asker *asker, const struct ask *what)
{
    return !is_catalog(what) && what->id > 0 && bigcommerce_status(asker->client) != 401;
}

/* Whether the token may lack no more than the scope of the catalogue. */
static int is_about_catalog(const struct asker *asker, const struct ask *what)
{
    return is_catalog(what) && bigcommerce_status(asker->client) == 403;
}

enum outcome ask(struct asker *asker, const struct ask *what, enum bigcommerce_answer *answer,
                 struct text *body, struct error *err)
{
    for (;;) {
        enum outcome ready = ask_wait(asker, bigcommerce_pause_ms(asker->client), err);

        if (ready != OUTCOME_OK)
            return ready;
        error_clear(err);
        *answer = send_one(asker, what, body, err);
        if (stop_requested())
            return OUTCOME_STOPPED;
        if (*answer == BIGCOMMERCE_THROTTLED) {
            log_warn("store throttled store=%s pause_ms=%lld", asker->store,
                     (long long)bigcommerce_pause_ms(asker->client));
            continue;
        }
        if (*answer == BIGCOMMERCE_CLOSED && !is_about_order(asker, what) &&
            !is_about_catalog(asker, what))
            return OUTCOME_CLOSED;
        if (*answer == BIGCOMMERCE_UNAVAILABLE && !is_about_order(asker, what))
            return OUTCOME_TROUBLE;
        return OUTCOME_OK;
    }
}
