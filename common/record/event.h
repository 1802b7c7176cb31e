/* event.h - a record of a topic: key, headers, value. Services share nothing but these definitions
 * and the names of topics. docs/architecture.md describes them. */
#ifndef COMMON_EVENT_H
#define COMMON_EVENT_H

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "record/reason.h"

/* The headers that a record may have; all are text. Other headers are not passed on. */
enum header {
    HEADER_KIND = 0,    /* order | withdrawn | contact | product */
    HEADER_STORE,       /* store hash */
    HEADER_ACCOUNT,     /* name of the [infusionsoft NAME] section */
    HEADER_SOURCE,      /* poll | webhook | backfill | replay */
    HEADER_LANE,        /* history: an order that a backfill brought, also when it is replayed */
    HEADER_LEAVE_OUT,   /* goals, tags: what the mapper does not write, see map_leave_out() */
    HEADER_MODIFIED_AT, /* ms since 1970 of the store's date_modified */
    HEADER_POLLED_AT,   /* ms since 1970 when the poller saw it */
    HEADER_START_FROM,  /* ms since 1970: the store's resolved start_from; 0: all */
    HEADER_REASON,      /* reason_name() */
    HEADER_ATTEMPT,     /* how often this record failed by itself so far */
    HEADER_NOT_BEFORE,  /* ms since 1970: the record is not due before */
    HEADER_DETAIL,      /* dead, retry: a line for people */
    HEADER_STEP,        /* dead, retry by the pusher: the step of the delivery that failed */
    HEADER_STAGE,       /* dead: poller | filter | mapper | pusher */
    HEADER_ORIGIN,      /* dead: topic/partition/offset it was read from */
    HEADER_ANSWER,      /* dead: the vendor's answer, at most 1 KiB, nothing personal; retry: its
                           HTTP status and error word */
    HEADER_LEDGER,      /* retry, waiting, dead, skipped by the pusher: what the ledger's entry knew
                           when the record was written (ledger/note.h) */
    HEADER_REPLAYED_AT, /* ms since 1970 when a person sent it again (source = replay) or dropped it */
    HEADER_TRACEPARENT, /* W3C trace context, see record/trace.h. The stage has checked it */
    HEADER_COUNT
};

/** @brief The header's name in Kafka, e.g. "modified_at". Static. */
const char *header_name(enum header header);

/** @brief The header of that name, or HEADER_COUNT. */
enum header header_of(const char *name);

/* A record that was read. Everything is borrowed from the Kafka message and valid until the
 * record's ticket is completed. */
struct event {
    struct text key;
    struct text value; /* {NULL, 0}: a tombstone */
    struct text headers[HEADER_COUNT];
    size_t
        header_bytes; /* names and values of all headers of the record, also of those that are not
                            passed on: anybody may have added them */
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* when it was produced, by the record's timestamp */
    int is_broker_time;   /* 1: timestamp_ms was set by the broker's clock (LogAppendTime), 0: by
                             the producer's */
};

/** @brief What the log says of the record: its key, and its trace if it has one. Borrowed from the
 * event. */
struct log_about event_about(const struct event *event);

/* What was decided about one record. There is no fifth answer. */
enum verdict {
    VERDICT_PASS = 0, /* it was handled; its outputs, if any, go to the next topic */
    VERDICT_SKIP,     /* it is not to be synced; the reason says why */
    VERDICT_RETRY,    /* it cannot be done now; it goes to a retry or waiting topic */
    VERDICT_DEAD,     /* it can never be done, or was given up by the retry policy */
};

/** @brief "pass", "skip", "retry", "dead". Static. */
const char *verdict_name(enum verdict verdict);

/* One record to be produced. */
struct output {
    const char *topic; /* full name of the topic; keeps: must live as long as the producer (see
                          topic.h) */
    struct text key;   /* borrowed until the record is produced */
    struct text value; /* {NULL, 0}: a tombstone */
    char *owned_value; /* NULL, or malloc()ed memory that contains value; the producer takes it */
    struct text
        headers[HEADER_COUNT]; /* borrowed until the record is produced; absent ones are left out */
    uint32_t partition_hash;   /* the partition is hash modulo the number of partitions, see
                                  event_hash() */
};

/** @brief About how many bytes the record has: key, value and headers with their names. */
size_t output_bytes(const struct output *output);

enum { RESULT_OUTPUTS_MAX = 3 };

/* A handler's answer: the verdict, and the records that Kafka must have before the input's offset
 * is committed. */
struct result {
    enum verdict verdict;
    enum reason reason; /* SKIP, RETRY, DEAD: the reason, for the log line and the counters */
    char detail[160];   /* the reason for people; nothing personal */
    int output_count;
    struct output outputs[RESULT_OUTPUTS_MAX];
};

enum { EVENT_STORE_BYTES_MAX = 64 }; /* real store hashes have about ten characters */

/* A parsed record key: <store hash>/<order|contact|product>/<BigCommerce id>. */
struct event_key {
    struct text store;
    struct text entity;
    struct text id;
};

/**
 * @brief Splits a record key. The parts point into it.
 * @returns 0, or -1 when it is not of that form (parts non-empty, store [a-z0-9]+, id digits).
 */
int event_key_parse(struct text key, struct event_key *parts);

/** @brief Whether a record may be named by this key: a key as above, or `<store
 * hash>/unreadable/<digest>` with 32 digits 0-9a-f of the SHA-256 of its bytes. The second form is
 * the key of an order whose id cannot be read; only dead records have it. */
int event_key_is_usable(struct text key);

enum { EVENT_NUMBER_DIGITS_MAX = 15 }; /* enough for ms since 1970 of any year with four digits */

/** @brief The value of a header that is a number, such as modified_at. Returns missing when the
 * header is absent, or is not a whole number >= 0 of at most EVENT_NUMBER_DIGITS_MAX digits. */
int64_t event_header_int(const struct event *event, enum header header, int64_t missing);

/**
 * @brief The same for a header that anybody may have written and that must be in a range.
 * @param value  in: what counts when the header is absent; out: the header's
 * @returns 0; -1 when it is there and is no whole number from min to max
 */
int event_header_range(const struct event *event, enum header header, int64_t min, int64_t max,
                       int64_t *value);

/** @brief A hash (FNV-1a, 32 bits, folded) that stays the same in all versions. It goes on from
 * seed; start with seed 0. For partitioning only. */
uint32_t event_hash(uint32_t seed, struct text text);

/** @brief The hash that decides the partition of payload, retry and waiting records: account +
 * e-mail (ASCII lower case, trimmed). So the records of one contact usually go to one pusher. */
uint32_t event_hash_contact(struct text account, struct text email);

#endif
