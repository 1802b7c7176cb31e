/* doctor_judge_account.h - what the answers of an Infusionsoft account mean. Pure. */
#ifndef INSPECTOR_DOCTOR_JUDGE_ACCOUNT_H
#define INSPECTOR_DOCTOR_JUDGE_ACCOUNT_H

#include "infusionsoft/infusionsoft.h"

#include "doctor.h"

/* The outcome of one call. */
struct account_answer {
    enum infusionsoft_outcome outcome;
    char why[256]; /* any but OK: the error's text */
};

/** @brief GET /oauth/connect/userinfo. @returns 0 when the credential is taken, else -1 */
int judge_credential(struct findings *findings, const struct config_account *account,
                     const struct account_answer *answer);

/** @brief A tenant that the answer names, "": none; refusal: why it is not the configured one, or
 * NULL. @returns 0, or -1 where it is another tenant */
int judge_tenant(struct findings *findings, const struct config_account *account,
                 const char *tenant, const struct error *refusal);

/** @brief The worse one of the answers to the lists of orders and products. @returns 0 when orders
 * can be written, else -1 */
int judge_ecommerce(struct findings *findings, const char *account,
                    const struct account_answer *answer);

/** @brief The order custom field. other_type: the type of a field of that label which is not TEXT,
 * or "" */
void judge_field(struct findings *findings, const char *account,
                 const struct account_answer *answer, const struct infusionsoft_field *field,
                 const char *other_type);

/** @brief The settings field.LABEL. missing: the first label that the account does not have, of that
 * store; NULL: it has them all */
void judge_mapped_field(struct findings *findings, const char *account,
                        const struct config_store *store, const char *missing);

/** @brief The Manual Payment Types of the account, see payment_type.h. types: empty: it does not tell
 * them; unknown: the first store whose payment_type is not among them, or NULL */
void judge_payment_types(struct findings *findings, const char *account,
                         const struct account_answer *answer, struct text types,
                         const struct config_store *unknown);

/* What token_state_file says, with auth = oauth. */
enum stored_token {
    STORED_USABLE = 0,
    STORED_NONE,       /* there is no file yet */
    STORED_UNREADABLE, /* or it has another form */
    STORED_EXPIRED,
};

/** @brief Why the stored access token cannot be tried. Not for STORED_USABLE. */
void judge_stored_token(struct findings *findings, const char *account, enum stored_token stored);

#endif
