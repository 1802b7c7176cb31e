/* order_record.h - what one record of a topic says of its order, without anything personal. Pure.
 * It is what the index of the console keeps of a record, and what order_state.h reckons with. */
#ifndef COMMON_ORDER_RECORD_H
#define COMMON_ORDER_RECORD_H

#include <stdint.h>

#include "base/json.h"
#include "base/mem.h"
#include "history/spot.h"
#include "record/event.h"
#include "record/reason.h"

enum {
    ORDER_TEXT_BYTES = 256, /* room of a detail, with its NUL */
    ORDER_ID_BYTES = 40,    /* room of an id that the account gave */
    ORDER_DIGEST_BYTES = 16 /* the ledger's digest of an e-mail address, as bytes */
};

/* Texts are made safe for a terminal and for JSON (outside_text.h), and NUL-terminated; "": the
 * record does not say. */
struct order_record {
    enum spot_kind kind; /* never SPOT_NONE */
    int spot_index;      /* RETRY: which retry topic; else 0 */
    int32_t partition;
    int64_t offset;
    int64_t time_ms;     /* of the record; -1: it has none */
    int64_t version;     /* the store's date_modified, ms since 1970; -1: not known */
    int64_t replay_ms;   /* sent again or dropped by a person: when, by the header replayed_at, 1
                            where a replay has none; 0: neither */
    int64_t since_ms;    /* when this version was first seen: polled_at, else the record's time */
    int64_t next_try_ms; /* RETRY: when it is due; else -1 */
    int64_t attempt;     /* how often it failed by itself so far */
    int64_t placed_ms;   /* delivered, skipped: when the order was placed; else -1 */
    int64_t created_ms;  /* delivered: when it was made in the account; -1: not known */
    enum reason reason; /* skipped, dead: why; RETRY: REASON_IN_DOUBT where a step is in doubt, else
                            REASON_RETRYING; WAITING: REASON_ACCOUNT_CLOSED; WAITING_ORDERS:
                            REASON_ECOMMERCE_UNAVAILABLE; else REASON_NONE */
    int is_withdrawn;   /* the version withdraws the order */
    int is_tombstone;   /* a record without a value: in `dead` it takes the fate dead back */
    int has_digest;
    unsigned char email_digest[ORDER_DIGEST_BYTES]; /* raw, retry, waiting: of the order's e-mail */
    char account[ORDER_ID_BYTES + 1];               /* name of its account */
    char order_id[ORDER_ID_BYTES];                  /* delivered: of the order in the account */
    char contact_id[ORDER_ID_BYTES];                /* delivered */
    char detail[ORDER_TEXT_BYTES];
    struct buffer facts; /* the other facts of the history as a JSON object; empty: there are none.
                            history_steps_add_short() reads it */
};

/* Reads records one after the other with the same memory. Embedded; release with
 * order_record_reader_clear(). */
struct order_record_reader {
    const struct topics *topics;   /* borrowed */
    const int64_t *retry_delays_s; /* borrowed: the delay of each retry topic */
    struct json_memory memory;
    struct order_record record; /* what was read last */
    struct spot spot;           /* of the last topic */
    struct buffer text;         /* a text that is being made safe */
};

void order_record_reader_init(struct order_record_reader *reader, const struct topics *topics,
                              const int64_t *retry_delays_s);
void order_record_reader_clear(struct order_record_reader *reader);

/** @brief Reads a record. Whatever stands in it, the answer holds no name, no address and no e-mail.
 * @returns what it says, borrowed until the next call; NULL where the topic is none of the orders'
 * or the record has no key */
const struct order_record *order_record_read(struct order_record_reader *reader,
                                             const struct event *event);

#endif
