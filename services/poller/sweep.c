#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/text.h"

#include "sweep_page.h"

enum {
    SCARCE_PAGE_MS = 60000, /* a page is read this often even if the store's quota is scarce */
    POSTPONED_BASE_MS = 5000,
    POSTPONED_CAP_MS = 300000,
    GIVE_UP_AFTER = 4, /* failures at one product that is asked for alone */
};

void sweep_init(struct sweep *sweep)
{
    char *label = mem_printf("store=\"%s\"", sweep->store->hash);
    char *ok = mem_printf("store=\"%s\",result=\"ok\"", sweep->store->hash);
    char *failed = mem_printf("store=\"%s\",result=\"failed\"", sweep->store->hash);
    static const char sweeps[] = "Readings of the store's whole catalogue";

    sweep->marks_key =
        mem_printf("%s:poller:%s:products", sweep->config->kafka.topic_prefix, sweep->store->hash);
    sweep->limit = SWEEP_PAGE_MAX;
    sweep->published = metric_counter("bigfusion_poller_products_published_total",
                                      "Products that are new or changed", label);
    sweep->unchanged = metric_counter("bigfusion_poller_products_unchanged_total",
                                      "Products read again without a change", label);
    sweep->dead =
        metric_counter("bigfusion_poller_products_dead_total", "Products that are dead", label);
    sweep->last_sweep = metric_gauge_ms("bigfusion_store_last_sweep_timestamp_seconds",
                                        "When the whole catalogue was last read; 0: never", label);
    sweep->sweeps_ok = metric_counter("bigfusion_store_sweeps_total", sweeps, ok);
    sweep->sweeps_failed = metric_counter("bigfusion_store_sweeps_total", sweeps, failed);
    free(failed);
    free(ok);
    free(label);
}

void sweep_clear(struct sweep *sweep)
{
    free(sweep->marks_key);
    sweep->marks_key = NULL;
    map_catalog_clear(&sweep->map);
    buffer_clear(&sweep->digested);
}

void sweep_restart(struct sweep *sweep)
{
    sweep->under_way = 0;
    sweep->due_ms = 0;
}

/* Puts the sweep off after a failure; it goes on where it is. The round goes on, so that no order
 * waits for the catalogue. */
static void postpone(struct sweep *sweep, int closed, const struct error *err)
{
    const struct retry_policy policy = {0, POSTPONED_BASE_MS, POSTPONED_CAP_MS};

    metric_add(sweep->sweeps_failed, 1);
    if (++sweep->failures == 1 && closed)
        log_error("alarm store refuses its catalogue store=%s error=\"%s\"", sweep->store->hash,
                  err->text);
    else if (sweep->failures == 1)
        log_warn("products wait store=%s error=\"%s\"", sweep->store->hash, err->text);
    sweep->due_ms =
        clock_monotonic_ms() + retry_delay_ms(&policy, sweep->failures, retry_chance(), -1);
}

/* Asks the store for its currency: the catalogue does not tell it. */
static enum outcome ask_currency(struct sweep *sweep, int *usable, struct error *err)
{
    const struct ask what = {.kind = ASK_STORE};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(sweep->asker, &what, &answer, &body, err);

    *usable = outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK &&
              sweep_read_currency(body, sweep->currency, err) == 0;
    if (outcome == OUTCOME_OK && !*usable)
        postpone(sweep, answer == BIGCOMMERCE_CLOSED, err);
    return outcome;
}

/* Passes over a product that cannot be read even when it is asked for alone: its id is learned from
 * a request for less, and it is dead. */
static enum outcome give_one_up(struct sweep *sweep, enum bigcommerce_answer why, struct error *err)
{
    const struct ask what = {.kind = ASK_CATALOG_SLIM, .id = sweep->last_id, .limit = 1};
    const struct error cause = *err;
    enum bigcommerce_answer answer;
    struct text body;
    int64_t id;
    enum outcome outcome = ask(sweep->asker, &what, &answer, &body, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer != BIGCOMMERCE_OK || (id = sweep_read_id(body)) <= sweep->last_id) {
        postpone(sweep, 0, err);
        return OUTCOME_OK;
    }
    outcome =
        sweep_bury(sweep, id, why == BIGCOMMERCE_TOO_LARGE ? REASON_TOO_LARGE : REASON_GAVE_UP,
                   cause.text, err);
    if (outcome == OUTCOME_OK) {
        sweep->last_id = id;
        sweep->failures = sweep->alone = 0;
        sweep->limit = SWEEP_PAGE_MAX;
    }
    return outcome;
}

