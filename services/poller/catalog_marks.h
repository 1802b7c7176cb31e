/* catalog_marks.h - marks, which say what was published of each product. The marks of a store are a
 * hash in Redis, `<prefix>:poller:<hash>:products`: product id -> `<digest>:<version>`. If marks are
 * lost, these products are published once more; the pusher then finds that nothing changed. */
#ifndef POLLER_CATALOG_MARKS_H
#define POLLER_CATALOG_MARKS_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "net/redis.h"

struct catalog_mark {
    int64_t id;
    char digest[DIGEST_BYTES]; /* of what is synced of the product; "": not known */
    int64_t version;           /* when that was published; 0: not known */
};

/** @brief Fills in digest and version of marks whose ids are set. @returns 0, or -1 with an error */
int catalog_marks_read(struct redis *redis, const char *key, struct catalog_mark *marks, int count,
                       struct error *err);

/** @brief Writes marks. If none is written for keep_ms, Redis drops all marks of the store.
 * @returns 0, or -1 with an error */
int catalog_marks_write(struct redis *redis, const char *key, const struct catalog_mark *marks,
                        int count, int64_t keep_ms, struct error *err);

/** @brief Reads a mark's value. One that nobody can have written counts as not known. Pure. */
void catalog_mark_parse(struct catalog_mark *mark, struct text value);

#endif
