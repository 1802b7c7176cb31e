#include "doctor_judge_account.h"

#include <string.h>

static enum doctor_level level_of(const struct account_answer *answer)
{
    switch (answer->outcome) {
    case INFUSIONSOFT_OK:
        return DOCTOR_OK;
    case INFUSIONSOFT_THROTTLED:
        return DOCTOR_WARN;
    case INFUSIONSOFT_UNSENT:
    case INFUSIONSOFT_IN_DOUBT:
        return DOCTOR_AWAY;
    default:
        return DOCTOR_FAIL;
    }
}

/* What helps where the outcome is about no check in particular. */
static const char *advice_of(const struct account_answer *answer)
{
    switch (answer->outcome) {
    case INFUSIONSOFT_THROTTLED:
        return "the account's quota is used up; run the doctor once more";
    case INFUSIONSOFT_UNSENT:
        return "check api_url and the network to it";
    case INFUSIONSOFT_IN_DOUBT:
        return "check api_url, and what stands between this machine and Infusionsoft; where that "
               "is "
               "right, wait: Infusionsoft is in trouble";
    default:
        return "check api_url";
    }
}

int judge_credential(struct findings *findings, const struct config_account *account,
                     const struct account_answer *answer)
{
    if (answer->outcome == INFUSIONSOFT_OK) {
        findings_add(findings, CHECK_ACCOUNT_CREDENTIAL, account->name, DOCTOR_OK, "",
                     "the account answers and takes it");
        return 0;
    }
    if (answer->outcome == INFUSIONSOFT_UNAUTHORIZED || answer->outcome == INFUSIONSOFT_FORBIDDEN)
        findings_add(findings, CHECK_ACCOUNT_CREDENTIAL, account->name, DOCTOR_FAIL,
                     account->auth == AUTH_OAUTH
                         ? "a pusher refreshes the token; where its log says authorization_lost, "
                           "authorize again (docs/operations.md)"
                         : "make a new key in the account and put it into key_file; where the key "
                           "is right, try the other key_header",
                     "the account refuses it: %s", answer->why);
    else
        findings_add(findings, CHECK_ACCOUNT_CREDENTIAL, account->name, level_of(answer),
                     advice_of(answer), "%s", answer->why);
    return -1;
}

int judge_tenant(struct findings *findings, const struct config_account *account,
                 const char *tenant, const struct error *refusal)
{
    if (refusal != NULL && refusal->kind == ERROR_PERMANENT) {
        findings_add(findings, CHECK_ACCOUNT_TENANT, account->name, DOCTOR_FAIL,
                     "use a credential of the configured account, or correct tenant", "%s",
                     refusal->text);
        return -1;
    }
    if (refusal != NULL)
        findings_add(findings, CHECK_ACCOUNT_TENANT, account->name, DOCTOR_WARN,
                     "run the doctor once more", "%s", refusal->text);
    else if (account->tenant == NULL || account->tenant[0] == '\0')
        findings_add(findings, CHECK_ACCOUNT_TENANT, account->name, DOCTOR_OK, "",
                     "%s answers; with `tenant` set, a credential of another account would be "
                     "noticed",
                     tenant[0] != '\0' ? tenant : "an account without a name");
    else
        findings_add(findings, CHECK_ACCOUNT_TENANT, account->name, DOCTOR_OK, "", "%s answers",
                     account->tenant);
    return 0;
}

int judge_ecommerce(struct findings *findings, const char *account,
                    const struct account_answer *answer)
{
    if (answer->outcome == INFUSIONSOFT_OK) {
        findings_add(findings, CHECK_ACCOUNT_ECOMMERCE, account, DOCTOR_OK, "",
                     "orders and products can be read");
        return 0;
    }
    if (answer->outcome == INFUSIONSOFT_FORBIDDEN)
        findings_add(findings, CHECK_ACCOUNT_ECOMMERCE, account, DOCTOR_FAIL,
                     "switch the e-commerce module on in the account, or give the key's user the "
                     "permission; orders wait meanwhile",
                     "orders or products are refused: %s", answer->why);
    else
        findings_add(findings, CHECK_ACCOUNT_ECOMMERCE, account, level_of(answer),
                     advice_of(answer), "%s", answer->why);
    return -1;
}

