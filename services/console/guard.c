#include "guard.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

static const struct guard_refusal wrong_host = {421, "wrong_host",
                                                "This console answers to localhost and 127.0.0.1 "
                                                "only. Open it under one of these names, or let "
                                                "a reverse proxy send one of them as Host."};
static const struct guard_refusal other_site = {
    403, "other_site", "The request was made by the page of another site."};
static const struct guard_refusal not_json = {
    415, "not_json", "The body must be JSON, with the header Content-Type: application/json."};
static const struct guard_refusal read_only = {403, "read_only",
                                               "This console is read-only: no token is configured. "
                                               "Set [console] token_file and start it again "
                                               "to act from here."};
static const struct guard_refusal closed = {
    403, "closed",
    "This console listens on an address that other machines can reach, and no token is configured. "
    "It tells nothing about orders until [console] token_file is set."};
static const struct guard_refusal token_needed = {
    401, "token_needed", "This needs the console's token, as Authorization: Bearer TOKEN."};
static const struct guard_refusal token_wrong = {401, "token_wrong", "The token is not right."};

/* 127.x.x.x, as dotted decimals. A name such as 127.example.com is none. */
static int is_loopback_v4(const char *host, size_t length)
{
    if (length < 9 || strncmp(host, "127.", 4) != 0)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (!isdigit((unsigned char)host[i]) && host[i] != '.')
            return 0;
    return 1;
}

int guard_host_is_here(const char *host)
{
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *name_end = bracket != NULL ? bracket + 1 : host + strcspn(host, ":");
    size_t length = (size_t)(name_end - host);

    if (name_end[0] == ':' && name_end[1 + strspn(name_end + 1, "0123456789")] != '\0')
        return 0;
    if (name_end[0] != ':' && name_end[0] != '\0')
        return 0;
    if (bracket != NULL)
        return length == 5 && strncmp(host, "[::1]", 5) == 0;
    return (length == 9 && strncasecmp(host, "localhost", 9) == 0) || is_loopback_v4(host, length);
}

int guard_token_is_right(const char *authorization, const char *token)
{
    unsigned char given[SHA256_DIGEST_LENGTH], right[SHA256_DIGEST_LENGTH];

    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return 0;
    authorization += 7;
    authorization += strspn(authorization, " ");
    SHA256((const unsigned char *)authorization, strlen(authorization), given);
    SHA256((const unsigned char *)token, strlen(token), right);
    return CRYPTO_memcmp(given, right, sizeof(right)) == 0;
}

/* A browser says with Sec-Fetch-Site whose page makes the request; older ones say with Origin where
 * that page came from. Programs send neither. Behind a reverse proxy the Host may be another one
 * than the browser's, so Origin counts only where there is no better word. */
static int is_other_site(const struct guard_headers *headers)
{
    const char *origin_host;

    if (headers->fetch_site != NULL)
        return strcmp(headers->fetch_site, "same-origin") != 0 &&
               strcmp(headers->fetch_site, "none") != 0;
    if (headers->origin == NULL)
        return 0;
    origin_host = strstr(headers->origin, "://");
    return origin_host == NULL || headers->host == NULL ||
           strcasecmp(origin_host + 3, headers->host) != 0;
}

static int is_json(const char *content_type)
{
    size_t length = content_type == NULL ? 0 : strcspn(content_type, "; \t");

    return length == 16 && strncasecmp(content_type, "application/json", 16) == 0;
}

const struct guard_refusal *guard_check(const struct guard *guard, enum guard_need need,
                                        const struct guard_headers *headers)
{
    int has_token = guard->token != NULL && guard->token[0] != '\0';

    if (guard->is_loopback && headers->host != NULL && !guard_host_is_here(headers->host))
        return &wrong_host;
    if (need == GUARD_OPEN)
        return NULL;
    if (is_other_site(headers))
        return &other_site;
    if (need == GUARD_ACT && !has_token)
        return &read_only;
    if (!guard->is_loopback && !has_token)
        return &closed;
    if (need == GUARD_ACT || !guard->is_loopback) {
        if (headers->authorization == NULL)
            return &token_needed;
        if (!guard_token_is_right(headers->authorization, guard->token))
            return &token_wrong;
    }
    if (headers->has_body && !is_json(headers->content_type))
        return &not_json;
    return NULL;
}
