#include "account.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "circuit.h"
#include "clock.h"
#include "health.h"
#include "log.h"
#include "quota.h"
#include "retry.h"
#include "stop.h"
#include "token.h"

enum { KEEPER_TICK_MS = 100, REDIS_TIMEOUT_MS = 5000 };

struct account {
    struct account_settings settings;
    const struct config_account *config;
    struct stage *stage;
    struct token *token; /* or NULL: a key */
    struct quota *quota; /* or NULL: no ceiling */
    char part[96];       /* name for /readyz */
    struct metric *alarms_closed;
    struct metric *alarms_orders;
    pthread_t keeper;
    int started;
    pthread_mutex_t lock; /* guards what follows */
    int ending;
    int asked;    /* the first preparation ended, well or badly */
    int prepared; /* credential, currency and field are known */
    struct circuit circuit;
    struct circuit orders;
    char why[160];
    char currency[8];
    struct infusionsoft_field field;
    struct error fatal;
};

static struct quota *new_quota(const struct account *account)
{
    const struct config *config = account->settings.config;
    struct quota_settings settings = {.url = config->redis.url,
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
    snprintf(account->part, sizeof(account->part), "account %.80s", account->config->name);
    snprintf(labels, sizeof(labels), "kind=\"account_closed\",account=\"%.80s\"",
             account->config->name);
    account->alarms_closed = metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
    snprintf(labels, sizeof(labels), "kind=\"ecommerce_unavailable\",account=\"%.80s\"",
             account->config->name);
    account->alarms_orders = metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
    account->quota = new_quota(account);
    if (account->config->auth == AUTH_OAUTH) {
        struct token_settings token = {.account = account->config,
                                       .redis_url = settings->config->redis.url,
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
    pthread_mutex_lock(&account->lock);
    account->ending = 1;
    pthread_mutex_unlock(&account->lock);
    if (account->started)
        pthread_join(account->keeper, NULL);
    token_free(account->token);
    quota_free(account->quota);
    pthread_mutex_destroy(&account->lock);
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
    state = account->circuit.open ? ACCOUNT_CLOSED
            : account->asked      ? ACCOUNT_USABLE
                                  : ACCOUNT_STARTING;
    pthread_mutex_unlock(&account->lock);
    return state;
}

int account_orders_usable(struct account *account)
{
    int usable;

    pthread_mutex_lock(&account->lock);
    usable = !account->orders.open;
    pthread_mutex_unlock(&account->lock);
    return usable;
}

void account_why_closed(struct account *account, char detail[160])
{
    pthread_mutex_lock(&account->lock);
    snprintf(detail, 160, "%s", account->why);
    pthread_mutex_unlock(&account->lock);
}

void account_facts(struct account *account, char currency[8], struct infusionsoft_field *field)
{
    pthread_mutex_lock(&account->lock);
    memcpy(currency, account->currency, 8);
    *field = account->field;
    pthread_mutex_unlock(&account->lock);
}

/* With the lock held, right after the circuit opened. */
static void alarm_closed(struct account *account, const char *why)
{
    snprintf(account->why, sizeof(account->why), "%s", why);
    if (account->stage != NULL)
        stage_set_paused(account->stage, account->settings.topics->waiting[account->settings.index],
                         1);
    metric_add(account->alarms_closed, 1);
    log_error("account_closed account=%s why=\"%s\"", account->config->name, why);
    health_set_ready(account->part, 0, why);
}

void account_close(struct account *account, const char *why, int64_t wait_ms)
{
    pthread_mutex_lock(&account->lock);
    if (circuit_open(&account->circuit, clock_monotonic_ms(), retry_chance(), wait_ms))
        alarm_closed(account, why);
    pthread_mutex_unlock(&account->lock);
}

void account_close_orders(struct account *account, const char *why)
{
    pthread_mutex_lock(&account->lock);
    if (circuit_open(&account->orders, clock_monotonic_ms(), retry_chance(), -1)) {
        if (account->stage != NULL)
            stage_set_paused(account->stage,
                             account->settings.topics->waiting_orders[account->settings.index], 1);
        metric_add(account->alarms_orders, 1);
        log_error("ecommerce_unavailable account=%s why=\"%s\"", account->config->name, why);
    }
    pthread_mutex_unlock(&account->lock);
}

void account_record_succeeded(struct account *account)
{
    pthread_mutex_lock(&account->lock);
    circuit_success(&account->circuit);
    circuit_success(&account->orders);
    pthread_mutex_unlock(&account->lock);
}

void account_record_failed(struct account *account, uint32_t record_hash)
{
    pthread_mutex_lock(&account->lock);
    if (circuit_failure(&account->circuit, record_hash, clock_monotonic_ms(), retry_chance()))
        alarm_closed(account, "many records failed in a row, none succeeded");
    pthread_mutex_unlock(&account->lock);
}

/* The keeper */

/* Calls of the keeper's. 0: the account answered; -1: why says what is wrong. */

static int tell_why(const struct infusionsoft *client, char why[160])
{
    if (infusionsoft_answer(client)->outcome == INFUSIONSOFT_OK)
        return 0;
    snprintf(why, 160, "%.150s", infusionsoft_answer(client)->error.text);
    return -1;
}

static int ask_user(struct infusionsoft *client, char why[160])
{
    infusionsoft_call(client, "GET", "/oauth/connect/userinfo", NULL, (struct text){0});
    infusionsoft_check_user(client);
    return tell_why(client, why);
}

static int ask_list(struct infusionsoft *client, const char *name, char why[160])
{
    char path[32];

    snprintf(path, sizeof(path), "/%s", name);
    if (infusionsoft_call(client, "GET", path, "page_size=1", (struct text){0}) == INFUSIONSOFT_OK)
        (void)infusionsoft_list(client, name);
    return tell_why(client, why);
}

/* A credential of somebody else's account ends the process. */
static int check_tenant(struct account *account, struct infusionsoft *client, char why[160])
{
    struct error err = {0};

    if (infusionsoft_check_tenant(client, &err) == 0)
        return 0;
    snprintf(why, 160, "%.150s", err.text);
    if (err.kind != ERROR_PERMANENT)
        return -1;
    pthread_mutex_lock(&account->lock);
    account->fatal = err;
    pthread_mutex_unlock(&account->lock);
    stop_request();
    return -1;
}

int account_error(struct account *account, struct error *err)
{
    pthread_mutex_lock(&account->lock);
    if (account->fatal.kind != ERROR_NONE)
        error_set(err, account->fatal.kind, "%s", account->fatal.text);
    pthread_mutex_unlock(&account->lock);
    return account->fatal.kind != ERROR_NONE ? -1 : 0;
}

static int ask_currency(struct account *account, struct infusionsoft *client, char currency[8],
                        char why[160])
{
    const char *code = account->config->currency;

    if (code == NULL || code[0] == '\0') {
        infusionsoft_call(client, "GET", "/businessProfile", NULL, (struct text){0});
        if (tell_why(client, why) != 0)
            return -1;
        code = yyjson_get_str(yyjson_obj_get(infusionsoft_answer(client)->root, "currency_code"));
        if (code == NULL || code[0] == '\0') {
            snprintf(why, 160, "the account does not tell its currency: set it as `currency`");
            return -1;
        }
    }
    snprintf(currency, 8, "%.7s", code);
    return 0;
}

/* Can orders be written? 0: yes, field is set; 1: no e-commerce module, as orders or products say;
 * -1: why. */
static int ask_orders(struct infusionsoft *client, struct infusionsoft_field *field, char why[160])
{
    enum infusionsoft_outcome outcome;

    memset(field, 0, sizeof(*field));
    if (ask_list(client, "orders", why) != 0 || ask_list(client, "products", why) != 0)
        return infusionsoft_answer(client)->outcome == INFUSIONSOFT_FORBIDDEN ? 1 : -1;
    outcome = infusionsoft_find_field(client, field);
    if (outcome == INFUSIONSOFT_FORBIDDEN)
        return 1;
    if (outcome != INFUSIONSOFT_OK) {
        snprintf(why, 160, "%.150s", infusionsoft_answer(client)->error.text);
        return -1;
    }
    if (field->id[0] == '\0') {
        snprintf(why, 160,
                 "the order custom field \"" INFUSIONSOFT_FIELD_LABEL
                 "\" is missing: run `bigfusion setup`");
        return -1;
    }
    return 0;
}

static void open_waiting(struct account *account, int orders_too)
{
    const struct topics *topics = account->settings.topics;
    int index = account->settings.index;

    stage_set_paused(account->stage, topics->waiting[index], 0);
    if (orders_too)
        stage_set_paused(account->stage, topics->waiting_orders[index], 0);
}

/* Everything that must be known before the first record. */
static void prepare(struct account *account, struct infusionsoft *client)
{
    char why[160] = "", currency[8] = "";
    struct infusionsoft_field field = {0};
    int orders = -1;

    if (ask_user(client, why) == 0 && check_tenant(account, client, why) == 0 &&
        ask_currency(account, client, currency, why) == 0)
        orders = ask_orders(client, &field, why);
    if (orders < 0 && stop_requested())
        return;
    if (orders > 0)
        account_close_orders(account, why);
    pthread_mutex_lock(&account->lock);
    if (orders >= 0) {
        memcpy(account->currency, currency, sizeof(account->currency));
        account->field = field;
        account->prepared = 1;
        circuit_probed(&account->circuit, 1, clock_monotonic_ms(), retry_chance());
        health_set_ready(account->part, 1, NULL);
        log_info("account_open account=%s currency=%s orders=%s", account->config->name, currency,
                 orders == 0 ? "yes" : "no");
        open_waiting(account, orders == 0);
        rebuild_allow(account->settings.rebuild);
    } else if (circuit_open(&account->circuit, clock_monotonic_ms(), retry_chance(), -1)) {
        alarm_closed(account, why);
    } else {
        circuit_probed(&account->circuit, 0, clock_monotonic_ms(), retry_chance());
        if (strcmp(why, account->why) != 0) {
            snprintf(account->why, sizeof(account->why), "%s", why);
            log_warn("account_still_closed account=%s why=\"%s\"", account->config->name, why);
        }
    }
    account->asked = 1;
    pthread_mutex_unlock(&account->lock);
}

static void probe(struct account *account, struct infusionsoft *client)
{
    char why[160];
    int answered = ask_user(client, why) == 0;
    int closed;

    pthread_mutex_lock(&account->lock);
    closed = circuit_probed(&account->circuit, answered, clock_monotonic_ms(), retry_chance());
    if (closed) {
        health_set_ready(account->part, 1, NULL);
        log_info("account_open account=%s", account->config->name);
        open_waiting(account, 0);
    }
    pthread_mutex_unlock(&account->lock);
}

static void probe_orders(struct account *account, struct infusionsoft *client)
{
    char why[160] = "";
    struct infusionsoft_field field;
    int orders = ask_orders(client, &field, why);

    pthread_mutex_lock(&account->lock);
    if (orders == 0)
        account->field = field;
    if (circuit_probed(&account->orders, orders == 0, clock_monotonic_ms(), retry_chance())) {
        log_info("ecommerce_available account=%s", account->config->name);
        stage_set_paused(account->stage,
                         account->settings.topics->waiting_orders[account->settings.index], 0);
    } else if (orders < 0) {
        log_warn("ecommerce_still_unavailable account=%s why=\"%s\"", account->config->name, why);
    }
    pthread_mutex_unlock(&account->lock);
}

static void *keep(void *context)
{
    struct account *account = context;
    struct http *http = http_new("bigfusion-pusher");
    struct infusionsoft *client = account_client_new(account, http);

    for (;;) {
        int64_t now_ms = clock_monotonic_ms();
        int prepared, due, orders_due, ending;

        pthread_mutex_lock(&account->lock);
        prepared = account->prepared;
        due = !account->asked || circuit_probe_due(&account->circuit, now_ms);
        orders_due =
            prepared && !account->circuit.open && circuit_probe_due(&account->orders, now_ms);
        ending = account->ending;
        pthread_mutex_unlock(&account->lock);
        if (ending || stop_requested())
            break;
        if (due && !prepared)
            prepare(account, client);
        else if (due)
            probe(account, client);
        else if (orders_due)
            probe_orders(account, client);
        stop_wait_ms(KEEPER_TICK_MS);
    }
    infusionsoft_free(client);
    http_free(http);
    return NULL;
}

int account_start(struct account *account, struct stage *stage, struct error *err)
{
    const struct topics *topics = account->settings.topics;

    account->stage = stage;
    stage_set_paused(stage, topics->waiting[account->settings.index], 1);
    stage_set_paused(stage, topics->waiting_orders[account->settings.index], 1);
    health_set_ready(account->part, 0, "not asked yet");
    if (pthread_create(&account->keeper, NULL, keep, account) != 0)
        return error_set(err, ERROR_TEMPORARY, "the keeper's thread cannot be started");
    account->started = 1;
    return 0;
}
