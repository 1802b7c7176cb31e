/* person.h - whether a record is about the person with an e-mail address. Pure. */
#ifndef COMMON_PERSON_H
#define COMMON_PERSON_H

#include "base/digest.h"
#include "base/error.h"
#include "base/mem.h"

enum { PERSON_EMAIL_BYTES = 400 };

struct person {
    char email[PERSON_EMAIL_BYTES]; /* ASCII lower case, trimmed */
    char digest[DIGEST_BYTES]; /* by which the ledger and the console's index know the person */
};

/** @brief Takes an address. @returns 0, or -1 with a permanent error where it is none */
int person_init(struct person *person, const char *email, struct error *err);

/**
 * @brief Whether the value of a record is the person's: an order's billing address or a payload's
 * contact has the e-mail address. A value that is no JSON, or another object, is the person's where
 * the address stands in it as a word of its own.
 */
int person_has(const struct person *person, struct text value);

#endif
