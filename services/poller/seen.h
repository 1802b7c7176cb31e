/* seen.h - which versions of which orders were dealt with already, for as long as the overlap shows
 * them again. Kept in Redis as one sorted set for each store, `<prefix>:poller:<hash>:seen`: member
 * `<id>:<digest of the bytes>`, score date_modified, within the window that was asked for. Lost
 * marks do no harm: the order is published once more. */
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

/** @brief Fills a mark: SHA-256 of the bytes as they came, first 128 bits in hex. */
void seen_mark_init(struct seen_mark *mark, int64_t id, int64_t seen_at_ms, struct text bytes);

/** @brief The same from a digest that seen_digest() gave. */
void seen_mark_of(struct seen_mark *mark, int64_t id, int64_t seen_at_ms, const char *digest);

/** @brief The digest of a mark: 32 hex digits. Borrowed. */
const char *seen_digest(const struct seen_mark *mark);

/**
 * @brief Asks for marks.
 * @param known  out: known[i] is 1 where marks[i] is there
 */
int seen_check(struct redis *redis, const char *key, const struct seen_mark *marks, int count,
               char *known, struct error *err);

/**
 * @brief Adds marks, or moves their instant, and drops old ones.
 * @param before_ms  marks that were last seen before this instant go
 * @param keep_ms    a set that nobody touches for so long expires
 */
int seen_add(struct redis *redis, const char *key, const struct seen_mark *marks, int count,
             int64_t before_ms, int64_t keep_ms, struct error *err);

#endif
