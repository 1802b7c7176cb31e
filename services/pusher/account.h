/* account.h - what all workers share about one Infusionsoft account: whether it is open for
 * business, what was asked of it at start, and the keeper, a thread that prepares it, probes it
 * while it is closed and opens its waiting topics again. Thread-safe. */
#ifndef PUSHER_ACCOUNT_H
#define PUSHER_ACCOUNT_H

#include <stdint.h>

#include "act/paused.h"
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
    struct paused_watch *paused; /* keeps; tells whether an operator paused the account */
    struct rebuild *rebuild;     /* keeps; told when the account is ready for orders */
    int index;                   /* into config's accounts */
};

enum account_state {
    ACCOUNT_STARTING = 0, /* the keeper has not asked it yet: wait a moment */
    ACCOUNT_USABLE,
    ACCOUNT_CLOSED, /* or paused by an operator: records go to its waiting topic */
};

/** @brief New. Free with account_free(), which joins the keeper. */
struct account *account_new(const struct account_settings *settings);
void account_free(struct account *account);

/** @brief Starts the keeper. The account's waiting topics are paused until the keeper has asked the
 * account. stage: keeps */
int account_start(struct account *account, struct stage *stage, struct error *err);

const struct config_account *account_config(const struct account *account);

/** @brief A client of this account for one thread. New: infusionsoft_free(). http: keeps */
struct infusionsoft *account_client_new(struct account *account, struct http *http);

enum account_state account_state(struct account *account);

/** @brief Whether calls can leave at once: the account has no ceiling of calls to wait for, and
 * needs no access token. */
int account_is_free(const struct account *account);

/** @brief Why the account is closed, for people. detail: out, one line */
void account_why_closed(struct account *account, char detail[160]);

/** @brief Currency and custom field of the account. They are known while the account is usable; the
 * field is known while its orders are. */
void account_facts(struct account *account, char currency[8], struct infusionsoft_field *field);

/** @brief The id of the order custom field of a setting field.LABEL of the account's stores. @returns -1
 * where no setting of this process names it */
int account_field_id(struct account *account, struct text label, char id[32]);

/** @brief Whether the process has to end because of this account: its credential belongs to another
 * tenant. @returns -1 with the error then, else 0 */
int account_error(struct account *account, struct error *err);

/* What can be closed: the whole account, or its orders alone, when the e-commerce module is
 * missing. */
enum account_part { ACCOUNT_ALL = 0, ACCOUNT_ORDERS, ACCOUNT_PART_COUNT };

/* Why a part is closed, in one word for /metrics; the text for people says more. */
enum account_cause {
    ACCOUNT_NO_ANSWER = 0, /* no usable answer */
    ACCOUNT_UNAUTHORIZED,  /* the credential is refused */
    ACCOUNT_FORBIDDEN,     /* the credential may not make a call that every record needs */
    ACCOUNT_NO_MODULE,     /* orders or products are refused: no e-commerce module */
    ACCOUNT_QUOTA,         /* the day's quota is used up */
    ACCOUNT_THROTTLED,     /* the account asks for a long pause */
    ACCOUNT_MANY_FAILURES, /* many records failed in a row */
    ACCOUNT_NOT_SET_UP,    /* something is missing there, such as the custom field */
    ACCOUNT_CAUSE_COUNT
};

/** @brief What an outcome that is not OK says about the account. */
enum account_cause account_cause_of(enum infusionsoft_outcome outcome);

/* What a record does to open a closed part again. Each record in hand has ACCOUNT_PART_COUNT of
 * them, zeroed at first. */
struct account_trial {
    int trying;  /* this record is the one that tries */
    int refused; /* this record tried before, in vain */
    int kept;    /* it waits in hand for the next trial instead of going into the waiting topic */
};

/**
 * @brief Whether this record may go on: the part is open, or it is half-open and this record is the
 * one that tries. account_leave() has to follow.
 */
int account_enter(struct account *account, enum account_part part, struct account_trial *trials);

/** @brief The record ended, or is set aside. If it was trying and its calls decided nothing, the
 * next record tries. */
void account_leave(struct account *account, struct account_trial *trials);

/* For account_close(): any call that is answered shows that the account works again. */
#define ACCOUNT_ANY_CALL "*"

/**
 * @brief A call failed and this record is not to blame: closes the part. This raises an alarm if
 * the part was open. If this record was trying to open the part again, the part stays closed
 * without another alarm.
 * @param cause    the same in one word
 * @param proof    the call that a record has to make, and the account to answer, before the part is
 * open again: in the form that account_called() takes, or ACCOUNT_ANY_CALL. NULL: it is enough that
 * the keeper's probe succeeds
 * @param wait_ms  how long no call gets through, where that is known; else -1
 */
void account_close(struct account *account, enum account_part part, struct account_trial *trials,
                   enum account_cause cause, const char *why, const char *proof, int64_t wait_ms);

/** @brief A call was answered, even if the account refused what was in it. call: method and first
 * part of the path, as "POST /orders" */
void account_called(struct account *account, struct account_trial *trials, const char *call);

/** @brief A record was delivered. */
void account_record_succeeded(struct account *account, struct account_trial *trials);

/** @brief A record failed although the account answers other calls. Closes the account when many
 * different records failed and none succeeded in between. */
void account_record_failed(struct account *account, struct account_trial *trials,
                           uint32_t record_hash);

/**
 * @brief Whether a record that cannot go on stays in hand. A few records that came from the waiting
 * topic do; otherwise each trial would write one of them into that topic again. The record keeps
 * its place until account_let_go().
 */
int account_keep(struct account *account, enum account_part part, struct account_trial *trials,
                 const char *topic);

/** @brief Whether a record that is kept in hand has to wait longer, since it may not try yet. */
int account_still_waits(struct account *account, const struct account_trial *trials);

/** @brief The record has come to its end: another one may be kept in its place. */
void account_let_go(struct account *account, struct account_trial *trials);

#endif