/* No usable page came. Fewer products are asked for, so that the one that cannot be read is found. */
static enum outcome take_failure(struct sweep *sweep, enum bigcommerce_answer answer,
                                 struct error *err)
{
    int about_products = answer == BIGCOMMERCE_TROUBLE || answer == BIGCOMMERCE_TOO_LARGE;

    if (about_products && sweep->limit == 1 &&
        (answer == BIGCOMMERCE_TOO_LARGE || ++sweep->alone >= GIVE_UP_AFTER))
        return give_one_up(sweep, answer, err);
    if (about_products && sweep->limit > 1) {
        sweep->limit /= 2;
        if (answer == BIGCOMMERCE_TOO_LARGE)
            return OUTCOME_OK;
    }
    postpone(sweep, answer == BIGCOMMERCE_CLOSED, err);
    return OUTCOME_OK;
}

static void complete(struct sweep *sweep)
{
    log_info("products swept store=%s products=%d changed=%d", sweep->store->hash, sweep->products,
             sweep->changed);
    sweep->under_way = 0;
    sweep->due_ms = sweep->begun_ms + sweep->store->products_interval_s * 1000;
    metric_add(sweep->sweeps_ok, 1);
    metric_set(sweep->last_sweep, clock_now_ms());
}

static enum outcome read_page(struct sweep *sweep, struct error *err)
{
    const struct ask what = {.kind = ASK_CATALOG, .id = sweep->last_id, .limit = sweep->limit};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;
    int count = 0;

    sweep->paged_ms = clock_monotonic_ms();
    outcome = ask(sweep->asker, &what, &answer, &body, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer == BIGCOMMERCE_OK) {
        outcome = sweep_take_page(sweep, body, &count, err);
        if (outcome != OUTCOME_OK)
            return outcome;
        if (count < 0)
            answer = BIGCOMMERCE_TROUBLE;
    }
    if (answer != BIGCOMMERCE_OK)
        return take_failure(sweep, answer, err);
    if (sweep->failures > 0)
        log_info("products are read again store=%s", sweep->store->hash);
    sweep->failures = sweep->alone = 0;
    if (count == 0)
        complete(sweep);
    return OUTCOME_OK;
}

static void begin(struct sweep *sweep)
{
    sweep->under_way = 1;
    sweep->begun_ms = clock_monotonic_ms();
    sweep->last_id = 0;
    sweep->limit = SWEEP_PAGE_MAX;
    sweep->products = sweep->changed = sweep->alone = 0;
    sweep->currency[0] = '\0'; /* a merchant may change it */
}

/* Whether a page may be read now. Orders go first: the last quarter of the store's quota is left to
 * them. */
static int may_go_on(const struct sweep *sweep, int64_t until_ms, int pages)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < sweep->due_ms || (pages > 0 && now_ms >= until_ms))
        return 0;
    return !bigcommerce_is_scarce(sweep->asker->client) ||
           now_ms - sweep->paged_ms >= SCARCE_PAGE_MS;
}

enum outcome sweep_run(struct sweep *sweep, int64_t until_ms, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;
    int usable = 1;

    if (!sweep->store->products || !may_go_on(sweep, until_ms, 0))
        return OUTCOME_OK;
    if (!sweep->under_way)
        begin(sweep);
    if (sweep->currency[0] == '\0')
        outcome = ask_currency(sweep, &usable, err);
    for (int pages = 0;
         outcome == OUTCOME_OK && usable && sweep->under_way && may_go_on(sweep, until_ms, pages);
         pages++)
        outcome = read_page(sweep, err);
    if (outcome == OUTCOME_TROUBLE || outcome == OUTCOME_CLOSED) {
        postpone(sweep, outcome == OUTCOME_CLOSED, err);
        outcome = OUTCOME_OK;
    }
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}