void judge_field(struct findings *findings, const char *account,
                 const struct account_answer *answer, const struct infusionsoft_field *field,
                 const char *other_type)
{
    if (answer->outcome != INFUSIONSOFT_OK)
        findings_add(findings, CHECK_ACCOUNT_FIELD, account, level_of(answer), advice_of(answer),
                     "%s", answer->why);
    else if (field->id[0] != '\0')
        findings_add(findings, CHECK_ACCOUNT_FIELD, account, DOCTOR_OK, "",
                     "\"" INFUSIONSOFT_FIELD_LABEL "\" of type TEXT is there (id %s)", field->id);
    else if (other_type[0] != '\0')
        findings_add(findings, CHECK_ACCOUNT_FIELD, account, DOCTOR_FAIL,
                     "rename or remove that field in the account, then run `bigfusion setup`",
                     "the order custom field \"" INFUSIONSOFT_FIELD_LABEL
                     "\" is of type %.20s, not TEXT",
                     other_type);
    else
        findings_add(findings, CHECK_ACCOUNT_FIELD, account, DOCTOR_FAIL, "run `bigfusion setup`",
                     "the order custom field \"" INFUSIONSOFT_FIELD_LABEL "\" is missing");
}

void judge_mapped_field(struct findings *findings, const char *account,
                        const struct config_store *store, const char *missing)
{
    if (missing == NULL)
        findings_add(findings, CHECK_ACCOUNT_MAPPED, account, DOCTOR_OK, "",
                     "every field of a setting field. is there");
    else
        findings_add(findings, CHECK_ACCOUNT_MAPPED, account, DOCTOR_FAIL,
                     "make it in the account, or correct the setting",
                     "[store %s] field.%s: the account has no order custom field of that label and "
                     "of type TEXT",
                     store->name, missing);
}

void judge_payment_types(struct findings *findings, const char *account,
                         const struct account_answer *answer, struct text types,
                         const struct config_store *unknown)
{
    if (answer->outcome != INFUSIONSOFT_OK)
        findings_add(findings, CHECK_ACCOUNT_PAYMENT, account, level_of(answer), advice_of(answer),
                     "%s", answer->why);
    else if (types.length == 0)
        findings_add(findings, CHECK_ACCOUNT_PAYMENT, account, DOCTOR_WARN,
                     "compare payment_type with Ecommerce Settings > Orders of the account",
                     "the account does not tell its Manual Payment Types");
    else if (unknown != NULL)
        findings_add(findings, CHECK_ACCOUNT_PAYMENT, account, DOCTOR_FAIL,
                     "set one of them, as it is written there, or add the type in the account",
                     "[store %s] payment_type \"%.60s\" is none of the account's: %.*s",
                     unknown->name, unknown->payment_type,
                     types.length > 200 ? 200 : (int)types.length, types.data);
    else
        findings_add(findings, CHECK_ACCOUNT_PAYMENT, account, DOCTOR_OK, "",
                     "every payment_type is there");
}

void judge_stored_token(struct findings *findings, const char *account, enum stored_token stored)
{
    switch (stored) {
    case STORED_NONE:
        findings_add(findings, CHECK_ACCOUNT_CREDENTIAL, account, DOCTOR_WARN,
                     "run `bigfusion setup`, which uses the refresh token for the first time",
                     "there is no token_state_file yet");
        break;
    case STORED_EXPIRED:
        findings_add(findings, CHECK_ACCOUNT_CREDENTIAL, account, DOCTOR_WARN,
                     "start a pusher, which refreshes it; the doctor never does, because a refresh "
                     "token can be used once only",
                     "the access token in token_state_file has expired");
        break;
    default:
        findings_add(findings, CHECK_ACCOUNT_CREDENTIAL, account, DOCTOR_FAIL,
                     "let this user read the file; where it is damaged, authorize again "
                     "(docs/operations.md)",
                     "token_state_file cannot be read");
    }
}
