/* store_ask.h - asks a store for an order that the pipeline never saw. All threads together ask only
 * as often as store_limit.h allows, and answers are kept for a moment. */
#ifndef CONSOLE_STORE_ASK_H
#define CONSOLE_STORE_ASK_H

#include <pthread.h>
#include <stdint.h>

#include "settings/config.h"

#include "store_limit.h"

enum store_has {
    STORE_SILENT = 0, /* it could not be asked; the error says why */
    STORE_HAS_NOT,
    STORE_HAS,
};

/* What a store says of an order. */
struct store_order {
    enum store_has has;
    int64_t modified_ms;                 /* HAS: date_modified; -1: it does not say */
    int is_archived;                     /* HAS */
    char error[STORE_LIMIT_ERROR_BYTES]; /* SILENT: why */
};

enum { STORE_ASK_KEPT = 1024, STORE_ASK_KEY_BYTES = 96 };

/* What all threads share: answers of the last seconds, and how often was asked. Embedded. */
struct store_ask_group {
    const struct config *config; /* borrowed */
    pthread_mutex_t lock;
    struct store_limit *limits; /* one for each store, in the order of the configuration */
    struct store_ask_kept {
        char key[STORE_ASK_KEY_BYTES];
        int64_t until_ms; /* monotonic */
        struct store_order order;
    } kept[STORE_ASK_KEPT];
};

/** @brief config is kept. Release with store_ask_group_clear(). */
void store_ask_group_init(struct store_ask_group *group, const struct config *config);
void store_ask_group_clear(struct store_ask_group *group);

struct store_ask; /* the connections of one thread */

/** @brief New; group is kept. Free with store_ask_free(). */
struct store_ask *store_ask_new(struct store_ask_group *group);
void store_ask_free(struct store_ask *ask);

/**
 * @brief Asks for one order. Waits for its turn, and a few seconds for the answer.
 * @param store  one of the group's configuration
 * @param id     digits, from the record key
 */
void store_ask_order(struct store_ask *ask, const struct config_store *store, struct text id,
                     struct store_order *order);

#endif
