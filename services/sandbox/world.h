/* world.h - the whole state of the sandbox: stores, account, settings, faults, journal. One lock
 * protects all of it. */
#ifndef SANDBOX_WORLD_H
#define SANDBOX_WORLD_H

#include <pthread.h>
#include <stdint.h>

#include "infusionsoft/account.h"
#include "faults.h"
#include "geo.h"
#include "journal.h"
#include "options.h"
#include "limits.h"
#include "bigcommerce/shop.h"

#define BC_TOKEN "sandbox-bc-token"

/* What PUT /sandbox/settings changes. */
struct settings {
    int ecommerce;               /* 0: orders and products answer 403 */
    char currency[4];            /* currency of the account */
    int64_t visibility_delay_ms; /* lists do not show younger objects */
    int64_t answer_delay_ms;     /* delay of every answer of Infusionsoft */
    struct limits quota;         /* Infusionsoft; all 0: off */
    int bc_quota;                /* BigCommerce calls per 30 s and store; 0: off */
    int bc_quota_headers;        /* 0: a 429 comes without rate headers */
    int64_t total_off_by_cents;  /* added to every order's total in replies */
    int discount_positive;       /* 1: a DISCOUNT line lowers the total by a positive price */
    int empty_list;              /* answer behind the last page: 0 is 204 without a body, 1 is
                                    `[]` */
    int page_cap;         /* a store's page has at most so many orders, whatever limit asks for;
                             0: no such limit */
    int min_id_exclusive; /* 1: min_id=5 begins behind order 5, not with it */
    char tenant[64];
    int64_t access_token_expires_s;
    int64_t clock_skew_s; /* how far BigCommerce's clock is ahead of ours */
    int key_accepted;     /* 0: the service account key is refused with 401 */
    char order_region[8]; /* how an order's region must be spelled: any, name or code */
};

struct world {
    pthread_mutex_t lock; /* held for everything below */
    struct settings settings;
    struct journal journal;
    struct faults faults;
    struct geo geo;
    struct account account;
    struct shop **shops;
    size_t shop_count;
    const struct sandbox_options *options; /* kept */
    char base_url[192];                    /* http://HOST:PORT */
    int64_t requests[3];                   /* per enum side */
    int64_t bc_refused;                    /* how often a store answered 429 */
};

/** @brief Makes the stores, fills them with seed and generated orders, opens the journal. @returns
 * 0 or -1 */
int world_init(struct world *world, const struct sandbox_options *options, struct error *err);
void world_clear(struct world *world);

/** @brief The store with that hash, or NULL. Borrowed. */
struct shop *world_shop(const struct world *world, const char *hash);

/** @brief The time by the stores' clock, in seconds. */
int64_t world_store_time(const struct world *world);

/**
 * @brief Gives the order another status (and other members), sets its date_modified to now, and
 * writes that into the journal.
 * @param members  JSON object, borrowed; its members replace those of the order
 * @returns 0 or -1
 */
int world_change_order(struct world *world, struct shop *shop, int64_t id, const json_t *members,
                       struct error *err);

/**
 * @brief Sets quota limits by name: off, key or oauth.
 * @returns 0, or -1 when the name is none of them
 */
int world_set_quota(struct settings *settings, const char *name);

/** @brief Answers a request to a store (/stores/...). */
void store_answer(struct world *world, const struct request *request, struct reply *reply);

/** @brief Answers a request to the account (/crm/rest/v2/... and /token). */
void account_answer(struct world *world, const struct request *request, struct reply *reply);

/** @brief Answers a request to the control paths (/sandbox/...). */
void control_answer(struct world *world, const struct request *request, struct reply *reply);

#endif
