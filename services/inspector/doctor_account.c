/* doctor_account.c - asks an Infusionsoft account what the pusher will need of it. With rotating
 * tokens only the access token is used that a pusher has stored: a refresh token can be used once,
 * so a refresh here could leave the pushers without one. */
#include "doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/date.h"
#include "infusionsoft/payment_type.h"
#include "infusionsoft/token_file.h"
#include "net/http.h"

#include "doctor_judge.h"
#include "doctor_judge_account.h"

/* The checks of one account. */
struct visit {
    const struct config *config;
    int index; /* into config's accounts */
    const struct config_account *account;
    struct infusionsoft *client;
    struct findings *findings;
    struct clock_lead lead;
    int lead_known;
};

static struct account_answer take(const struct visit *visit)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(visit->client);
    struct account_answer taken = {.outcome = answer->outcome};

    snprintf(taken.why, sizeof(taken.why), "%s", answer->error.text);
    return taken;
}

static struct account_answer ask_user(struct visit *visit)
{
    int64_t asked_ms = clock_now_ms(), date_ms;

    infusionsoft_call(visit->client, "GET", "/oauth/connect/userinfo", NULL, (struct text){0});
    if (date_parse_rfc2822(infusionsoft_answer(visit->client)->date, &date_ms) == 0) {
        visit->lead = clock_lead_of(date_ms, 1000, asked_ms, clock_now_ms());
        visit->lead_known = 1;
    }
    infusionsoft_check_user(visit->client);
    return take(visit);
}

static int look_at_tenant(struct visit *visit)
{
    struct text tenant = infusionsoft_answer(visit->client)->tenant;
    struct error refusal = {0};
    char name[64];

    infusionsoft_check_tenant(visit->client, &refusal);
    snprintf(name, sizeof(name), "%.*s", (int)(tenant.length < 60 ? tenant.length : 60),
             tenant.data != NULL ? tenant.data : "");
    return judge_tenant(visit->findings, visit->account, name,
                        refusal.kind != ERROR_NONE ? &refusal : NULL);
}

/* As the pusher asks before it takes orders for available. What comes is not looked at. */
static struct account_answer ask_lists(struct visit *visit)
{
    if (infusionsoft_call(visit->client, "GET", "/orders", "page_size=1", (struct text){0}) ==
            INFUSIONSOFT_OK &&
        infusionsoft_list(visit->client, "orders") != NULL &&
        infusionsoft_call(visit->client, "GET", "/products", "page_size=1", (struct text){0}) ==
            INFUSIONSOFT_OK)
        infusionsoft_list(visit->client, "products");
    return take(visit);
}

/* The type of a field that has our label and is not TEXT; "" where there is none. */
static void read_other_type(const struct visit *visit, char type[32])
{
    yyjson_val *list = yyjson_obj_get(infusionsoft_answer(visit->client)->root, "custom_fields");
    yyjson_arr_iter iter;
    yyjson_val *one;

    type[0] = '\0';
    yyjson_arr_iter_init(list, &iter);
    while ((one = yyjson_arr_iter_next(&iter)) != NULL)
        if (yyjson_equals_str(yyjson_obj_get(one, "label"), INFUSIONSOFT_FIELD_LABEL) &&
            yyjson_is_str(yyjson_obj_get(one, "field_type")))
            snprintf(type, 32, "%s", yyjson_get_str(yyjson_obj_get(one, "field_type")));
}

static void look_at_field(struct visit *visit)
{
    struct infusionsoft_field field;
    struct account_answer answer;
    char other_type[32];

    infusionsoft_find_field(visit->client, &field);
    answer = take(visit);
    read_other_type(visit, other_type);
    judge_field(visit->findings, visit->account->name, &answer, &field, other_type);
}

/* The settings field.LABEL, in the answer that look_at_field() got. */
static void look_at_mapped_fields(struct visit *visit)
{
    int count = 0;

    for (int i = 0; i < visit->config->store_count; i++) {
        const struct config_store *store = &visit->config->stores[i];

        if (store->account_index != visit->index)
            continue;
        for (int j = 0; j < store->fields.count; j++, count++) {
            struct infusionsoft_field field;

            if (infusionsoft_read_field(visit->client, store->fields.list[j].label, &field) !=
                INFUSIONSOFT_OK)
                return; /* the check of our own field says so */
            if (field.id[0] == '\0') {
                judge_mapped_field(visit->findings, visit->account->name, store,
                                   store->fields.list[j].label);
                return;
            }
        }
    }
    if (count > 0)
        judge_mapped_field(visit->findings, visit->account->name, NULL, NULL);
}

