#include "contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"

enum {
    SCARCE_PAGE_MS = 60000, /* a page is read this often even if the store's quota is scarce */
    POSTPONED_BASE_MS = 5000,
    POSTPONED_CAP_MS = 300000,
    OVERLAP_LEAST_MS = 2000, /* whether the limits of dates are inclusive is not documented */
};

void contacts_init(struct contacts *contacts)
{
    char *label = mem_printf("store=\"%s\"", contacts->store->hash);

    contacts->marks_key = mem_printf("%s:poller:%s:customers", contacts->config->kafka.topic_prefix,
                                     contacts->store->hash);
    contacts->limit = CONTACTS_PAGE_MAX;
    contacts->upper_ms = -1;
    contacts->published = metric_counter("bigfusion_poller_contacts_published_total",
                                         "Customers that are new or changed", label);
    contacts->unchanged = metric_counter("bigfusion_poller_contacts_unchanged_total",
                                         "Customers read again without a change", label);
    contacts->dead =
        metric_counter("bigfusion_poller_contacts_dead_total", "Customers that are dead", label);
    contacts->last_poll =
        metric_gauge_ms("bigfusion_store_last_contacts_poll_timestamp_seconds",
                        "When the customers were last read to the end; 0: never", label);
    free(label);
}

void contacts_clear(struct contacts *contacts)
{
    groups_clear(&contacts->groups);
    free(contacts->marks_key);
    contacts->marks_key = NULL;
    buffer_clear(&contacts->after);
}

void contacts_restart(struct contacts *contacts, int64_t position_ms, int64_t start_from_ms)
{
    contacts->position_ms = position_ms >= 0 ? position_ms : start_from_ms;
    contacts->start_from_ms = start_from_ms;
    contacts->upper_ms = -1;
    contacts->due_ms = 0;
    contacts->changed = 0;
}

/* Puts the customers off after a failure. The round goes on, so that no order waits for them. */
static void postpone(struct contacts *contacts, int closed, const struct error *err)
{
    const struct retry_policy policy = {0, POSTPONED_BASE_MS, POSTPONED_CAP_MS};

    if (++contacts->failures == 1 && closed)
        log_error("alarm store refuses its customers store=%s error=\"%s\"", contacts->store->hash,
                  err->text);
    else if (contacts->failures == 1)
        log_warn("contacts wait store=%s error=\"%s\"", contacts->store->hash, err->text);
    contacts->due_ms =
        clock_monotonic_ms() + retry_delay_ms(&policy, contacts->failures, retry_chance(), -1);
}

/* Begins a window, where time has moved on since the one before. */
static void begin(struct contacts *contacts)
{
    int64_t clock_ms = bigcommerce_clock_ms(contacts->asker->client);
    int64_t overlap_ms = contacts->config->poller.overlap_s * 1000;
    int64_t upper_ms = clock_ms - contacts->config->poller.settle_s * 1000;

    upper_ms -= upper_ms % 1000;
    if (clock_ms < 0 || upper_ms < contacts->position_ms)
        return;
    if (overlap_ms < OVERLAP_LEAST_MS)
        overlap_ms = OVERLAP_LEAST_MS;
    contacts->min_ms = contacts->position_ms - overlap_ms;
    if (contacts->min_ms < contacts->start_from_ms)
        contacts->min_ms = contacts->start_from_ms;
    contacts->min_ms -= contacts->min_ms % 1000;
    contacts->upper_ms = upper_ms;
    buffer_reset(&contacts->after);
}

static enum outcome read_page(struct contacts *contacts, struct error *err)
{
    const struct ask what = {.kind = ASK_CUSTOMERS,
                             .query = {.min_ms = contacts->min_ms, .max_ms = contacts->upper_ms},
                             .limit = contacts->limit,
                             .after = {contacts->after.data, contacts->after.length}};
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;
    int count = 0;

    contacts->paged_ms = clock_monotonic_ms();
    outcome = ask(contacts->asker, &what, &answer, &body, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer == BIGCOMMERCE_OK) {
        outcome = contacts_take_page(contacts, body, &count, err);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    if (answer != BIGCOMMERCE_OK || count < 0) {
        contacts->limit = contacts->limit > 1 ? contacts->limit / 2 : 1;
        postpone(contacts, answer == BIGCOMMERCE_CLOSED, err);
        return OUTCOME_OK;
    }
    if (contacts->failures > 0)
        log_info("customers are read again store=%s", contacts->store->hash);
    contacts->failures = 0;
    contacts->limit = CONTACTS_PAGE_MAX;
    if (count == 0) {
        contacts->position_ms = contacts->upper_ms;
        contacts->upper_ms = -1;
        metric_set(contacts->last_poll, clock_now_ms());
    }
    return OUTCOME_OK;
}

/* Whether a page may be read now. The last quarter of the store's quota is left to orders. */
static int may_go_on(const struct contacts *contacts, int64_t until_ms, int pages)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < contacts->due_ms || (pages > 0 && now_ms >= until_ms))
        return 0;
    return !bigcommerce_is_scarce(contacts->asker->client) ||
           now_ms - contacts->paged_ms >= SCARCE_PAGE_MS;
}

enum outcome contacts_run(struct contacts *contacts, int64_t until_ms, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    if (!contacts->store->contacts || !may_go_on(contacts, until_ms, 0))
        return OUTCOME_OK;
    if (contacts->upper_ms < 0)
        begin(contacts);
    for (int pages = 0;
         outcome == OUTCOME_OK && contacts->upper_ms >= 0 && may_go_on(contacts, until_ms, pages);
         pages++)
        outcome = read_page(contacts, err);
    if (outcome == OUTCOME_TROUBLE || outcome == OUTCOME_CLOSED) {
        postpone(contacts, outcome == OUTCOME_CLOSED, err);
        outcome = OUTCOME_OK;
    }
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}
