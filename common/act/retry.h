/* retry.h - sends dead, retrying or waiting records again. It needs neither the console nor its
 * index: it reads the topics.
 *
 * It may be repeated and broken off at any moment. What was sent and is not finished yet is sent
 * once more then; the delivery ledger sees to it that nothing is made twice. A dead order that is
 * delivered or skipped after that leaves a tombstone in `dead`, so the list of dead orders empties
 * itself. */
#ifndef COMMON_RETRY_ACT_H
#define COMMON_RETRY_ACT_H

#include <stdint.h>

#include <jansson.h>

#include "act/act.h"
#include "act/again.h"
#include "history/order_name.h"
#include "history/survey.h"
#include "record/reason.h"

/* Where records are looked for, as bits. */
enum {
    RETRY_DEAD = 1 << 0,
    RETRY_RETRYING = 1 << 1, /* what the retry topics have and the pushers have not finished */
    RETRY_WAITING = 1 << 2,  /* the same for the waiting topics */
};

/* Which records are chosen. All of it is borrowed. */
struct retry_choice {
    unsigned from;                       /* RETRY_ bits */
    const char (*keys)[ORDER_KEY_BYTES]; /* only these orders; NULL: all */
    int key_count;
    const char *store;  /* only of the store with that hash; NULL: all */
    enum reason reason; /* only records with that reason; REASON_NONE: all */
    int64_t since_ms;   /* only records that were written then or later; 0: all */
};

/* The newest record of an order. */
struct retry_item {
    char *key;
    const char *topic; /* borrowed from the survey */
    int32_t partition;
    int64_t offset, version, time_ms;
    enum reason reason;
    int is_chosen;
    int is_sent;
    again_refusal refusal; /* why it cannot be sent, or NULL */
    char *value;           /* where retry_keep_value was asked for; owned */
    size_t value_length;
};

/* Embedded; retry_init(), retry_clear(). */
struct retry {
    const struct config *config;
    struct retry_choice choice;
    struct survey survey;
    struct survey_spans spans;
    int keep_value;     /* set it before retry_find() to have the value of the records */
    struct text edited; /* set it before retry_send() to send this value in place of the record's;
                           {NULL, 0}: none. Only for a choice of one order */
    struct retry_item **slots; /* a hash table by key */
    size_t slot_count, item_count;
    int64_t chosen, refused; /* of the chosen ones, how many cannot be sent */
    int64_t sent;
    /* of retry_send() */
    struct act *act;
    struct progress progress;
    int64_t room; /* how many may be sent before the services are asked again */
    int is_cancelled;
};

void retry_init(struct retry *retry, const struct config *config,
                const struct retry_choice *choice);
void retry_clear(struct retry *retry);

/** @brief Reads the topics: which records are chosen, and which of them can be sent. Changes
 * nothing. @returns 0, or -1 with an error */
int retry_find(struct retry *retry, struct error *err);

/** @brief The item of an order, or NULL. */
const struct retry_item *retry_item_of(const struct retry *retry, const char *key);

/**
 * @brief Sends what was found. No more than a few hundred records are in front of the services at
 * once, so that live orders do not wait behind thousands. Shows its progress on stderr.
 * @returns 0; retry->sent and retry->is_cancelled tell how far it came. -1 with an error
 */
int retry_send(struct retry *retry, struct act *act, struct error *err);

/** @brief What the audit and programs are told of the choice: "keys" or "filter", "count" and
 * "reasons". New. */
json_t *retry_about(const struct retry *retry);

#endif
