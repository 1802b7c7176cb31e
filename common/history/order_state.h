/* order_state.h - the newest state of one order, from its records in any order of arrival. Pure.
 *
 * The index reads all topics at once, each at its own speed, and some records twice. So applying
 * records is commutative and idempotent: the state depends on the set of records alone. It keeps the
 * greatest record of each kind, by orders that are the same for everybody:
 *
 * - progress (raw ... waiting): the newest version; of one version the one that was sent again last;
 *   of those the furthest stage; retry and waiting are one stage, because an order goes round in
 *   them, so there the later record counts.
 * - delivered, skipped, dead: the newest version; of one version the one that was sent again last,
 *   and of those the later record. A fate that does not say its version is about what the store had
 *   when the fate was written.
 * - a tombstone in `dead` takes back what lies before it in its partition.
 *
 * An order that was delivered stays delivered. Else its newest fate counts, where that is about the
 * newest version, or the last time it was sent again. Else it is on its way. */
#ifndef COMMON_ORDER_STATE_H
#define COMMON_ORDER_STATE_H

#include <stdint.h>

#include "history/order_record.h"

/* The lists that an order can be on; on exactly one. The numbers stand in the index file. */
enum order_list {
    ORDER_LIST_NONE = 0, /* nothing is known but a fate that was taken back */
    ORDER_LIST_QUEUED,   /* on its way: filter, mapper or pusher has it before itself */
    ORDER_LIST_RETRYING, /* its own delivery failed; it is tried again by schedule */
    ORDER_LIST_WAITING,  /* for its account, or for the account's e-commerce module */
    ORDER_LIST_SKIPPED,
    ORDER_LIST_DEAD,
    ORDER_LIST_DELIVERED,
    ORDER_LIST_COUNT
};

/* The furthest record of an order that is on its way. kind SPOT_NONE: there is none. */
struct order_progress {
    enum spot_kind kind;
    int spot_index; /* RETRY: which retry topic; else 0 */
    int32_t partition;
    int64_t offset, time_ms;
    int64_t version, replay_ms;
    int64_t next_try_ms; /* RETRY: when it is due; else -1 */
    int64_t attempt;
    enum reason reason; /* as in order_record.h; REASON_NONE: it is queued */
    int is_withdrawn;
    char account[ORDER_ID_BYTES + 1];
    char detail[ORDER_TEXT_BYTES];
};

/* A fate. is_there 0: there is none, and the rest means nothing. */
struct order_fate {
    int is_there;
    int32_t partition;
    int64_t offset, time_ms;
    int64_t version;   /* where its record does not say, the time of the record */
    int64_t replay_ms; /* see order_record.h */
    enum reason reason;
    int64_t placed_ms, created_ms; /* delivered; -1: not known */
    char account[ORDER_ID_BYTES + 1];
    char order_id[ORDER_ID_BYTES];   /* delivered */
    char contact_id[ORDER_ID_BYTES]; /* delivered */
    char detail[ORDER_TEXT_BYTES];
};

/* Embedded; begin with order_state_init(). It owns no memory and may be copied. */
struct order_state {
    struct order_progress progress;
    int64_t since_version, since_replay_ms,
        since_ms; /* when the version that since_version names was
                                                         first seen, or sent again; -1: not known */
    struct order_fate delivered, skipped, dead;
    int32_t tombstone_partition; /* of the last tombstone in `dead` */
    int64_t tombstone_offset;    /* -1: there is none */
    int64_t last_ms;             /* the greatest time of a record; -1: none */
    int64_t digest_version;      /* the version that the digest is of; -1: not known */
    int has_digest;
    unsigned char email_digest[ORDER_DIGEST_BYTES];
};

void order_state_init(struct order_state *state);

/** @brief Takes a record into account. */
void order_state_apply(struct order_state *state, const struct order_record *record);

/** @brief The one list that the order is on. */
enum order_list order_state_list(const struct order_state *state);

/** @brief The fate that counts, or NULL where the order is on its way. Borrowed from state. */
const struct order_fate *order_state_fate(const struct order_state *state);

/** @brief Why it is on that list: the fate's reason, or that of the waiting; REASON_QUEUED for a
 * queued order, REASON_NONE for a delivered one. */
enum reason order_state_reason(const struct order_state *state);

/** @brief Since when the order is where it is: a fate's time, else since_ms. -1: not known. */
int64_t order_state_since_ms(const struct order_state *state);

/** @brief The word for a list in JSON and in messages, e.g. "retrying". Static. */
const char *order_list_name(enum order_list list);

enum { ORDER_STATE_PACKED_BYTES_MAX = 2400 };

/** @brief Writes the state in a form for storage. @returns how many bytes */
size_t order_state_pack(const struct order_state *state,
                        unsigned char packed[ORDER_STATE_PACKED_BYTES_MAX]);

/** @brief Reads what order_state_pack() wrote. @returns 0, or -1 when it is something else */
int order_state_unpack(struct order_state *state, const unsigned char *packed, size_t length);

#endif
