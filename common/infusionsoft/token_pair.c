#include "infusionsoft/token_pair.h"

#include <stddef.h>
#include <string.h>

/* Returns a member that is a token, or NULL. */
static const char *token_of(yyjson_val *root, const char *name)
{
    yyjson_val *value = yyjson_obj_get(root, name);
    const char *text = yyjson_get_str(value);
    size_t length = yyjson_get_len(value);

    if (text == NULL || length == 0 || length > TOKEN_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return NULL;
    return text;
}

int token_pair_of_state(yyjson_val *root, struct token_pair *pair)
{
    *pair = (struct token_pair){
        .access = token_of(root, "access_token"),
        .refresh = token_of(root, "refresh_token"),
        .begun = yyjson_get_str(yyjson_obj_get(root, "begun")),
        .refresh_at_ms = yyjson_get_sint(yyjson_obj_get(root, "refresh_at_ms")),
        .expires_at_ms = yyjson_get_sint(yyjson_obj_get(root, "expires_at_ms")),
    };
    return pair->access != NULL && pair->refresh != NULL && pair->begun != NULL ? 0 : -1;
}

int token_pair_of_answer(yyjson_val *root, int64_t now_ms, struct token_pair *pair)
{
    int64_t life_s = yyjson_get_sint(yyjson_obj_get(root, "expires_in"));

    if (life_s <= 0 || life_s > TOKEN_LIFE_MAX_S)
        life_s = TOKEN_DEFAULT_LIFE_S;
    *pair = (struct token_pair){
        .access = token_of(root, "access_token"),
        .refresh = token_of(root, "refresh_token"),
        .refresh_at_ms = now_ms + life_s * 1000 * TOKEN_EARLY_PERCENT / 100,
        .expires_at_ms = now_ms + life_s * 1000,
    };
    return pair->access != NULL && pair->refresh != NULL ? 0 : -1;
}
