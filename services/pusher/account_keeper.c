/* The keeper: a thread that asks an account for what must be known of it, and probes it while it is
 * closed. */
#include "account_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"
#include "infusionsoft/payment_type.h"

enum { KEEPER_TICK_MS = 100 };

/* Calls that the keeper makes. They return 0 when the account answered, and -1 with the cause in
 * why. */

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

/* If the credential belongs to another account than the configured one, the process has to end. */
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
    const char *configured = account->config->currency, *code = configured;

    if (configured == NULL || configured[0] == '\0') {
        infusionsoft_call(client, "GET", "/businessProfile", NULL, (struct text){0});
        if (tell_why(client, why) != 0)
            return -1;
        code = yyjson_get_str(yyjson_obj_get(infusionsoft_answer(client)->root, "currency_code"));
    }
    if (code == NULL || code[0] == '\0') {
        snprintf(why, 160, "the account does not tell its currency: set it as `currency`");
        return -1;
    }
    snprintf(currency, 8, "%.7s", code);
    return 0;
}

/* Whether orders can be written. 0: they can, and field is set, or none are to be written; 1: the account has no e-commerce
 * module, as the lists of orders or products say; -1: it is not known, why tells the cause. */
static int ask_orders(struct account *account, struct infusionsoft *client,
                      struct infusionsoft_field *field, char why[160])
{
    enum infusionsoft_outcome outcome;

    memset(field, 0, sizeof(*field));
    if (account->config->orders == ORDERS_OFF)
        return 0;
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
    return account_fields_read(account, client, why);
}

/* If a store's payment type is none of the account's, a person has to correct it, and the process ends.
 * An account without the e-commerce module has no types; one that does not tell them is believed. */
static int check_payment_types(struct account *account, struct infusionsoft *client, char why[160])
{
    const struct config *config = account->settings.config;
    const struct config_store *store;
    struct text types;
    enum infusionsoft_outcome outcome;

    if (!payment_type_is_needed(config, account->settings.index))
        return 0;
    outcome = payment_type_ask(client, &types);
    if (outcome == INFUSIONSOFT_FORBIDDEN || (outcome == INFUSIONSOFT_OK && types.length == 0)) {
        log_warn("payment_types_unknown account=%s: the payment_type of its stores is not checked",
                 account->config->name);
        return 0;
    }
    if (tell_why(client, why) != 0)
        return -1;
    store = payment_type_find_unknown(config, account->settings.index, types);
    if (store == NULL)
        return 0;
    pthread_mutex_lock(&account->lock);
    error_set(
        &account->fatal, ERROR_PERMANENT,
        "[store %s] payment_type = %.60s: allowed: one of the account's Manual Payment Types, "
        "%.*s",
        store->name, store->payment_type, types.length > 200 ? 200 : (int)types.length, types.data);
    snprintf(why, 160, "%.150s", account->fatal.text);
    pthread_mutex_unlock(&account->lock);
    stop_request();
    return -1;
}

/* A probe failed. Its cause is told where it is another one than before; the lock is held. */
static void tell_still_closed(struct account *account, const char *why)
{
    if (strcmp(why, account->why) == 0)
        return;
    snprintf(account->why, sizeof(account->why), "%s", why);
    log_warn("account_still_closed account=%s why=\"%s\"", account->config->name, why);
}

