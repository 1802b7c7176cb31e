/* seen.h - marks, which say that a version of an order was published already. Windows overlap, so
 * most rounds show some orders again; these are recognised by their marks. The marks of a store are
 * a sorted set in Redis, `<prefix>:poller:<hash>:seen`. A member is `<id>:<digest of the bytes>`,
 * and its score is the order's date_modified, as far as that lies in the window that was asked for.
 * If marks are lost, these orders are published once more, which does no harm. */
#ifndef POLLER_SEEN_H
#define POLLER_SEEN_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/redis.h"

enum { SEEN_DIGEST_BYTES = 33, SEEN_MARK_BYTES = SEEN_DIGEST_BYTES + 21 };

struct seen_mark {
    char member[SEEN_MARK_BYTES];
    int64_t seen_at_ms;
};

/** @brief Fills a mark. The digest is the first 128 bits of the SHA-256 of the bytes as they came,
 * in hex. */
void seen_mark_init(struct seen_mark *mark, int64_t id, int64_t seen_at_ms, struct text bytes);

/** @brief Fills a mark with a digest that seen_digest() gave. */
void seen_mark_of(struct seen_mark *mark, int64_t id, int64_t seen_at_ms, const char *digest);

/** @brief The digest of a mark: 32 hex digits. Borrowed. */
const char *seen_digest(const struct seen_mark *mark);

/**
 * @brief Asks Redis which of the marks are there.
 * @param known  out: known[i] is 1 where marks[i] is there
 * @returns 0, or -1 with an error
 */
int seen_check(struct redis *redis, const char *key, const struct seen_mark *marks, int count,
               char *known, struct error *err);

/**
 * @brief Adds marks and drops old ones. A mark that is there already gets the new instant.
 * @param before_ms  marks whose instant is before this one are dropped
 * @param keep_ms    if nothing is added for so long, Redis drops all marks of the store
 * @returns 0, or -1 with an error
 */
int seen_add(struct redis *redis, const char *key, const struct seen_mark *marks, int count,
             int64_t before_ms, int64_t keep_ms, struct error *err);

#endif
