/* tokens.c - OAuth tokens of the account. A refresh token can be used once; it brings the pair that
 * replaces it. */
#include "infusionsoft/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "world.h"

/* Returns a value of the form body, decoded: new, or NULL. */
static char *form_value(const struct request *request, const char *name)
{
    const char *start = request->body.data;
    size_t name_length = strlen(name);

    while (start != NULL && *start != '\0') {
        size_t length = strcspn(start, "&");
        if (length > name_length && strncmp(start, name, name_length) == 0 &&
            start[name_length] == '=')
            return url_decode(start + name_length + 1, length - name_length - 1, 1);
        start += length;
        if (*start == '&')
            start++;
    }
    return NULL;
}

static void refuse(struct world *world, struct reply *reply, int status, const char *error,
                   const char *description)
{
    world->account.tokens.refused++;
    reply_json(reply, status,
               mem_check(json_pack("{s:s,s:s}", "error", error, "error_description", description)));
}

static void grant(struct world *world, struct reply *reply)
{
    struct tokens *tokens = &world->account.tokens;
    int64_t *expiry_ms = mem_alloc(sizeof *expiry_ms);
    char access[64], scope[128], effect[64];

    tokens->generation++;
    *expiry_ms = clock_now_ms() + world->settings.access_token_expires_s * 1000;
    snprintf(access, sizeof access, "sandbox-access-%lld", (long long)tokens->generation);
    snprintf(tokens->refresh, sizeof tokens->refresh, "sandbox-refresh-%lld",
             (long long)tokens->generation);
    table_add(&tokens->access, access, expiry_ms);
    snprintf(scope, sizeof scope, "full|%s", world->settings.tenant);
    reply_json(reply, 200,
               mem_check(json_pack("{s:s,s:s,s:s,s:I,s:s}", "access_token", access, "refresh_token",
                                   tokens->refresh, "token_type", "bearer", "expires_in",
                                   world->settings.access_token_expires_s, "scope", scope)));
    snprintf(effect, sizeof effect, "{\"id\":\"%lld\"}", (long long)tokens->generation);
    reply_effect(reply, "made", "token", effect);
}

static void refresh(struct world *world, const struct request *request, struct reply *reply)
{
    struct tokens *tokens = &world->account.tokens;
    char *token = form_value(request, "refresh_token");

    if (request->bearer == NULL || strcmp(request->bearer, ACCOUNT_CLIENT_BASIC) != 0)
        refuse(world, reply, 401, "invalid_client", "Client credentials are invalid");
    else if (token == NULL || *tokens->refresh == '\0' || strcmp(token, tokens->refresh) != 0)
        refuse(world, reply, 400, "invalid_grant", "Invalid refresh token");
    else
        grant(world, reply);
    free(token);
}

static void exchange(struct world *world, const struct request *request, struct reply *reply)
{
    char *client = form_value(request, "client_id"), *secret = form_value(request, "client_secret");
    char *code = form_value(request, "code"), *uri = form_value(request, "redirect_uri");

    if (client == NULL || secret == NULL || strcmp(client, "sandbox-client") != 0 ||
        strcmp(secret, "sandbox-secret") != 0)
        refuse(world, reply, 401, "invalid_client", "Client credentials are invalid");
    else if (uri == NULL || strncmp(uri, "https://", 8) != 0)
        refuse(world, reply, 400, "invalid_request", "redirect_uri must be HTTPS");
    else if (code == NULL || strcmp(code, "sandbox-code") != 0)
        refuse(world, reply, 400, "invalid_grant", "Invalid code");
    else
        grant(world, reply);
    free(client);
    free(secret);
    free(code);
    free(uri);
}

void tokens_answer(struct world *world, const struct request *request, struct reply *reply)
{
    static const char form[] = "application/x-www-form-urlencoded";
    char *type = form_value(request, "grant_type");

    if (strcmp(request->method, "POST") != 0)
        refuse(world, reply, 405, "invalid_request", "POST only");
    else if (type == NULL || request->content_type == NULL ||
             strncasecmp(request->content_type, form, sizeof form - 1) != 0)
        refuse(world, reply, 400, "invalid_request", "response_type or grant_type is required");
    else if (strcmp(type, "refresh_token") == 0)
        refresh(world, request, reply);
    else if (strcmp(type, "authorization_code") == 0)
        exchange(world, request, reply);
    else
        refuse(world, reply, 400, "unsupported_grant_type", "Unsupported grant_type");
    free(type);
}

int tokens_accept(const struct tokens *tokens, const char *token, int64_t now_ms)
{
    const struct table_entry *entry = table_find(&tokens->access, token);

    return entry != NULL && strcmp(entry->key, token) == 0 && *(int64_t *)entry->values[0] > now_ms;
}

void tokens_revoke_access(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->access.slot_count; i++)
        for (struct table_entry *entry = tokens->access.slots[i]; entry != NULL;
             entry = entry->next)
            free(entry->values[0]);
    table_clear(&tokens->access);
}
