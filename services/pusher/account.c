#include "account_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"

enum { REDIS_TIMEOUT_MS = 5000, KEPT_MAX = 2 };

static const char *const part_names[ACCOUNT_PART_COUNT] = {"all", "orders"};
static const char *const cause_names[ACCOUNT_CAUSE_COUNT] = {
    "no_answer", "unauthorized", "forbidden",     "no_module",
    "quota",     "throttled",    "many_failures", "not_set_up"};

static struct quota *new_quota(const struct account *account)
{
    const struct config *config = account->settings.config;
    struct quota_settings settings = {.server = &config->redis.server,
                                      .prefix = config->kafka.topic_prefix,
                                      .name = account->config->name,
                                      .per_s = account->config->rate_per_s,
                                      .per_min = account->config->rate_per_min,
                                      .per_day = account->config->rate_per_day,
                                      .call_ms = (config->pusher.http_timeout_s + 1) * 1000,
                                      .timeout_ms = REDIS_TIMEOUT_MS};

    return quota_new(&settings);
}

struct account *account_new(const struct account_settings *settings)
{
    struct account *account = mem_alloc(sizeof(*account));
    char labels[160];

    account->settings = *settings;
    account->config = &settings->config->accounts[settings->index];
    pthread_mutex_init(&account->lock, NULL);
    account_fields_init(account);
    snprintf(account->part, sizeof(account->part), "account %.80s", account->config->name);
    snprintf(labels, sizeof(labels), "kind=\"account_closed\",account=\"%.80s\"",
             account->config->name);
    account->alarms_closed = metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
    snprintf(labels, sizeof(labels), "kind=\"ecommerce_unavailable\",account=\"%.80s\"",
             account->config->name);
    account->alarms_orders = metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
    for (enum account_part part = ACCOUNT_ALL; part < ACCOUNT_PART_COUNT; part++) {
        snprintf(labels, sizeof(labels), "account=\"%.80s\",part=\"%s\"", account->config->name,
                 part_names[part]);
        account->gates[part].closed_since =
            metric_gauge_ms("bigfusion_account_closed_timestamp_seconds",
                            "Since when this part of the account is closed; 0: it is open", labels);
    }
    account->gates[ACCOUNT_ALL].topic = settings->topics->waiting[settings->index];
    account->gates[ACCOUNT_ORDERS].topic = settings->topics->waiting_orders[settings->index];
    account->quota = new_quota(account);
    if (account->config->auth == AUTH_OAUTH) {
        struct token_settings token = {.account = account->config,
                                       .redis = &settings->config->redis.server,
                                       .http = &settings->config->http,
                                       .prefix = settings->config->kafka.topic_prefix,
                                       .timeout_ms = REDIS_TIMEOUT_MS};

        account->token = token_new(&token);
    }
    return account;
}

void account_free(struct account *account)
{
    if (account == NULL)
        return;
    keeper_end(&account->keeper);
    token_free(account->token);
    quota_free(account->quota);
    pthread_mutex_destroy(&account->lock);
    free(account->fields);
    free(account);
}

struct infusionsoft *account_client_new(struct account *account, struct http *http)
{
    const struct config *config = account->settings.config;
    struct infusionsoft_settings settings = {.account = account->config,
                                             .http = http,
                                             .quota = account->quota,
                                             .token = account->token,
                                             .timeout_ms = config->pusher.http_timeout_s * 1000};

    return infusionsoft_new(&settings);
}

const struct config_account *account_config(const struct account *account)
{
    return account->config;
}

int account_is_free(const struct account *account)
{
    return account->quota == NULL && account->token == NULL;
}

enum account_state account_state(struct account *account)
{
    enum account_state state;

    pthread_mutex_lock(&account->lock);
    if (account->is_paused || account->gates[ACCOUNT_ALL].circuit.state != CIRCUIT_CLOSED)
        state = ACCOUNT_CLOSED;
    else
        state = account->asked && account->is_pause_known ? ACCOUNT_USABLE : ACCOUNT_STARTING;
    pthread_mutex_unlock(&account->lock);
    return state;
}

void account_why_closed(struct account *account, char detail[160])
{
    pthread_mutex_lock(&account->lock);
    snprintf(detail, 160, "%s", account->is_paused ? "paused by an operator" : account->why);
    pthread_mutex_unlock(&account->lock);
}

void account_facts(struct account *account, char currency[8], struct infusionsoft_field *field)
{
    pthread_mutex_lock(&account->lock);
    memcpy(currency, account->currency, 8);
    *field = account->field;
    pthread_mutex_unlock(&account->lock);
}

/* Closing and opening; the lock is held. */

void account_set_reading(struct account *account, enum account_part part)
{
    int is_open = account->prepared && !account->is_paused &&
                  account->gates[part].circuit.state == CIRCUIT_CLOSED;

    if (account->stage != NULL)
        stage_set_paused(account->stage, account->gates[part].topic, !is_open);
}

