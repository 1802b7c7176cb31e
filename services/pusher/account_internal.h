/* account_internal.h - inside of an account: for account*.c. */
#ifndef PUSHER_ACCOUNT_INTERNAL_H
#define PUSHER_ACCOUNT_INTERNAL_H

#include <pthread.h>

#include "infusionsoft/quota.h"
#include "infusionsoft/token.h"
#include "net/health.h"

#include "account.h"
#include "circuit.h"

/* One of the two things that can be closed, with the topic whose records wait for it. */
struct gate {
    struct circuit circuit;
    char proof[64]; /* the call that has to work again, see account_close() */
    int kept_count; /* records that wait in hand */
    const char *topic;
};

struct account {
    struct account_settings settings;
    const struct config_account *config;
    struct stage *stage;
    struct token *token; /* or NULL: a key */
    struct quota *quota; /* or NULL: no ceiling */
    char part[96];       /* name for /readyz */
    struct metric *alarms_closed;
    struct metric *alarms_orders;
    pthread_t keeper;
    int started;
    pthread_mutex_t lock; /* guards what follows */
    int ending;
    int asked;    /* the first preparation ended, well or badly */
    int prepared; /* credential, currency and field are known */
    struct gate gates[ACCOUNT_PART_COUNT];
    char why[160];
    char currency[8];
    struct infusionsoft_field field;
    struct error fatal;
};

/* All with the lock held. */

/** @brief Right after the circuit opened: pauses its topic, raises the alarm. */
void account_alarm(struct account *account, enum account_part part, const char *why);

/** @brief Right after the circuit closed: its topic is read, and the log says so. */
void account_opened(struct account *account, enum account_part part);

/** @brief Half-open: has one record of its topic handed over, for whichever asks first to try. */
void account_call_one(struct account *account, enum account_part part);

#endif
