/* account.c - receives every request to the account: checks the credential and the quota, and finds
 * the handler that answers. */
#include "infusionsoft/account.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "world.h"

#define PATTERN_SEGMENTS 6

struct route {
    const char *method;
    const char *pattern; /* path below the base; {} stands for an id */
    void (*handle)(const struct call *call);
};

static const struct route routes[] = {
    {"GET", "contacts", contacts_list},
    {"POST", "contacts", contacts_create},
    {"GET", "contacts/model", model_contacts_get},
    {"POST", "contacts/model/customFields", model_contacts_create},
    {"GET", "contacts/{}", contacts_get},
    {"PATCH", "contacts/{}", contacts_patch},
    {"GET", "contacts/{}/notes", notes_list},
    {"POST", "contacts/{}/notes", notes_create},
    {"GET", "contacts/{}/tags", contact_tags},
    {"GET", "products", products_list},
    {"POST", "products", products_create},
    {"GET", "products/{}", products_get},
    {"PATCH", "products/{}", products_patch},
    {"GET", "orders", orders_list},
    {"POST", "orders", orders_create},
    {"GET", "orders/model", model_orders_get},
    {"POST", "orders/model/customFields", model_orders_create},
    {"GET", "orders/{}", orders_get},
    {"DELETE", "orders/{}", orders_delete},
    {"GET", "orders/{}/payments", payments_list},
    {"POST", "orders/{}/payments", payments_create},
    {"GET", "tags", tags_list},
    {"POST", "tags", tags_create},
    {"GET", "tags/categories", tag_categories_list},
    {"POST", "tags/categories", tag_categories_create},
    {"GET", "tags/{}", tags_get},
    {"GET", "tags/{}/contacts", tags_contacts},
    {"POST", "tags/{}/contacts:applyTags", tags_apply},
    {"POST", "tags/{}/contacts:removeTags", tags_remove},
    {"POST", "automations/goals/achieve", goals_achieve},
    {"GET", "oauth/connect/userinfo", info_user},
    {"GET", "businessProfile", info_business},
    {"GET", "settings/applications:isEnabled", info_enabled},
    {"GET", "settings/applications:getConfiguration", info_configuration},
    {"GET", "locales/countries/{}/provinces", info_provinces},
};

/* The segments 0 to 2 of the path are crm, rest, v2. */
#define BASE_SEGMENTS 3

static int matches(const char *pattern, const struct request *request, const char **id)
{
    int i = BASE_SEGMENTS;

    for (;; i++) {
        size_t length = strcspn(pattern, "/");
        const char *segment = request_segment(request, i);
        if (i >= request->segment_count)
            return 0;
        if (length == 2 && strncmp(pattern, "{}", 2) == 0)
            *id = segment;
        else if (strlen(segment) != length || strncmp(segment, pattern, length) != 0)
            return 0;
        if (pattern[length] == '\0')
            return i + 1 == request->segment_count;
        pattern += length + 1;
    }
}

/* Sets the headers that every answer has, also an answer that refuses. */
static void add_headers(struct world *world, struct reply *reply)
{
    const struct settings *settings = &world->settings;
    const struct limits_used *quota = &world->account.quota;
    int minute = settings->quota.per_min > 0 ? settings->quota.per_min : 1000000;
    int day = settings->quota.per_day > 0 ? settings->quota.per_day : 100000000;
    int64_t now_s = clock_now_ms() / 1000;
    int64_t midnight_ms = (now_s / 86400 + 1) * 86400 * 1000;
    long long minute_used = (long long)quota->minute.count, day_used = (long long)quota->day.count;

    reply_header(reply, "x-keap-product-quota-limit", "%d", day);
    reply_header(reply, "x-keap-product-quota-available", "%lld", day - day_used);
    reply_header(reply, "x-keap-product-quota-used", "%lld", day_used);
    reply_header(reply, "x-keap-product-quota-interval", "1");
    reply_header(reply, "x-keap-product-quota-time-unit", "day");
    reply_header(reply, "x-keap-product-quota-expiry-time", "%lld", (long long)midnight_ms);
    reply_header(reply, "x-keap-product-throttle-limit", "%d", minute);
    reply_header(reply, "x-keap-product-throttle-available", "%lld", minute - minute_used);
    reply_header(reply, "x-keap-product-throttle-used", "%lld", minute_used);
    reply_header(reply, "x-keap-product-throttle-interval", "1");
    reply_header(reply, "x-keap-product-throttle-time-unit", "minute");
    reply_header(reply, "x-keap-tenant-throttle-limit", "1000000");
    reply_header(reply, "x-keap-tenant-throttle-available", "%lld", 1000000 - minute_used);
    reply_header(reply, "x-keap-tenant-throttle-used", "%lld", minute_used);
    reply_header(reply, "x-keap-tenant-throttle-interval", "1");
    reply_header(reply, "x-keap-tenant-throttle-time-unit", "minute");
    reply_header(reply, "x-keap-tenant-id", "%s", settings->tenant);
}

