/* account.h - what all workers share about one Infusionsoft account: whether it is open for
 * business, what was asked of it at start, and the keeper, a thread that prepares it, probes it
 * while it is closed and opens its waiting topics again. Thread-safe. */
#ifndef PUSHER_ACCOUNT_H
#define PUSHER_ACCOUNT_H

#include <stdint.h>

#include "config.h"
#include "infusionsoft.h"
#include "reason.h"
#include "rebuild.h"
#include "stage.h"
#include "topic.h"

struct account;

struct account_settings {
    const struct config *config; /* keeps */
    const struct topics *topics; /* keeps */
    struct rebuild *rebuild;     /* keeps; told when the account is ready for orders */
    int index;                   /* into config's accounts */
};

enum account_state {
    ACCOUNT_STARTING = 0, /* not asked yet: wait a moment */
    ACCOUNT_USABLE,
    ACCOUNT_CLOSED, /* records go to its waiting topic */
};

/** @brief New. Free with account_free(), which joins the keeper. */
struct account *account_new(const struct account_settings *settings);
void account_free(struct account *account);

/** @brief Starts the keeper; the waiting topics of the stage are paused until the account was
 * asked. stage: keeps */
int account_start(struct account *account, struct stage *stage, struct error *err);

const struct config_account *account_config(const struct account *account);

/** @brief A client of this account for one thread. New: infusionsoft_free(). http: keeps */
struct infusionsoft *account_client_new(struct account *account, struct http *http);

enum account_state account_state(struct account *account);

/** @brief Whether no call waits for the governor or for an access token. */
int account_is_free(const struct account *account);

/** @brief Whether orders can be written (and products looked up): the e-commerce module is there,
 * the field known. */
int account_orders_usable(struct account *account);

/** @brief Why it is closed, for people; detail takes one line. */
void account_why_closed(struct account *account, char detail[160]);

/** @brief Currency and custom field of the account. Only while usable; the field only while orders
 * are. */
void account_facts(struct account *account, char currency[8], struct infusionsoft_field *field);

/** @brief Nothing gets through: closes it, with one alarm. wait_ms: how long, when known; else -1.
 */
void account_close(struct account *account, const char *why, int64_t wait_ms);

/** @brief Orders are refused with 403: the module is missing. One alarm. */
void account_close_orders(struct account *account, const char *why);

/** @brief The error that ends the process, if there is one: the credential is of another tenant.
 * @returns -1 then, else 0 */
int account_error(struct account *account, struct error *err);

/** @brief A record was delivered, or failed by itself though the account answers otherwise. */
void account_record_succeeded(struct account *account);
void account_record_failed(struct account *account, uint32_t record_hash);

#endif
