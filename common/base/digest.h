/* digest.h - short digests of texts. Digests of bodies show whether a body changed; digests of
 * personal data stand in keys in place of the data. Pure. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/mem.h"

enum { DIGEST_BYTES = 33 };

/** @brief The first 128 bits of the SHA-256 of the parts, each followed by a NUL byte, as 32
 * lower-case hex digits. */
void digest_hex(char target[DIGEST_BYTES], const struct text *parts, int count);

/** @brief The digest of one text in which ASCII capitals are made small, so that an address or a SKU
 * is the same however the shop spells it. The ledger's keys of contacts and products have it. */
void digest_hex_nocase(char target[DIGEST_BYTES], struct text text);

enum { DIGEST_WHOLE_BYTES = 65 };

/** @brief The whole SHA-256 of a text, as 64 lower-case hex digits. */
void digest_whole_hex(char target[DIGEST_WHOLE_BYTES], struct text text);

#endif
