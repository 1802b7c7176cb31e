/* token.h - the OAuth access tokens of one account.
 *
 * A refresh token can be used once and brings the next one. So only one thread of one pusher
 * refreshes at a time: there is a lock in Redis for all pushers and a mutex within a process. The
 * new pair is on disk (written, synced, renamed) before it is used. The file counts; all pushers
 * share it. A refresh token in the configuration from which the pair in the file does not descend
 * is a new authorization and replaces that pair. There is one struct token for each account and
 * process; it is thread-safe. */
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
    const struct http_settings *http;     /* keeps */
    const char *prefix;                   /* keeps */
    int64_t timeout_ms;
};

/** @brief New. Free with token_free(). */
struct token *token_new(const struct token_settings *settings);
void token_free(struct token *token);

/**
 * @brief Appends an access token that can be used now. It is refreshed early (at 90 % of its life).
 * While an early refresh fails, the old token is used until it expires.
 * @returns 0; -1 with an error: temporary, or permanent when a person must authorize again (there
 * is one alarm for that)
 */
int token_current(struct token *token, struct buffer *target, struct error *err);

/** @brief Says that the account refused this access token: it is refreshed, unless another pusher
 * did that already. Returns as token_current(). */
int token_refused(struct token *token, struct text refused, struct error *err);

#endif
