/* store_ask.h - asks a store for an order that the pipeline never saw. The pollers need the store's
 * quota, so all threads together ask only a few times in a second, and answers are kept for a
 * moment. */
#ifndef CONSOLE_STORE_ASK_H
#define CONSOLE_STORE_ASK_H

#include <pthread.h>
#include <stdint.h>

#include "settings/config.h"

enum store_has {
    STORE_SILENT = 0, /* it could not be asked; the error says why */
    STORE_HAS_NOT,
    STORE_HAS,
};

/* What a store says of an order. */
struct store_order {
    enum store_has has;
    int64_t modified_ms; /* HAS: date_modified; -1: it does not say */
    char error[256];     /* SILENT: why */
};

enum { STORE_ASK_KEPT = 1024, STORE_ASK_PER_S = 20, STORE_ASK_KEY_BYTES = 96 };

/* What all threads share: answers of the last seconds, and how often was asked. Embedded. */
struct store_ask_group {
    pthread_mutex_t lock;
    int64_t second; /* monotonic, in which asked counts */
    int asked;
    struct store_ask_kept {
        char key[STORE_ASK_KEY_BYTES];
        int64_t until_ms; /* monotonic */
        struct store_order order;
    } kept[STORE_ASK_KEPT];
};

void store_ask_group_init(struct store_ask_group *group);
void store_ask_group_clear(struct store_ask_group *group);

struct store_ask; /* the connections of one thread */

/** @brief New; config and group are kept. Free with store_ask_free(). */
struct store_ask *store_ask_new(const struct config *config, struct store_ask_group *group);
void store_ask_free(struct store_ask *ask);

/**
 * @brief Asks for one order. Waits for its turn, and a few seconds for the answer.
 * @param id  digits, from the record key
 */
void store_ask_order(struct store_ask *ask, const struct config_store *store, struct text id,
                     struct store_order *order);

#endif