void account_set_paused(struct account *account, int is_paused)
{
    account->is_pause_known = 1;
    if (account->is_paused == is_paused)
        return;
    account->is_paused = is_paused;
    log_info("account_%s account=%s by=operator", is_paused ? "paused" : "resumed",
             account->config->name);
    for (enum account_part part = ACCOUNT_ALL; part < ACCOUNT_PART_COUNT; part++) {
        account_set_reading(account, part);
        if (account->gates[part].circuit.state == CIRCUIT_HALF_OPEN)
            account_call_one(account, part);
    }
}

/* The next line is about the account, also where an order found it out. */
#define LOG_ACCOUNT(log, ...)                                                                      \
    do {                                                                                           \
        const struct log_about *before = log_set_about(NULL);                                      \
                                                                                                   \
        log(__VA_ARGS__);                                                                          \
        log_set_about(before);                                                                     \
    } while (0)

void account_show_closed(struct account *account, enum account_part part, enum account_cause cause)
{
    struct gate *gate = &account->gates[part];

    if (gate->closed[gate->cause] != NULL)
        metric_set(gate->closed[gate->cause], 0);
    if (gate->closed[cause] == NULL) {
        char labels[160];

        snprintf(labels, sizeof(labels), "account=\"%.80s\",part=\"%s\",cause=\"%s\"",
                 account->config->name, part_names[part], cause_names[cause]);
        gate->closed[cause] =
            metric_gauge("bigfusion_account_closed",
                         "1: this part of the account is closed for this cause", labels);
    }
    gate->cause = cause;
    metric_set(gate->closed[cause], 1);
    if (metric_value(gate->closed_since) == 0)
        metric_set(gate->closed_since, clock_now_ms());
}

void account_show_open(struct account *account, enum account_part part)
{
    struct gate *gate = &account->gates[part];

    if (gate->closed[gate->cause] != NULL)
        metric_set(gate->closed[gate->cause], 0);
    metric_set(gate->closed_since, 0);
}

enum account_cause account_cause_of(enum infusionsoft_outcome outcome)
{
    switch (outcome) {
    case INFUSIONSOFT_OK: /* the account answered, but lacks what is needed */
        return ACCOUNT_NOT_SET_UP;
    case INFUSIONSOFT_UNAUTHORIZED:
        return ACCOUNT_UNAUTHORIZED;
    case INFUSIONSOFT_REFUSED:
    case INFUSIONSOFT_FORBIDDEN:
        return ACCOUNT_FORBIDDEN;
    case INFUSIONSOFT_THROTTLED:
        return ACCOUNT_THROTTLED;
    default:
        return ACCOUNT_NO_ANSWER;
    }
}

void account_alarm(struct account *account, enum account_part part, enum account_cause cause,
                   const char *why)
{
    account_show_closed(account, part, cause);
    if (account->stage != NULL)
        stage_set_paused(account->stage, account->gates[part].topic, 1);
    if (part == ACCOUNT_ORDERS) {
        metric_add(account->alarms_orders, 1);
        LOG_ACCOUNT(log_error, "ecommerce_unavailable account=%s why=\"%s\"", account->config->name,
                    why);
        return;
    }
    snprintf(account->why, sizeof(account->why), "%s", why);
    metric_add(account->alarms_closed, 1);
    LOG_ACCOUNT(log_error, "account_closed account=%s why=\"%s\"", account->config->name, why);
    health_set_ready(account->part, 0, why);
}

void account_opened(struct account *account, enum account_part part)
{
    account_show_open(account, part);
    account_set_reading(account, part);
    if (part == ACCOUNT_ORDERS) {
        LOG_ACCOUNT(log_info, "ecommerce_available account=%s", account->config->name);
        return;
    }
    health_set_ready(account->part, 1, NULL);
    LOG_ACCOUNT(log_info, "account_open account=%s", account->config->name);
}

void account_call_one(struct account *account, enum account_part part)
{
    /* Where enough records are kept in hand, one of them tries. */
    if (!account->is_paused && account->gates[part].kept_count < KEPT_MAX)
        stage_take_one(account->stage, account->gates[part].topic);
}

/* A record says that a call failed. If it was trying, the circuit opens again; otherwise it opens
 * for the first time, with an alarm. */
static void fail(struct account *account, enum account_part part, struct account_trial *trial,
                 enum account_cause cause, const char *why, const char *proof, int64_t wait_ms)
{
    struct gate *gate = &account->gates[part];
    int64_t now_ms = clock_monotonic_ms();

    if (trial->trying) {
        trial->trying = 0;
        trial->refused = 1;
        circuit_refused(&gate->circuit, now_ms, retry_chance(), wait_ms);
        stage_set_paused(account->stage, gate->topic, 1);
    } else if (circuit_open(&gate->circuit, proof != NULL, now_ms, retry_chance(), wait_ms)) {
        snprintf(gate->proof, sizeof(gate->proof), "%s", proof != NULL ? proof : "");
        account_alarm(account, part, cause, why);
    }
}

/* The record that was trying got through. */
static void pass(struct account *account, enum account_part part, struct account_trial *trial)
{
    trial->trying = 0;
    circuit_passed(&account->gates[part].circuit);
    account_opened(account, part);
}

