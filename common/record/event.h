/* event.h - a record of a topic: key, headers, value. What the services have in common; they meet
 * here and in topic names only. The names and formats are the contract of docs/architecture.md. */
#ifndef COMMON_EVENT_H
#define COMMON_EVENT_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "record/reason.h"

/* The headers that a record may carry, all text. Unknown ones are not passed on. */
enum header {
    HEADER_KIND = 0,    /* order | withdrawn */
    HEADER_STORE,       /* store hash */
    HEADER_ACCOUNT,     /* name of the [infusionsoft NAME] section */
    HEADER_SOURCE,      /* poll | webhook | backfill | replay */
    HEADER_MODIFIED_AT, /* ms since 1970 of the store's date_modified */
    HEADER_POLLED_AT,   /* ms since 1970 when the poller saw it */
    HEADER_START_FROM,  /* ms since 1970: the store's resolved start_from; 0: all */
    HEADER_REASON,      /* reason_name() */
    HEADER_ATTEMPT,     /* failures of its own so far */
    HEADER_NOT_BEFORE,  /* ms since 1970: not due before */
    HEADER_DETAIL,      /* dead, retry: a line for people */
    HEADER_STAGE,       /* dead: poller | filter | mapper | pusher */
    HEADER_ORIGIN,      /* dead: topic/partition/offset it was read from */
    HEADER_ANSWER,      /* dead: the vendor's answer, at most 1 KiB, nothing personal */
    HEADER_LEDGER,      /* retry, waiting, dead, skipped by the pusher: what the ledger's entry knew
                           when the record was written (ledger/note.h) */
    HEADER_TRACEPARENT, /* W3C trace context, passed on */
    HEADER_COUNT
};

/** @brief The header's name in Kafka, e.g. "modified_at". Static. */
const char *header_name(enum header header);

/** @brief The header of that name, or HEADER_COUNT. */
enum header header_of(const char *name);

/* A consumed record. Everything is borrowed from the Kafka message and valid until its ticket is
 * completed. */
struct event {
    struct text key;
    struct text value; /* {NULL, 0}: a tombstone */
    struct text headers[HEADER_COUNT];
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* when it was produced, by the record's timestamp */
    int is_broker_time;   /* that is the broker's clock (LogAppendTime), not the producer's */
};

/* What became of one record. There is no fifth answer. */
enum verdict {
    VERDICT_PASS = 0, /* handled; the outputs, if any, go downstream */
    VERDICT_SKIP,     /* not to be synced, and why */
    VERDICT_RETRY,    /* not now: a retry or waiting topic has it */
    VERDICT_DEAD,     /* permanently, or given up by the retry policy */
};

/** @brief "pass", "skip", "retry", "dead". Static. */
const char *verdict_name(enum verdict verdict);

/* One record to be produced. */
struct output {
    const char *topic; /* full name; keeps: lives as long as the producer (see topic.h) */
    struct text key;   /* borrowed until produce returns */
    struct text value; /* {NULL, 0}: a tombstone */
    char *owned_value; /* NULL, or malloc()ed memory that value lies in: the producer takes it */
    struct text
        headers[HEADER_COUNT]; /* borrowed until produce returns; absent ones are left out */
    uint32_t partition_hash;   /* partition = hash modulo count, see event_hash() */
};

/** @brief About how many bytes the record has: key, value and headers with their names. */
size_t output_bytes(const struct output *output);

enum { RESULT_OUTPUTS_MAX = 3 };

/* A handler's answer: the verdict and the records that must be with Kafka before the input is
 * committed. */
struct result {
    enum verdict verdict;
    enum reason reason; /* SKIP, RETRY, DEAD: why, for the log line and the counters */
    char detail[160];   /* the same for people; nothing personal */
    int output_count;
    struct output outputs[RESULT_OUTPUTS_MAX];
};

enum { EVENT_STORE_BYTES_MAX = 64 }; /* a store hash has about ten */

/* A parsed record key: <store hash>/<order|contact|product>/<BigCommerce id>. */
struct event_key {
    struct text store;
    struct text entity;
    struct text id;
};

/**
 * @brief Splits a record key. Parts are borrowed views into it.
 * @returns 0, or -1 when it is not of that form (parts non-empty, store [a-z0-9]+, id digits).
 */
int event_key_parse(struct text key, struct event_key *parts);

/**
 * @brief Whether a record of that key can be known by it: a key as above, or
 * `<store hash>/unreadable/<digest>` (32 digits 0-9a-f of its bytes' SHA-256), the key of an order
 * whose id cannot be told. Of the second kind there are only dead records.
 */
int event_key_is_usable(struct text key);

enum { EVENT_NUMBER_DIGITS_MAX = 15 }; /* ms since 1970 of any year with four digits, and more */

/** @brief Decimal value of a header such as modified_at, or missing when absent or not a whole
 * number >= 0 of at most EVENT_NUMBER_DIGITS_MAX digits. */
int64_t event_header_int(const struct event *event, enum header header, int64_t missing);

/** @brief Stable 32-bit hash (FNV-1a, folded) of bytes, continuing from seed; start with seed 0.
 * For partitioning only. */
uint32_t event_hash(uint32_t seed, struct text text);

/**
 * @brief Partition hash of payload, retry and waiting records: account + e-mail (ASCII lower case,
 * trimmed), so that one contact's records usually meet one pusher.
 */
uint32_t event_hash_contact(struct text account, struct text email);

#endif
