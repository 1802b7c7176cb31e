#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#include "sweep_page.h"

void sweep_init(struct sweep *sweep, const struct poll_context *with)
{
    const char *hash = with->store->hash;
    char *label = mem_printf("store=\"%s\"", hash);
    char *ok = mem_printf("store=\"%s\",result=\"ok\"", hash);
    char *failed = mem_printf("store=\"%s\",result=\"failed\"", hash);
    static const char sweeps[] = "Readings of the store's whole catalogue";

    *sweep = (struct sweep){.with = with};
    pace_init(&sweep->pace, "products", SWEEP_PAGE_MAX);
    sweep->lane = (struct changed_lane){
        .with = with,
        .kind = "product",
        .lane = TOPIC_LANE_PRODUCTS,
        .marks_key = mem_printf("%s:poller:%s:products", with->config->kafka.topic_prefix, hash),
        .start_from_ms = -1,
        .published = metric_counter("bigfusion_poller_products_published_total",
                                    "Products that are new or changed", label),
        .unchanged = metric_counter("bigfusion_poller_products_unchanged_total",
                                    "Products read again without a change", label),
        .dead =
            metric_counter("bigfusion_poller_products_dead_total", "Products that are dead", label),
    };
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
    free(sweep->lane.marks_key);
    sweep->lane.marks_key = NULL;
    map_catalog_clear(&sweep->map);
    buffer_clear(&sweep->digested);
}

void sweep_restart(struct sweep *sweep)
{
    sweep->under_way = 0;
    sweep->pace.due_ms = 0;
}

/* Puts the sweep off after a failure; it goes on where it is. */
static void put_off(struct sweep *sweep, enum bigcommerce_answer answer, const struct error *err)
{
    const char *hash = sweep->with->store->hash;

    metric_add(sweep->sweeps_failed, 1);
    if (pace_put_off(&sweep->pace, hash, answer == BIGCOMMERCE_CLOSED, err))
        log_error("alarm store refuses its catalogue store=%s error=\"%s\"", hash, err->text);
}

/* Asks the store for its currency: the catalogue does not tell it. */
static enum outcome ask_currency(struct sweep *sweep, int *usable, struct error *err)
{
    const struct ask what = {.kind = ASK_STORE};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask(sweep->with->asker, &what, &answer, &body, err);

    *usable = outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK &&
              sweep_read_currency(body, sweep->currency, err) == 0;
    if (outcome == OUTCOME_OK && !*usable)
        put_off(sweep, answer, err);
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
    enum outcome outcome = ask(sweep->with->asker, &what, &answer, &body, err);

    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer != BIGCOMMERCE_OK || (id = sweep_read_id(body)) <= sweep->last_id) {
        put_off(sweep, answer, err);
        return OUTCOME_OK;
    }
    outcome = changed_bury(&sweep->lane, id,
                           why == BIGCOMMERCE_TOO_LARGE ? REASON_TOO_LARGE : REASON_GAVE_UP,
                           cause.text, err);
    if (outcome == OUTCOME_OK) {
        sweep->last_id = id;
        pace_succeed(&sweep->pace, sweep->with->store->hash);
    }
    return outcome;
}

/* No usable page came. */
static enum outcome take_failure(struct sweep *sweep, enum bigcommerce_answer answer,
                                 struct error *err)
{
    enum pace_step step = pace_narrow(&sweep->pace, answer);

    if (step == PACE_STEP_OVER)
        return give_one_up(sweep, answer, err);
    if (step == PACE_WAIT)
        put_off(sweep, answer, err);
    return OUTCOME_OK;
}

static void complete(struct sweep *sweep)
{
    log_info("products swept store=%s products=%d changed=%d", sweep->with->store->hash,
             sweep->products, sweep->changed);
    sweep->under_way = 0;
    sweep->pace.due_ms = sweep->begun_ms + sweep->with->store->products_interval_s * 1000;
    metric_add(sweep->sweeps_ok, 1);
    metric_set(sweep->last_sweep, clock_now_ms());
}

static enum outcome read_page(struct sweep *sweep, struct error *err)
{
    const struct ask what = {.kind = ASK_CATALOG, .id = sweep->last_id, .limit = sweep->pace.limit};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;
    int count = 0;

    sweep->pace.paged_ms = clock_monotonic_ms();
    outcome = ask(sweep->with->asker, &what, &answer, &body, err);
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
    pace_succeed(&sweep->pace, sweep->with->store->hash);
    if (count == 0)
        complete(sweep);
    return OUTCOME_OK;
}

static void begin(struct sweep *sweep)
{
    sweep->under_way = 1;
    sweep->begun_ms = clock_monotonic_ms();
    sweep->last_id = 0;
    sweep->products = sweep->changed = 0;
    sweep->currency[0] = '\0'; /* a merchant may change it */
}

enum outcome sweep_run(struct sweep *sweep, int64_t until_ms, struct error *err)
{
    const struct bigcommerce *client = sweep->with->asker->client;
    enum outcome outcome = OUTCOME_OK;
    int usable = 1;

    if (!sweep->with->store->products || !pace_may_go_on(&sweep->pace, client, until_ms, 0))
        return OUTCOME_OK;
    if (!sweep->under_way)
        begin(sweep);
    if (sweep->currency[0] == '\0')
        outcome = ask_currency(sweep, &usable, err);
    for (int pages = 0; outcome == OUTCOME_OK && usable && sweep->under_way &&
                        pace_may_go_on(&sweep->pace, client, until_ms, pages);
         pages++)
        outcome = read_page(sweep, err);
    if (outcome == OUTCOME_TROUBLE || outcome == OUTCOME_CLOSED) {
        put_off(sweep, outcome == OUTCOME_CLOSED ? BIGCOMMERCE_CLOSED : BIGCOMMERCE_TROUBLE, err);
        outcome = OUTCOME_OK;
    }
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}
