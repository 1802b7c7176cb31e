/* account.h - the Infusionsoft account: contacts, products, orders, tags, custom fields, tokens. It
 * does not check whether an object exists already: a second create makes a second object, as in the
 * real account. */
#ifndef SANDBOX_ACCOUNT_H
#define SANDBOX_ACCOUNT_H

#include <stdint.h>

#include <jansson.h>

#include "infusionsoft/collection.h"
#include "limits.h"
#include "request.h"
#include "infusionsoft/schema.h"

#define ACCOUNT_BASE "/crm/rest/v2"
#define ACCOUNT_KEY "KeapAK-sandbox"
#define ACCOUNT_CLIENT_BASIC                                                                       \
    "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ=" /* sandbox-client:sandbox-secret */

struct world;

/* The custom fields of one kind of record. */
struct model {
    const char *record_type;
    json_t *fields;       /* array, in the form that replies have */
    struct table by_name; /* field_name -> name, borrowed from fields */
    struct table by_id;   /* id -> field_name */
};

/* OAuth: a refresh token can be used once, and an access token expires. */
struct tokens {
    char refresh[64];    /* the refresh token that is valid now; "" when a person must authorize
                            again */
    struct table access; /* access token -> int64_t, when it expires in ms; owned */
    int64_t generation;  /* how many pairs were handed out */
    int64_t refused;     /* how many token requests were refused */
};

/* Zero-initialised, then account_init(). */
struct account {
    struct collection contacts;
    struct collection products;
    struct collection orders;
    struct collection tags;
    struct collection notes;
    struct collection tag_categories;
    struct model contact_model;
    struct model order_model;
    struct tokens tokens;
    struct limits_used quota;
    int64_t goals;
    int64_t payments;
    int64_t custom_field_id;
};

void account_init(struct account *account);
void account_clear(struct account *account);

/* One call to the account, ready for its handler. */
struct call {
    struct world *world;
    struct account *account;
    const struct request *request;
    struct reply *reply;
    int64_t now_ms;
    const char *id; /* the {} part of the path, or "" */
};

/**
 * @brief Returns the body after it was checked against members. Where it is wrong, it answers 400.
 * @returns borrowed, or NULL when it has answered
 */
const json_t *call_body(const struct call *call, const struct schema_member *members);

/** @brief Makes {"amount","currency_code","formatted_amount"}. The amount is in the smallest unit
 * of the account's currency. New. */
json_t *call_money(const struct call *call, int64_t minor);

/** @brief Decimals of the account's currency. */
int call_digits(const struct call *call);

/** @brief The objects that lists show: those that are older than the visibility delay. */
int64_t call_visible_until(const struct call *call);

/** @brief Answers with the object in its stored form. */
void call_reply_object(const struct call *call, int status, const struct object *object);

/** @brief Answers 404 in the account's form. @returns -1 */
int call_not_found(const struct call *call, const char *kind);

/**
 * @brief Reads the update_mask of a PATCH. Each key may be there once, and every value must be one
 * of names.
 * @returns new array of names (empty when no mask was sent), or NULL when it has answered 400
 */
json_t *call_update_mask(const struct call *call, const struct schema_member *members);

/** @brief Checks [{"id","content"}] against a model. @returns 0, or -1 when it has answered */
int call_custom_fields(const struct call *call, const struct model *model, const json_t *fields);

/** @brief Makes an object findable by the contents of its custom fields, for filters. Earlier
 * contents are forgotten. */
void call_index_custom_fields(const struct call *call, struct collection *collection,
                              struct object *object, const struct model *model,
                              const json_t *fields);

/**
 * @brief Reads a decimal amount as whole smallest units of the account's currency.
 * @param name  of the member, for the answer
 * @returns 0, or -1 when it has answered 400, because the amount has more decimals than the
 * currency or is beyond 10^12
 */
int call_price(const struct call *call, const char *name, const json_t *number, int64_t *minor);

/** @brief Whether the path below the base belongs to the e-commerce module. */
int account_is_ecommerce(const struct request *request);

/** @brief Sets total, total_paid, total_due and status of an order in reply form, from its amount
 * and its payments. */
void order_set_balance(const struct call *call, struct object *object, json_t *order);

/* The handlers, one for each operation. */
void contacts_list(const struct call *call);
void contacts_create(const struct call *call);
void contacts_get(const struct call *call);
void contacts_patch(const struct call *call);
void contact_tags(const struct call *call);
void notes_list(const struct call *call);
void notes_create(const struct call *call);
void products_list(const struct call *call);
void products_create(const struct call *call);
void products_get(const struct call *call);
void products_patch(const struct call *call);
void orders_list(const struct call *call);
void orders_create(const struct call *call);
void orders_get(const struct call *call);
void orders_delete(const struct call *call);
void payments_list(const struct call *call);
void payments_create(const struct call *call);
void model_contacts_get(const struct call *call);
void model_contacts_create(const struct call *call);
void model_orders_get(const struct call *call);
void model_orders_create(const struct call *call);
void tags_list(const struct call *call);
void tags_create(const struct call *call);
void tags_get(const struct call *call);
void tags_contacts(const struct call *call);
void tags_apply(const struct call *call);
void tags_remove(const struct call *call);
void tag_categories_list(const struct call *call);
void tag_categories_create(const struct call *call);
void goals_achieve(const struct call *call);
void info_user(const struct call *call);
void info_business(const struct call *call);
void info_enabled(const struct call *call);
void info_configuration(const struct call *call);
void info_provinces(const struct call *call);

/** @brief Answers POST /token: gives a pair of tokens for a refresh token or an authorization
 * code. */
void tokens_answer(struct world *world, const struct request *request, struct reply *reply);

/** @brief Whether the access token is known and has not expired. */
int tokens_accept(const struct tokens *tokens, const char *token, int64_t now_ms);

/** @brief Makes every access token invalid. */
void tokens_revoke_access(struct tokens *tokens);

#endif
