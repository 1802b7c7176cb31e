#include "contacts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    OVERLAP_LEAST_MS = 2000, /* whether the limits of dates are inclusive is not documented */
};

void contacts_init(struct contacts *contacts, const struct poll_context *with)
{
    const char *hash = with->store->hash;
    char *label = mem_printf("store=\"%s\"", hash);

    *contacts = (struct contacts){.with = with, .upper_ms = -1};
    pace_init(&contacts->pace, "customers", CONTACTS_PAGE_MAX);
    contacts->lane = (struct changed_lane){
        .with = with,
        .kind = "contact",
        .lane = TOPIC_LANE_CONTACTS,
        .marks_key = mem_printf("%s:poller:%s:customers", with->config->kafka.topic_prefix, hash),
        .published = metric_counter("bigfusion_poller_contacts_published_total",
                                    "Customers that are new or changed", label),
        .unchanged = metric_counter("bigfusion_poller_contacts_unchanged_total",
                                    "Customers read again without a change", label),
        .dead = metric_counter("bigfusion_poller_contacts_dead_total", "Customers that are dead",
                               label),
    };
    contacts->last_poll =
        metric_gauge_ms("bigfusion_store_last_contacts_poll_timestamp_seconds",
                        "When the customers were last read to the end; 0: never", label);
    free(label);
}

void contacts_clear(struct contacts *contacts)
{
    groups_clear(&contacts->groups);
    free(contacts->lane.marks_key);
    contacts->lane.marks_key = NULL;
    buffer_clear(&contacts->after);
}

void contacts_restart(struct contacts *contacts, int64_t position_ms, int64_t start_from_ms)
{
    contacts->position_ms = position_ms >= 0 ? position_ms : start_from_ms;
    contacts->lane.start_from_ms = start_from_ms;
    contacts->upper_ms = -1;
    contacts->pace.due_ms = 0;
    contacts->changed = 0;
}

static void put_off(struct contacts *contacts, int is_refused, const struct error *err)
{
    const char *hash = contacts->with->store->hash;

    if (pace_put_off(&contacts->pace, hash, is_refused, err))
        log_error("alarm store refuses its customers store=%s error=\"%s\"", hash, err->text);
}

/* Begins a window, where time has moved on since the one before. */
static void begin(struct contacts *contacts)
{
    const struct config *config = contacts->with->config;
    int64_t clock_ms = bigcommerce_clock_ms(contacts->with->asker->client);
    int64_t overlap_ms = config->poller.overlap_s * 1000;
    int64_t upper_ms = clock_ms - config->poller.settle_s * 1000;

    upper_ms -= upper_ms % 1000;
    if (clock_ms < 0 || upper_ms < contacts->position_ms)
        return;
    if (overlap_ms < OVERLAP_LEAST_MS)
        overlap_ms = OVERLAP_LEAST_MS;
    contacts->min_ms = contacts->position_ms - overlap_ms;
    if (contacts->min_ms < contacts->lane.start_from_ms)
        contacts->min_ms = contacts->lane.start_from_ms;
    contacts->min_ms -= contacts->min_ms % 1000;
    contacts->upper_ms = upper_ms;
    buffer_reset(&contacts->after);
}

/* Asks for a page behind a cursor. */
static enum outcome ask_page(struct contacts *contacts, enum ask_kind kind, struct text after,
                             enum bigcommerce_answer *answer, struct text *body, struct error *err)
{
    const struct ask what = {.kind = kind,
                             .query = {.min_ms = contacts->min_ms, .max_ms = contacts->upper_ms},
                             .limit = contacts->pace.limit,
                             .after = after};

    return ask(contacts->with->asker, &what, answer, body, err);
}

/* Finds out the id of the next customer and the cursor behind it, by a request without addresses. */
static enum outcome learn(struct contacts *contacts, struct text here, int64_t *id,
                          struct buffer *behind, int *is_known, struct error *err)
{
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask_page(contacts, ASK_CUSTOMERS_SLIM, here, &answer, &body, err);

    *is_known = outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK &&
                contacts_read_one(body, id, behind) == 0;
    return outcome;
}

/* Finds out whether the store can show what lies behind a cursor. */
static enum outcome look(struct contacts *contacts, struct text after, int *is_shown,
                         struct error *err)
{
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome = ask_page(contacts, ASK_CUSTOMERS, after, &answer, &body, err);

