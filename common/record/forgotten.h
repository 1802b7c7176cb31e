/* forgotten.h - the value of a record of `dead` whose text was removed, because a person asked for
 * it: {"forgotten":"2026-01-02T03:04:05.678Z","digest":".."}. The digest is that of the value before
 * (digest_hex()); with it a rebuild of the ledger fills in the same entry as before. Pure. */
#ifndef COMMON_FORGOTTEN_H
#define COMMON_FORGOTTEN_H

#include "base/digest.h"
#include "base/mem.h"

/** @brief Whether a value is of that form. digest: out, or NULL */
int forgotten_read(struct text value, char digest[DIGEST_BYTES]);

/** @brief Appends the value that takes the place of another one. at: an instant as text */
void forgotten_write(struct buffer *target, struct text value, const char *at);

#endif
