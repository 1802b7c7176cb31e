/* token_pair.h - an access token and the refresh token for the next one, as the state file and the
 * token URL write them down. Pure. A token goes into a header: one with a blank, a control
 * character or a sign outside ASCII is none. */
#ifndef COMMON_TOKEN_PAIR_H
#define COMMON_TOKEN_PAIR_H

#include <stdint.h>

#include <yyjson.h>

enum {
    TOKEN_BYTES_MAX = 6000, /* two of them fit the state file */
    TOKEN_DEFAULT_LIFE_S = 3600,
    TOKEN_LIFE_MAX_S = 366 * 86400,
    TOKEN_EARLY_PERCENT = 90, /* of its life, after which a token is refreshed */
};

/* Borrowed from the document. */
struct token_pair {
    const char *access;
    const char *refresh;
    const char *begun; /* state file: digests of the configured tokens that were used up */
    int64_t refresh_at_ms;
    int64_t expires_at_ms;
};

/** @brief Reads {"access_token", "refresh_token", "refresh_at_ms", "expires_at_ms", "begun"}.
 * @returns 0, or -1 when it is no such state; root may be NULL */
int token_pair_of_state(yyjson_val *root, struct token_pair *pair);

/** @brief Reads the token URL's answer: {"access_token", "refresh_token", "expires_in"}. A life
 * that is absent, no number or absurd is the usual one. @returns 0, or -1 when it is no pair */
int token_pair_of_answer(yyjson_val *root, int64_t now_ms, struct token_pair *pair);

#endif
