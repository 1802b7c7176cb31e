/* account_internal.h - the inside of an account, for account.c and account_keeper.c alone. */
#ifndef PUSHER_ACCOUNT_INTERNAL_H
#define PUSHER_ACCOUNT_INTERNAL_H

#include <pthread.h>

#include "infusionsoft/quota.h"
#include "infusionsoft/token.h"
#include "net/health.h"

#include "account.h"
#include "circuit.h"
#include "keeper.h"

/* One of the two things that can be closed, with the topic whose records wait for it. */
struct gate {
    struct circuit circuit;
    char proof[64]; /* the call that has to work again, see account_close(); "": none */
    int kept_count; /* records that wait in hand, see account_keep() */
    const char *topic;
    enum account_cause cause; /* why it is closed */
    struct metric *closed_since;
    struct metric *closed[ACCOUNT_CAUSE_COUNT]; /* NULL: it was never closed for that cause */
};

/* An order custom field that a store's setting field.LABEL names. */
struct account_field {
    const char *label; /* borrowed from the settings */
    char id[32];       /* guarded by the account's lock; "": not known yet */
};

struct account {
    struct account_settings settings;
    const struct config_account *config;
    struct stage *stage;
    struct token *token; /* NULL: the credential is a key that never changes */
    struct quota *quota; /* NULL: no ceiling of calls is set */
    char part[96];       /* name of this account in /readyz */
    struct metric *alarms_closed;
    struct metric *alarms_orders;
    struct account_field *fields; /* each label once */
    int field_count;
    struct keeper keeper;
    pthread_mutex_t lock; /* guards what follows */
    int is_pause_known;   /* the keeper knows whether an operator paused the account */
    int is_paused;        /* and this is so */
    int asked;            /* the keeper has asked the account once, whatever came of it */
    int prepared;         /* credential, currency and custom field are known */
    struct gate gates[ACCOUNT_PART_COUNT];
    char why[160]; /* why it is closed */
    char currency[8];
    struct infusionsoft_field field;
    struct error fatal; /* for which the process has to end */
};

/* The lock has to be held for all of these. */

/** @brief The circuit has just opened: pauses the part's topic and raises the alarm. */
void account_alarm(struct account *account, enum account_part part, enum account_cause cause,
                   const char *why);

/** @brief Shows in /metrics that the part is closed, and why; or that it is open. */
void account_show_closed(struct account *account, enum account_part part, enum account_cause cause);
void account_show_open(struct account *account, enum account_part part);

/** @brief The circuit has just closed: has the part's topic read again and says so in the log. */
void account_opened(struct account *account, enum account_part part);

/** @brief Has the stage read the part's topic, or not, as circuit and pause demand. */
void account_set_reading(struct account *account, enum account_part part);

/** @brief An operator paused the account or ended the pause. */
void account_set_paused(struct account *account, int is_paused);

/** @brief The circuit is half-open: has the stage hand over one record of the part's topic. The
 * first record that asks tries. */
void account_call_one(struct account *account, enum account_part part);

/* account_field.c; the lock must not be held. */

/** @brief Lists the labels of the stores' settings. */
void account_fields_init(struct account *account);

/** @brief Reads their ids from the last answer, to GET /orders/model. @returns -1 with the cause in why
 * where one is missing or the answer cannot be used */
int account_fields_read(struct account *account, struct infusionsoft *client, char why[160]);

#endif