/* What records tell */

void account_close(struct account *account, enum account_part part, struct account_trial *trials,
                   enum account_cause cause, const char *why, const char *proof, int64_t wait_ms)
{
    pthread_mutex_lock(&account->lock);
    fail(account, part, &trials[part], cause, why, proof, wait_ms);
    pthread_mutex_unlock(&account->lock);
}

void account_called(struct account *account, struct account_trial *trials, const char *call)
{
    pthread_mutex_lock(&account->lock);
    for (enum account_part part = ACCOUNT_ALL; part < ACCOUNT_PART_COUNT; part++) {
        const char *proof = account->gates[part].proof;

        if (trials[part].trying &&
            (strcmp(proof, call) == 0 || strcmp(proof, ACCOUNT_ANY_CALL) == 0))
            pass(account, part, &trials[part]);
    }
    pthread_mutex_unlock(&account->lock);
}

void account_record_succeeded(struct account *account, struct account_trial *trials)
{
    pthread_mutex_lock(&account->lock);
    if (trials[ACCOUNT_ALL].trying && account->gates[ACCOUNT_ALL].proof[0] == '\0')
        pass(account, ACCOUNT_ALL, &trials[ACCOUNT_ALL]);
    circuit_success(&account->gates[ACCOUNT_ALL].circuit);
    circuit_success(&account->gates[ACCOUNT_ORDERS].circuit);
    pthread_mutex_unlock(&account->lock);
}

void account_record_failed(struct account *account, struct account_trial *trials,
                           uint32_t record_hash)
{
    static const char why[] = "many records failed in a row, none succeeded";
    struct gate *gate = &account->gates[ACCOUNT_ALL];

    pthread_mutex_lock(&account->lock);
    if (trials[ACCOUNT_ALL].trying && gate->proof[0] == '\0') {
        fail(account, ACCOUNT_ALL, &trials[ACCOUNT_ALL], ACCOUNT_MANY_FAILURES, why, "", -1);
    } else if (circuit_failure(&gate->circuit, record_hash, clock_monotonic_ms(), retry_chance())) {
        gate->proof[0] = '\0';
        account_alarm(account, ACCOUNT_ALL, ACCOUNT_MANY_FAILURES, why);
    }
    pthread_mutex_unlock(&account->lock);
}

/* Trials */

int account_enter(struct account *account, enum account_part part, struct account_trial *trials)
{
    struct circuit *circuit = &account->gates[part].circuit;
    struct account_trial *trial = &trials[part];
    int enters;

    pthread_mutex_lock(&account->lock);
    if (!trial->trying && !account->is_paused &&
        circuit_may_try(circuit, trial->refused, clock_monotonic_ms())) {
        circuit_try(circuit);
        trial->trying = 1;
    }
    enters = trial->trying || (circuit->state == CIRCUIT_CLOSED && !account->is_paused);
    pthread_mutex_unlock(&account->lock);
    return enters;
}

void account_leave(struct account *account, struct account_trial *trials)
{
    pthread_mutex_lock(&account->lock);
    for (enum account_part part = ACCOUNT_ALL; part < ACCOUNT_PART_COUNT; part++) {
        if (!trials[part].trying)
            continue;
        trials[part].trying = 0;
        circuit_undecided(&account->gates[part].circuit);
        account_call_one(account, part);
    }
    pthread_mutex_unlock(&account->lock);
}

int account_keep(struct account *account, enum account_part part, struct account_trial *trials,
                 const char *topic)
{
    struct gate *gate = &account->gates[part];
    int kept;

    pthread_mutex_lock(&account->lock);
    if (!trials[part].kept && gate->kept_count < KEPT_MAX && strcmp(topic, gate->topic) == 0) {
        trials[part].kept = 1;
        gate->kept_count++;
    }
    kept = trials[part].kept;
    pthread_mutex_unlock(&account->lock);
    return kept;
}

int account_still_waits(struct account *account, const struct account_trial *trials)
{
    int64_t now_ms = clock_monotonic_ms();
    int waits = 0;

    pthread_mutex_lock(&account->lock);
    for (enum account_part part = ACCOUNT_ALL; part < ACCOUNT_PART_COUNT; part++) {
        const struct circuit *circuit = &account->gates[part].circuit;

        /* A record that waits for the orders also waits while the whole account is closed. */
        if ((trials[part].kept || (part == ACCOUNT_ALL && trials[ACCOUNT_ORDERS].kept)) &&
            (account->is_paused ||
             (circuit->state != CIRCUIT_CLOSED &&
              !(trials[part].kept && circuit_may_try(circuit, trials[part].refused, now_ms)))))
            waits = 1;
    }
    pthread_mutex_unlock(&account->lock);
    return waits;
}

void account_let_go(struct account *account, struct account_trial *trials)
{
    pthread_mutex_lock(&account->lock);
    for (enum account_part part = ACCOUNT_ALL; part < ACCOUNT_PART_COUNT; part++) {
        account->gates[part].kept_count -= trials[part].kept;
        trials[part].kept = 0;
    }
    pthread_mutex_unlock(&account->lock);
}
