/* token.h - OAuth access tokens of one account. Refresh tokens are single-use and rotate: one
 * refresher at a time (a lock in Redis across pushers, a mutex inside), and the new pair is on disk
 * (written, synced, renamed) before it is used. The file is the truth; all pushers share it. A new
 * refresh token in the configuration, one that the file does not come from, replaces it. One
 * struct token per account and process; thread-safe. */
#ifndef COMMON_TOKEN_H
#define COMMON_TOKEN_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "settings/config.h"

struct token;

struct token_settings {
    const struct config_account *account; /* keeps */
    const struct redis_server *redis;     /* keeps */
    const char *prefix;                   /* keeps */
    int64_t timeout_ms;
};

/** @brief New. Free with token_free(). */
struct token *token_new(const struct token_settings *settings);
void token_free(struct token *token);

/**
 * @brief Appends an access token that is good for now, refreshing early (at 90 % of its life) where
 * need be. While an early refresh fails the old token is used until it expires.
 * @returns 0; -1 with an error: temporary, or permanent when a person must authorize again (alarmed
 * once)
 */
int token_current(struct token *token, struct buffer *target, struct error *err);

/** @brief The account refused this access token: refreshes, unless somebody did already. As
 * token_current(). */
int token_refused(struct token *token, struct text refused, struct error *err);

#endif
