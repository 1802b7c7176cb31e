/* payload_check.h - whether a record is a whole payload, as docs/mapping.md ("The payload record")
 * describes it. A record is checked before anything is begun in the ledger or at the account, so
 * all later code may rely on the type and the limits of each member. Pure. */
#ifndef PUSHER_PAYLOAD_CHECK_H
#define PUSHER_PAYLOAD_CHECK_H

#include <yyjson.h>

#include "base/error.h"
#include "base/mem.h"

/* What a payload is about. */
enum payload_kind {
    PAYLOAD_ORDER = 0, /* an order that is to be made */
    PAYLOAD_WITHDRAWN, /* an order that was taken back: there is nothing to make */
    PAYLOAD_CONTACT,   /* a customer of a store */
    PAYLOAD_PRODUCT,   /* a product of a store, with its variants */
    PAYLOAD_KIND_COUNT
};

/**
 * @brief Checks each member that the format knows, and that none of them is there twice. Members
 * that it does not know are allowed, because a newer mapper may write them.
 * @param root  the record's value, read with YYJSON_READ_NUMBER_AS_RAW; NULL: it is no JSON
 * @param key   the record's key
 * @param kind  out
 * @param err   names the member that is wrong, e.g. "order.order_items[3].product: ..."
 * @returns 0, or -1
 */
int payload_check(yyjson_val *root, struct text key, enum payload_kind *kind, struct error *err);

#endif