static void look_at_payment_types(struct visit *visit)
{
    const struct config_store *unknown = NULL;
    struct account_answer answer;
    struct text types;

    if (!payment_type_is_needed(visit->config, visit->index))
        return;
    payment_type_ask(visit->client, &types);
    answer = take(visit);
    if (types.length > 0)
        unknown = payment_type_find_unknown(visit->config, visit->index, types);
    judge_payment_types(visit->findings, visit->account->name, &answer, types, unknown);
}

static void look_inside(struct visit *visit)
{
    const char *name = visit->account->name;
    struct account_answer answer = ask_user(visit);

    if (judge_credential(visit->findings, visit->account, &answer) != 0) {
        findings_skip(visit->findings, CHECK_ACCOUNT_TENANT, CHECK_ACCOUNT_FIELD, name,
                      "the credential is not taken");
    } else if (look_at_tenant(visit) != 0) {
        findings_skip(visit->findings, CHECK_ACCOUNT_ECOMMERCE, CHECK_ACCOUNT_FIELD, name,
                      "it is another account");
    } else if (visit->account->orders == ORDERS_OFF) {
        findings_skip(visit->findings, CHECK_ACCOUNT_ECOMMERCE, CHECK_ACCOUNT_FIELD, name,
                      "orders = off");
    } else {
        answer = ask_lists(visit);
        if (judge_ecommerce(visit->findings, name, &answer) == 0) {
            look_at_field(visit);
            look_at_mapped_fields(visit);
            look_at_payment_types(visit);
        } else {
            findings_skip(visit->findings, CHECK_ACCOUNT_FIELD, CHECK_ACCOUNT_FIELD, name,
                          "orders cannot be read");
        }
    }
    if (visit->lead_known)
        judge_clock(visit->findings, CHECK_ACCOUNT_CLOCK, name, &visit->lead);
    else
        findings_skip(visit->findings, CHECK_ACCOUNT_CLOCK, CHECK_ACCOUNT_CLOCK, name,
                      "no answer tells its time");
}

/* account: config's, or a copy of it with another credential. */
static void look_with_key(const struct config *config, int index,
                          const struct config_account *account, struct findings *findings)
{
    struct visit visit = {
        .config = config, .index = index, .account = account, .findings = findings};
    struct infusionsoft_settings settings = {.account = account,
                                             .http = http_new("bigfusion", &config->http),
                                             .timeout_ms = DOCTOR_TIMEOUT_MS};

    visit.client = infusionsoft_new(&settings);
    look_inside(&visit);
    infusionsoft_free(visit.client);
    http_free(settings.http);
}

static enum stored_token stored_token(const struct config_account *account,
                                      struct token_state *state)
{
    int there = token_file_read(state, account->token_state_file);

    if (there != 1)
        return there == 0 ? STORED_NONE : STORED_UNREADABLE;
    return state->expires_at_ms <= clock_now_ms() ? STORED_EXPIRED : STORED_USABLE;
}

/* Uses the stored access token as a key, which the client never refreshes. */
static void look_with_stored_token(const struct config *config, int index,
                                   struct findings *findings)
{
    const struct config_account *account = &config->accounts[index];
    struct config_account as_key = *account;
    struct token_state state = {0};
    enum stored_token stored = stored_token(account, &state);

    as_key.key = state.access;
    as_key.key_header = KEY_HEADER_BEARER;
    if (stored == STORED_USABLE) {
        look_with_key(config, index, &as_key, findings);
    } else {
        judge_stored_token(findings, account->name, stored);
        findings_skip(findings, CHECK_ACCOUNT_TENANT, CHECK_ACCOUNT_CLOCK, account->name,
                      "there is no access token to ask with");
    }
    token_state_clear(&state);
}

void doctor_look_account(const struct config *config, int index, struct findings *findings)
{
    const struct config_account *account = &config->accounts[index];

    if (account->auth == AUTH_OAUTH)
        look_with_stored_token(config, index, findings);
    else if (account->key != NULL)
        look_with_key(config, index, account, findings);
    else
        findings_skip(findings, CHECK_ACCOUNT_CREDENTIAL, CHECK_ACCOUNT_CLOCK, account->name,
                      "its key_file cannot be read");
}