    *is_shown = outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK && contacts_is_page(body);
    return outcome;
}

/* Passes over a customer that cannot be read even when it is asked for alone: it is dead. This is done
 * only where the store shows what lies behind it, and still does not show this one. A store that shows
 * nothing is in trouble, and no customer is to blame. */
static enum outcome step_over(struct contacts *contacts, enum reason reason, struct error *err)
{
    const struct text here = {contacts->after.data, contacts->after.length};
    const struct error cause = *err;
    struct buffer behind = {0};
    int64_t id = -1;
    int is_known = 0, is_next_shown = 0, is_shown = 0;
    enum outcome outcome = learn(contacts, here, &id, &behind, &is_known, err);

    if (outcome == OUTCOME_OK && is_known)
        outcome = look(contacts, (struct text){behind.data, behind.length}, &is_next_shown, err);
    if (outcome == OUTCOME_OK && is_next_shown)
        outcome = look(contacts, here, &is_shown, err);
    if (outcome == OUTCOME_OK && is_next_shown && !is_shown) {
        outcome = changed_bury(&contacts->lane, id, reason, cause.text, err);
        if (outcome == OUTCOME_OK) {
            buffer_reset(&contacts->after);
            buffer_append(&contacts->after, behind.data, behind.length);
            pace_succeed(&contacts->pace, contacts->with->store->hash);
        }
    } else if (outcome == OUTCOME_OK && !is_shown) {
        put_off(contacts, 0, &cause);
    }
    buffer_clear(&behind);
    return outcome;
}

/* No usable page came. */
static enum outcome take_failure(struct contacts *contacts, enum bigcommerce_answer answer,
                                 struct error *err)
{
    enum pace_step step = pace_narrow(&contacts->pace, answer);

    if (step == PACE_STEP_OVER)
        return step_over(contacts,
                         answer == BIGCOMMERCE_TOO_LARGE ? REASON_TOO_LARGE : REASON_GAVE_UP, err);
    /* The store may not know the cursor any more. The window is read from its beginning then; what
     * was published of it is not published again. */
    if (answer == BIGCOMMERCE_REFUSED || answer == BIGCOMMERCE_GONE)
        buffer_reset(&contacts->after);
    if (step == PACE_WAIT)
        put_off(contacts, answer == BIGCOMMERCE_CLOSED, err);
    return OUTCOME_OK;
}

static enum outcome read_page(struct contacts *contacts, struct error *err)
{
    enum bigcommerce_answer answer;
    struct text body;
    enum outcome outcome;
    int count = 0;

    contacts->pace.paged_ms = clock_monotonic_ms();
    outcome =
        ask_page(contacts, ASK_CUSTOMERS,
                 (struct text){contacts->after.data, contacts->after.length}, &answer, &body, err);
    if (outcome == OUTCOME_OK && answer == BIGCOMMERCE_OK) {
        outcome = contacts_take_page(contacts, body, &count, err);
        if (count < 0)
            answer = BIGCOMMERCE_TROUBLE;
    }
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer != BIGCOMMERCE_OK)
        return take_failure(contacts, answer, err);
    pace_succeed(&contacts->pace, contacts->with->store->hash);
    if (count == 0) {
        contacts->position_ms = contacts->upper_ms;
        contacts->upper_ms = -1;
        metric_set(contacts->last_poll, clock_now_ms());
    }
    return OUTCOME_OK;
}

enum outcome contacts_run(struct contacts *contacts, int64_t until_ms, struct error *err)
{
    const struct bigcommerce *client = contacts->with->asker->client;
    enum outcome outcome = OUTCOME_OK;

    if (!contacts->with->store->contacts || !pace_may_go_on(&contacts->pace, client, until_ms, 0))
        return OUTCOME_OK;
    if (contacts->upper_ms < 0)
        begin(contacts);
    for (int pages = 0; outcome == OUTCOME_OK && contacts->upper_ms >= 0 &&
                        pace_may_go_on(&contacts->pace, client, until_ms, pages);
         pages++)
        outcome = read_page(contacts, err);
    if (outcome == OUTCOME_TROUBLE || outcome == OUTCOME_CLOSED) {
        put_off(contacts, outcome == OUTCOME_CLOSED, err);
        outcome = OUTCOME_OK;
    }
    if (outcome == OUTCOME_OK)
        error_clear(err);
    return outcome;
}
