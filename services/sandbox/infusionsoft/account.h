/* account.h - the Infusionsoft account: contacts, products, orders, tags, custom fields, tokens. It
 * never looks for doubles by itself: a second create makes a second object, as in the real account.
 */
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

/* Custom fields of one kind of record. */
struct model {
    const char *record_type;
    json_t *fields;       /* array, as a reply has them */
    struct table by_name; /* field_name -> the name, borrowed from fields */
    struct table by_id;   /* id -> field_name */
};

/* OAuth: refresh tokens are single-use, access tokens run out. */
struct tokens {
    char refresh[64];    /* the one that is valid now; "" when a person must authorize again */
    struct table access; /* access token -> its int64_t expiry in ms, owned */
    int64_t generation;  /* pairs handed out */
    int64_t refused;     /* token requests refused */
};

/* Zero-initialised, then account_init(). */
struct account {
    struct collection contacts;
    struct collection products;
    struct collection orders;
    struct collection tags;
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

/* One call of the account, ready to be worked on. */
struct call {
    struct world *world;
    struct account *account;
    const struct request *request;
    struct reply *reply;
    int64_t now_ms;
    const char *id; /* the {} part of the path, or "" */
};

/**
 * @brief The body checked against members; answers 400 itself when it is wrong.
 * @returns borrowed, or NULL when the answer is made
 */
const json_t *call_body(const struct call *call, const struct schema_member *members);

/** @brief {"amount","currency_code","formatted_amount"}; the amount in the smallest unit of the
 * account's currency. New. */
json_t *call_money(const struct call *call, int64_t minor);

/** @brief Decimals of the account's currency. */
int call_digits(const struct call *call);

/** @brief What lists show: objects older than the visibility delay. */
int64_t call_visible_until(const struct call *call);

/** @brief Answers with the object as it is stored. */
void call_reply_object(const struct call *call, int status, const struct object *object);

/** @brief Answers 404 in the account's shape. @returns -1 */
int call_not_found(const struct call *call, const char *kind);

/**
 * @brief The update_mask of a PATCH: each key once, every value among names.
 * @returns new array of names (empty when no mask was sent), or NULL when the answer (400) is made
 */
json_t *call_update_mask(const struct call *call, const struct schema_member *members);

/** @brief Checks [{"id","content"}] against a model. @returns 0, or -1 when the answer is made */
int call_custom_fields(const struct call *call, const struct model *model, const json_t *fields);

/** @brief Indexes an object by its custom fields' contents, for filters; earlier ones are
 * forgotten. */
void call_index_custom_fields(const struct call *call, struct collection *collection,
                              struct object *object, const struct model *model,
                              const json_t *fields);

/**
 * @brief A decimal amount in whole smallest units of the account's currency.
 * @param name  of the member, for the answer
 * @returns 0, or -1 and the answer 400 when it has more decimals than the currency or is beyond
 * 10^12
 */
int call_price(const struct call *call, const char *name, const json_t *number, int64_t *minor);

/** @brief Whether the path below the base belongs to the e-commerce module. */
int account_is_ecommerce(const struct request *request);

/** @brief Sets total, total_paid, total_due and status of an order in reply form by its amount and
 * payments. */
void order_set_balance(const struct call *call, struct object *object, json_t *order);

/* Handlers, one per operation. */
void contacts_list(const struct call *call);
void contacts_create(const struct call *call);
void contacts_get(const struct call *call);
void contacts_patch(const struct call *call);
void contact_tags(const struct call *call);
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

/** @brief POST /token: a refresh or an authorization code for a pair of tokens. */
void tokens_answer(struct world *world, const struct request *request, struct reply *reply);

/** @brief Whether the access token is known and has not run out. */
int tokens_accept(const struct tokens *tokens, const char *token, int64_t now_ms);

/** @brief Makes every access token invalid. */
void tokens_revoke_access(struct tokens *tokens);

#endif
