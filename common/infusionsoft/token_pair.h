/* token_pair.h - reads an access token and the refresh token that belongs to it, as the state file
 * and the token URL write them. Pure. A token goes into a header, so a text with a blank, a control
 * character or a character outside ASCII is not taken for one. */
#ifndef COMMON_TOKEN_PAIR_H
#define COMMON_TOKEN_PAIR_H

#include <stdint.h>

#include <yyjson.h>

enum {
    TOKEN_BYTES_MAX = 6000, /* so that two of them fit into the state file */
    TOKEN_DEFAULT_LIFE_S = 3600,
    TOKEN_LIFE_MAX_S = 366 * 86400,
    TOKEN_EARLY_PERCENT = 90, /* part of its life after which a token is refreshed */
};

/* The texts are borrowed from the document. */
struct token_pair {
    const char *access;
    const char *refresh;
    const char *begun; /* state file only: digests of the configured tokens that were used
                          already */
    int64_t refresh_at_ms;
    int64_t expires_at_ms;
};

/**
 * @brief Reads {"access_token", "refresh_token", "refresh_at_ms", "expires_at_ms", "begun"}. root
 * may be NULL.
 * @returns 0, or -1 when it is no such state
 */
int token_pair_of_state(yyjson_val *root, struct token_pair *pair);

/**
 * @brief Reads the token URL's answer: {"access_token", "refresh_token", "expires_in"}. Where the
 * life of the token is absent, no number or absurd, the usual one is taken.
 * @returns 0, or -1 when it is no pair
 */
int token_pair_of_answer(yyjson_val *root, int64_t now_ms, struct token_pair *pair);

#endif
