/* payload.h - a record of the payloads topic, of a retry topic or of a waiting topic is read here
 * and nowhere else. Pure. */
#ifndef PUSHER_PAYLOAD_H
#define PUSHER_PAYLOAD_H

#include <stdint.h>

#include <yyjson.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/mem.h"
#include "record/event.h"
#include "record/order.h"
#include "payload_check.h"

/* Whose order, contact or product a record is about. It is read before the record is checked, so
 * each member may be empty. Embedded: release with yyjson_doc_free(head.doc). */
struct payload_head {
    yyjson_doc *doc; /* numbers as text; NULL: the value is no JSON */
    struct text account;
    struct text email;
    struct text together; /* records with the same text should meet one worker: the e-mail address;
                             of a payload without one, the SKU of its first product */
    int64_t modified_at;  /* version of the record; -1: the record does not tell it */
};

/** @brief Parses a record and reads its head. head->doc is new; the texts are borrowed from it. */
void payload_open(const struct event *event, struct payload_head *head);

/* A product of the payload. */
struct product {
    struct text sku; /* it is found by this */
    struct text name;
    yyjson_val *body;               /* it is made from this */
    char digest[DIGEST_BYTES];      /* of the SKU: names its entry in the ledger */
    char body_digest[DIGEST_BYTES]; /* of the body, in a payload of kind product; else "" */
    int is_same;   /* set by product_find(): the account's product is what the body says */
    char id[64];   /* at the account; "": not known yet. Set by the delivery */
    int is_cached; /* the id came from the ledger or the list of known products, so the product may
                      have been deleted since. Set by the delivery */
};

/* A tag of the payload. */
struct tag {
    struct text name;
    char digest[DIGEST_BYTES]; /* of the name without case: names its entry in the ledger */
    char id[64];               /* at the account; "": not known yet. Set by the delivery */
    int is_cached;             /* the id came from the ledger. Set by the delivery */
};

/* A goal of the payload. */
struct goal {
    const char *integration;
    const char *call_name;
};

/* What a state of an order leaves on its contact, if the order was delivered before (D2). */
struct after {
    struct text title, text;   /* of a note; empty: none */
    struct tag tag;            /* its name is empty: none */
    char digest[DIGEST_BYTES]; /* of what it leaves, also where that is nothing */
};

/* A record that was checked. Texts and values are borrowed from the head's document and the event.
 * Embedded: zero-initialise, release with payload_clear(). */
struct payload {
    enum payload_kind kind;
    int replay;         /* a person sent the record again out of `dead` */
    int look_was_asked; /* the record came back only to have its order looked up once more */
    int64_t modified_at;
    int64_t placed_at; /* -1: it is about no order */
    int64_t polled_at;
    int64_t attempt;                   /* failures of this record so far */
    char digest[DIGEST_BYTES];         /* of the record's value */
    yyjson_val *contact;               /* NULL: a product has none */
    char contact_digest[DIGEST_BYTES]; /* of the e-mail address: names its entry in the ledger */
    char contact_body_digest[DIGEST_BYTES]; /* of what the contact is to become */

    /* only of an order */
    struct text external_key;
    int64_t status_id;       /* 0 where there is none */
    const char *status_name; /* "" where there is none */
    struct after after;

    /* only of an order that is to be made; products and currency also of a product */
    struct text currency;
    int64_t total; /* in the currency's smallest unit */
    yyjson_val *order;
    yyjson_val *fields;   /* custom fields of the order, by label; NULL: none */
    yyjson_val *payment;  /* NULL: none */
    yyjson_val *left_out; /* what the mapper left out of the bodies; NULL: nothing */
    struct product *products;
    int product_count;
    int product_capacity;
    struct tag *tags;
    int tag_count;
    int tag_capacity;
    struct goal *goals;
    int goal_count;
    int goal_capacity;
};

/* The version of an order is a date from ORDER_EARLIEST_MS to so long from now, and no record is
 * tried so often. */
enum { PAYLOAD_AHEAD_MS = 86400000, PAYLOAD_ATTEMPTS_MAX = 1000 };

/**
 * @brief Checks the whole record and reads it.
 * @param now_ms   the time now: the record's version may be a day ahead of it at most
 * @param payload  what it held before is replaced; its lists keep their memory
 * @returns 0; -1 when the record is not a payload: err says why
 */
int payload_read(const struct event *event, const struct payload_head *head, int64_t now_ms,
                 struct payload *payload, struct error *err);
void payload_clear(struct payload *payload);

/** @brief Whether the payload is about an order, be it withdrawn or not. */
int payload_is_order(const struct payload *payload);

#endif
