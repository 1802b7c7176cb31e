/* account.h - what all workers share about one Infusionsoft account: whether it is open for
 * business, what was asked of it at start, and the keeper, a thread that prepares it, probes it
 * while it is closed and opens its waiting topics again. Thread-safe. */
#ifndef PUSHER_ACCOUNT_H
#define PUSHER_ACCOUNT_H

#include <stdint.h>

#include "infusionsoft/infusionsoft.h"
#include "record/reason.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"
#include "rebuild.h"

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

/** @brief Why it is closed, for people; detail takes one line. */
void account_why_closed(struct account *account, char detail[160]);

/** @brief Currency and custom field of the account. Only while usable; the field only while orders
 * are. */
void account_facts(struct account *account, char currency[8], struct infusionsoft_field *field);

/** @brief The error that ends the process, if there is one: the credential is of another tenant.
 * @returns -1 then, else 0 */
int account_error(struct account *account, struct error *err);

/* What can be closed: the whole account, or its orders alone (the e-commerce module is missing). */
enum account_part { ACCOUNT_ALL = 0, ACCOUNT_ORDERS, ACCOUNT_PART_COUNT };

/* A record's part in opening one of them again; ACCOUNT_PART_COUNT of them belong to each record in
 * hand, zeroed at first. */
struct account_trial {
    int trying;  /* it is the one that tries */
    int refused; /* it did before, in vain */
    int kept; /* it waits in hand for the next trial instead of going into the waiting topic again
               */
};

/**
 * @brief Whether this record may go on: it is open, or half-open and this one is to try; then
 * account_leave() has to follow.
 */
int account_enter(struct account *account, enum account_part part, struct account_trial *trials);

/** @brief The record ended or pauses. A trial that it was in and that nothing decided goes to the
 * next one. */
void account_leave(struct account *account, struct account_trial *trials);

/* Any call that is answered shows that it works again. */
#define ACCOUNT_ANY_CALL "*"

/**
 * @brief Something fails that is not this record's own: closes it, with one alarm; a trial ends in
 * silence.
 * @param proof    the call that has to work before it is open again, as account_called() names it;
 * ACCOUNT_ANY_CALL; NULL: the keeper's probe is enough
 * @param wait_ms  how long nothing gets through, when known; else -1
 */
void account_close(struct account *account, enum account_part part, struct account_trial *trials,
                   const char *why, const char *proof, int64_t wait_ms);

/** @brief A call was answered, be it refused for what was in it. call: "POST /orders": method and
 * first part of the path */
void account_called(struct account *account, struct account_trial *trials, const char *call);

/** @brief A record was delivered, or failed by itself though the account answers otherwise. */
void account_record_succeeded(struct account *account, struct account_trial *trials);
void account_record_failed(struct account *account, struct account_trial *trials,
                           uint32_t record_hash);

/**
 * @brief Whether a record that cannot go on stays in hand: a few of those that came from the
 * waiting topic do, so that trials do not write them into it again and again. Until
 * account_let_go().
 */
int account_keep(struct account *account, enum account_part part, struct account_trial *trials,
                 const char *topic);

/** @brief Whether a record that is kept has nothing to try yet. */
int account_still_waits(struct account *account, const struct account_trial *trials);

/** @brief The record has come to its end. */
void account_let_go(struct account *account, struct account_trial *trials);

#endif