/* Asks for everything that must be known before the first record, and opens the account. */
static void prepare(struct account *account, struct infusionsoft *client)
{
    struct circuit *circuit = &account->gates[ACCOUNT_ALL].circuit;
    char why[160] = "", currency[8] = "";
    struct infusionsoft_field field = {0};
    enum account_cause cause;
    int orders = -1;

    if (ask_user(client, why) == 0 && check_tenant(account, client, why) == 0 &&
        ask_currency(account, client, currency, why) == 0 &&
        check_payment_types(account, client, why) == 0)
        orders = ask_orders(account, client, &field, why);
    if (orders < 0 && stop_requested())
        return;
    cause = account_cause_of(infusionsoft_answer(client)->outcome);
    pthread_mutex_lock(&account->lock);
    if (orders > 0 && circuit_open(&account->gates[ACCOUNT_ORDERS].circuit, 0, clock_monotonic_ms(),
                                   retry_chance(), -1))
        account_alarm(account, ACCOUNT_ORDERS, ACCOUNT_NO_MODULE, why);
    if (orders >= 0) {
        memcpy(account->currency, currency, sizeof(account->currency));
        account->field = field;
        account->prepared = 1;
        circuit_probed(circuit, 1, clock_monotonic_ms(), retry_chance());
        account_show_open(account, ACCOUNT_ALL);
        log_info("account_open account=%s currency=%s orders=%s", account->config->name, currency,
                 orders == 0 ? "yes" : "no");
        health_set_ready(account->part, 1, NULL);
        account_set_reading(account, ACCOUNT_ALL);
        account_set_reading(account, ACCOUNT_ORDERS);
        rebuild_allow(account->settings.rebuild);
    } else if (circuit_open(circuit, 0, clock_monotonic_ms(), retry_chance(), -1)) {
        account_alarm(account, ACCOUNT_ALL, cause, why);
    } else {
        circuit_probed(circuit, 0, clock_monotonic_ms(), retry_chance());
        account_show_closed(account, ACCOUNT_ALL, cause);
        tell_still_closed(account, why);
    }
    account->asked = 1;
    pthread_mutex_unlock(&account->lock);
}

/* A probe ended. Where only a record can show that the account works again, one is asked for. */
static void probed(struct account *account, enum account_part part, int succeeded)
{
    struct circuit *circuit = &account->gates[part].circuit;

    if (circuit_probed(circuit, succeeded, clock_monotonic_ms(), retry_chance())) {
        account_opened(account, part);
    } else if (circuit->state == CIRCUIT_HALF_OPEN) {
        log_debug("half_open account=%s proof=\"%s\"", account->config->name,
                  account->gates[part].proof);
        account_call_one(account, part);
    }
}

static void probe(struct account *account, struct infusionsoft *client)
{
    char why[160] = "";
    int answered = ask_user(client, why) == 0;

    pthread_mutex_lock(&account->lock);
    if (!answered && !stop_requested())
        tell_still_closed(account, why);
    probed(account, ACCOUNT_ALL, answered);
    pthread_mutex_unlock(&account->lock);
}

static void probe_orders(struct account *account, struct infusionsoft *client)
{
    char why[160] = "";
    struct infusionsoft_field field;
    int orders = ask_orders(account, client, &field, why);

    pthread_mutex_lock(&account->lock);
    if (orders == 0)
        account->field = field;
    else if (orders < 0)
        log_warn("ecommerce_still_unavailable account=%s why=\"%s\"", account->config->name, why);
    probed(account, ACCOUNT_ORDERS, orders == 0);
    pthread_mutex_unlock(&account->lock);
}

/* Looks whether an operator paused the account. */
static void look_at_pause(struct account *account)
{
    enum paused_state state =
        paused_watch_state(account->settings.paused, PAUSED_ACCOUNT, account->config->name);

    if (state == PAUSED_UNKNOWN)
        return;
    pthread_mutex_lock(&account->lock);
    account_set_paused(account, state == PAUSED_YES);
    pthread_mutex_unlock(&account->lock);
}

static void *keep(void *context)
{
    struct account *account = context;
    const struct circuit *all = &account->gates[ACCOUNT_ALL].circuit;
    struct http *http = http_new("bigfusion-pusher", &account->settings.config->http);
    struct infusionsoft *client = account_client_new(account, http);

    while (!keeper_is_ending(&account->keeper) && !stop_requested()) {
        int64_t now_ms = clock_monotonic_ms();
        int prepared, due, orders_due;

        look_at_pause(account);
        pthread_mutex_lock(&account->lock);
        prepared = account->prepared;
        due = !account->asked || circuit_probe_due(all, now_ms);
        orders_due = prepared && all->state == CIRCUIT_CLOSED &&
                     circuit_probe_due(&account->gates[ACCOUNT_ORDERS].circuit, now_ms);
        pthread_mutex_unlock(&account->lock);
        if (due && !prepared)
            prepare(account, client);
        else if (due)
            probe(account, client);
        else if (orders_due)
            probe_orders(account, client);
        quota_mind_day(account->quota, clock_now_ms());
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
    return keeper_start(&account->keeper, keep, account, "the keeper's thread", err);
}
