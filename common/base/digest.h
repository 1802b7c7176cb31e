/* digest.h - short digests of texts: of bodies, to see whether one changed, and of personal data,
 * which must not stand in keys. Pure. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/mem.h"

enum { DIGEST_BYTES = 33 };

/** @brief SHA-256 of the parts, each followed by a NUL byte, as 32 lower-case hex digits (the first
 * 128 bits). */
void digest_hex(char target[DIGEST_BYTES], const struct text *parts, int count);

#endif