/* Checks the credential. Returns 0 when it is accepted; else it has answered. */
static int authenticate(const struct world *world, const struct request *request,
                        struct reply *reply)
{
    const char *token = request->api_key;

    if (request->bearer != NULL && strncasecmp(request->bearer, "Bearer ", 7) == 0)
        token = request->bearer + 7;
    if (token == NULL || *token == '\0') {
        reply_fault(reply, 401, "Invalid access token", "oauth.v2.InvalidAccessToken");
        return -1;
    }
    if ((world->settings.key_accepted && strcmp(token, ACCOUNT_KEY) == 0) ||
        (request->bearer != NULL && tokens_accept(&world->account.tokens, token, clock_now_ms())))
        return 0;
    reply_fault(reply, 401, "Invalid Access Token", "keymanagement.service.invalid_access_token");
    return -1;
}

/* Refuses with a 429 as the gateway in front of the account does: the request has no effect. */
static int take_quota(struct world *world, struct reply *reply)
{
    switch (limits_take(&world->account.quota, &world->settings.quota, clock_monotonic_ms())) {
    case LIMITS_OK:
        return 0;
    case LIMITS_SPIKE:
        reply_fault(reply, 429,
                    "Spike arrest violation. Allowed rate : MessageRate{capacity="
                    "allowed, period=Seconds}",
                    "policies.ratelimit.SpikeArrestViolation");
        break;
    case LIMITS_MINUTE:
        reply_fault(reply, 429, "Rate limit quota violation. Quota limit exceeded.",
                    "policies.ratelimit.QuotaViolation");
        break;
    default:
        reply_json(
            reply, 429,
            mem_check(json_pack("{s:s,s:s,s:s,s:n}", "code", "429", "message", "Quota Exceeded",
                                "status", "Request Throttled", "details")));
    }
    return -1;
}

int account_is_ecommerce(const struct request *request)
{
    const char *first = request_segment(request, BASE_SEGMENTS);

    return strcmp(first, "orders") == 0 || strcmp(first, "products") == 0;
}

static void route(struct world *world, const struct request *request, struct reply *reply)
{
    struct call call = {.world = world,
                        .account = &world->account,
                        .request = request,
                        .reply = reply,
                        .now_ms = clock_now_ms(),
                        .id = ""};
    int known = 0;

    if (account_is_ecommerce(request) && !world->settings.ecommerce) {
        reply_is_error(reply, 403, "Access denied: e-commerce is not available in this account");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        call.id = "";
        if (!matches(routes[i].pattern, request, &call.id))
            continue;
        known = 1;
        if (strcmp(routes[i].method, request->method) == 0) {
            routes[i].handle(&call);
            return;
        }
    }
    if (known)
        reply_is_error(reply, 405, "Method not allowed");
    else
        reply_is_error(reply, 404, "Resource not found");
}

void account_answer(struct world *world, const struct request *request, struct reply *reply)
{
    if (strcmp(request->path, "/token") == 0) {
        tokens_answer(world, request, reply);
        return;
    }
    if (authenticate(world, request, reply) == 0 && take_quota(world, reply) == 0)
        route(world, request, reply);
    add_headers(world, reply);
}

static void model_init(struct model *model, const char *record_type)
{
    model->record_type = record_type;
    model->fields = mem_check(json_array());
}

static void model_clear(struct model *model)
{
    table_clear(&model->by_name);
    table_clear(&model->by_id);
    json_decref(model->fields);
}

void account_init(struct account *account)
{
    *account = (struct account){0};
    collection_init(&account->contacts, "contacts", 100001);
    collection_init(&account->products, "products", 200001);
    collection_init(&account->orders, "orders", 300001);
    collection_init(&account->tags, "tags", 401);
    collection_init(&account->notes, "notes", 600001);
    collection_init(&account->tag_categories, "tag_categories", 11);
    model_init(&account->contact_model, "CONTACT");
    model_init(&account->order_model, "ORDER");
    account->custom_field_id = 20;
    memcpy(account->tokens.refresh, "sandbox-refresh-1", sizeof "sandbox-refresh-1");
    account->tokens.generation = 1;
}

void account_clear(struct account *account)
{
    collection_clear(&account->contacts);
    collection_clear(&account->products);
    collection_clear(&account->orders);
    collection_clear(&account->tags);
    collection_clear(&account->notes);
    collection_clear(&account->tag_categories);
    model_clear(&account->contact_model);
    model_clear(&account->order_model);
    tokens_revoke_access(&account->tokens);
    limits_clear(&account->quota);
}
