#include "control.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static json_t *settings_json(const struct settings *settings)
{
    return mem_check(json_pack(
        "{s:b,s:s,s:I,s:I,s:{s:i,s:i,s:i},s:i,s:b,s:I,s:s,s:s,s:s,s:I,s:I,s:b,s:s,s:i,s:b}",
        "ecommerce", settings->ecommerce, "currency", settings->currency, "visibility_delay_ms",
        settings->visibility_delay_ms, "answer_delay_ms", settings->answer_delay_ms, "quota",
        "per_s", settings->quota.per_s, "per_min", settings->quota.per_min, "per_day",
        settings->quota.per_day, "bc_quota", settings->bc_quota, "bc_quota_headers",
        settings->bc_quota_headers, "total_off_by_cents", settings->total_off_by_cents,
        "discount_sign", settings->discount_positive ? "positive" : "negative", "empty_page",
        settings->empty_list ? "[]" : "204", "tenant", settings->tenant, "access_token_expires_s",
        settings->access_token_expires_s, "clock_skew_s", settings->clock_skew_s, "key_accepted",
        settings->key_accepted, "order_region", settings->order_region, "page_cap",
        settings->page_cap, "min_id_exclusive", settings->min_id_exclusive));
}

static const struct schema_member quota_members[] = {{"per_s", SCHEMA_INTEGER, 0, 0, NULL, NULL},
                                                     {"per_min", SCHEMA_INTEGER, 0, 0, NULL, NULL},
                                                     {"per_day", SCHEMA_INTEGER, 0, 0, NULL, NULL},
                                                     {0}};
static const char *const signs[] = {"negative", "positive", NULL};
static const char *const empty_pages[] = {"204", "[]", NULL};
static const char *const spellings[] = {"any", "name", "code", NULL};

static const struct schema_member settings_members[] = {
    {"ecommerce", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {"currency", SCHEMA_STRING, SCHEMA_NOT_BLANK, 3, NULL, NULL},
    {"visibility_delay_ms", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"answer_delay_ms", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"quota", SCHEMA_ANY, 0, 0, NULL, NULL},
    {"bc_quota", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"bc_quota_headers", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {"total_off_by_cents", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"discount_sign", SCHEMA_STRING, 0, 0, signs, NULL},
    {"empty_page", SCHEMA_STRING, 0, 0, empty_pages, NULL},
    {"page_cap", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"min_id_exclusive", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {"tenant", SCHEMA_STRING, SCHEMA_NOT_BLANK, 60, NULL, NULL},
    {"access_token_expires_s", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"clock_skew_s", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"key_accepted", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {"order_region", SCHEMA_STRING, 0, 0, spellings, NULL},
    {"revoke_access_tokens", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {"revoke_refresh_token", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {"refresh_token", SCHEMA_STRING, SCHEMA_NOT_BLANK, 60, NULL, NULL},
    {0}};

static int set_quota(struct settings *settings, const json_t *quota, struct reply *reply)
{
    char message[256];

    if (quota == NULL)
        return 0;
    if (json_is_string(quota)) {
        if (world_set_quota(settings, json_string_value(quota)) != 0)
            return control_error(reply, 400, "quota must be off, key, oauth or an object");
        return 0;
    }
    if (schema_check(quota_members, quota, message, sizeof message) != 0)
        return control_error(reply, 400, "%s", message);
    settings->quota.per_s = (int)json_integer_value(json_object_get(quota, "per_s"));
    settings->quota.per_min = (int)json_integer_value(json_object_get(quota, "per_min"));
    settings->quota.per_day = (int)json_integer_value(json_object_get(quota, "per_day"));
    return 0;
}

static void set_integer(const json_t *body, const char *name, int64_t *value)
{
    const json_t *json = json_object_get(body, name);

    if (json != NULL)
        *value = json_integer_value(json);
}

static void set_flag(const json_t *body, const char *name, int *value, const char *true_text)
{
    const json_t *json = json_object_get(body, name);

    if (json_is_string(json))
        *value = strcmp(json_string_value(json), true_text) == 0;
    else if (json != NULL)
        *value = json_is_true(json);
}

static void set_text(const json_t *body, const char *name, char *value, size_t size)
{
    const char *text = json_string_value(json_object_get(body, name));

    if (text != NULL)
        snprintf(value, size, "%s", text);
}

static void set_tokens(struct tokens *tokens, const json_t *body)
{
    if (json_is_true(json_object_get(body, "revoke_access_tokens")))
        tokens_revoke_access(tokens);
    if (json_is_true(json_object_get(body, "revoke_refresh_token")))
        tokens->refresh[0] = '\0';
    set_text(body, "refresh_token", tokens->refresh, sizeof tokens->refresh);
}

void settings_answer(struct world *world, const struct request *request, struct reply *reply)
{
    struct settings changed = world->settings;
    const json_t *body = request->json;
    int64_t bc_quota = changed.bc_quota, page_cap = changed.page_cap;
    char message[256];

    if (strcmp(request->method, "PUT") == 0) {
        if (schema_check(settings_members, body, message, sizeof message) != 0) {
            control_error(reply, 400, "%s", message);
            return;
        }
        if (set_quota(&changed, json_object_get(body, "quota"), reply) != 0)
            return;
        bc_quota = changed.bc_quota;
        set_integer(body, "bc_quota", &bc_quota);
        changed.bc_quota = (int)bc_quota;
        set_integer(body, "page_cap", &page_cap);
        changed.page_cap = (int)page_cap;
        set_flag(body, "min_id_exclusive", &changed.min_id_exclusive, "");
        set_integer(body, "visibility_delay_ms", &changed.visibility_delay_ms);
        set_integer(body, "answer_delay_ms", &changed.answer_delay_ms);
        set_integer(body, "total_off_by_cents", &changed.total_off_by_cents);
        set_integer(body, "access_token_expires_s", &changed.access_token_expires_s);
        set_integer(body, "clock_skew_s", &changed.clock_skew_s);
        set_flag(body, "ecommerce", &changed.ecommerce, "");
        set_flag(body, "bc_quota_headers", &changed.bc_quota_headers, "");
        set_flag(body, "key_accepted", &changed.key_accepted, "");
        set_flag(body, "discount_sign", &changed.discount_positive, "positive");
        set_flag(body, "empty_page", &changed.empty_list, "[]");
        set_text(body, "currency", changed.currency, sizeof changed.currency);
        set_text(body, "tenant", changed.tenant, sizeof changed.tenant);
        set_text(body, "order_region", changed.order_region, sizeof changed.order_region);
        set_tokens(&world->account.tokens, body);
        world->settings = changed;
    }
    reply_json(reply, 200, settings_json(&world->settings));
}
