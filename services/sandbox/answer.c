#include "answer.h"

#include <string.h>

#include "base/mem.h"
#include "blank.h"

static int starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Returns the side that a path belongs to (-1: none) and the path after the base of that side. */
static int side_of(const struct request *request, const char **path, const char **store)
{
    *path = request->path;
    *store = "";
    if (strcmp(request->path, "/token") == 0)
        return SIDE_INFUSIONSOFT;
    if (starts_with(request->path, ACCOUNT_BASE "/")) {
        *path = request->path + strlen(ACCOUNT_BASE);
        return SIDE_INFUSIONSOFT;
    }
    if (starts_with(request->path, "/stores/")) {
        const char *rest = strchr(request->path + strlen("/stores/"), '/');
        *path = rest == NULL ? "" : rest;
        *store = request_segment(request, 1);
        return SIDE_BIGCOMMERCE;
    }
    return starts_with(request->path, "/sandbox/") ? SIDE_CONTROL : -1;
}

/* Makes the answer of a fault that keeps the request from having an effect. */
static void reply_instead(enum side side, const struct fault *fault, struct reply *reply)
{
    if (fault->kind == FAULT_HTML && fault->body == NULL) {
        static const char page[] = "<html><head><title>Bad Gateway</title></head>"
                                   "<body><h1>Bad Gateway</h1></body></html>\n";
        reply_text(reply, fault->status, page, sizeof page - 1);
    } else if (fault->body != NULL) {
        reply_text(reply, fault->status, fault->body, strlen(fault->body));
    } else if (side == SIDE_BIGCOMMERCE) {
        reply_bc_title(reply, fault->status, "Fault of the sandbox");
    } else if (fault->status == 429) {
        reply_fault(reply, 429, "Rate limit quota violation. Quota limit exceeded.",
                    "policies.ratelimit.QuotaViolation");
    } else {
        reply_is_error(reply, fault->status, "Fault of the sandbox");
    }
    if (fault->kind == FAULT_HTML)
        reply->type = "text/html";
}

static void add_fault_headers(const struct fault *fault, struct reply *reply)
{
    const char *name;
    json_t *value;

    json_object_foreach(fault->headers, name, value)
    {
        if (strcasecmp(name, "Content-Type") != 0)
            reply_header(reply, name, "%s", json_string_value(value));
        else if (strstr(json_string_value(value), "html") != NULL)
            reply->type = "text/html";
    }
}

/* Replaces the answer by one that is not JSON. */
static void spoil(const struct fault *fault, struct reply *reply)
{
    static const char garbage[] = "{\"id\": \"97\x80\xff, [}";

    buffer_reset(&reply->body);
    if (fault->body != NULL)
        buffer_append(&reply->body, fault->body, strlen(fault->body));
    else
        buffer_append(&reply->body, garbage, sizeof garbage - 1);
}

static int has_effect(const struct fault *fault)
{
    return fault == NULL || (fault->kind != FAULT_STATUS && fault->kind != FAULT_HTML &&
                             fault->kind != FAULT_DROP_BEFORE);
}

static void apply_fault(enum side side, const struct fault *fault, struct reply *reply,
                        struct answer *answer)
{
    answer->kind = fault->kind;
    if (fault->kind == FAULT_SLOW)
        answer->pause_ms = fault->delay_ms;
    else
        answer->delay_ms += fault->delay_ms;
    if (fault->kind == FAULT_DROP_BEFORE || fault->kind == FAULT_DROP_AFTER)
        answer->drop = 1;
    else if (fault->kind == FAULT_STATUS || fault->kind == FAULT_HTML)
        reply_instead(side, fault, reply);
    else if (fault->kind == FAULT_GARBAGE)
        spoil(fault, reply);
    else if (fault->kind == FAULT_BLANK)
        blank_reply(reply, fault->drawn);
    add_fault_headers(fault, reply);
}

static void answer_side(struct world *world, enum side side, const struct request *request,
                        const char *path, const char *store, struct reply *reply,
                        struct answer *answer)
{
    const struct fault *fault = faults_meet(&world->faults, side, request, path, store);

    world->requests[side]++;
    if (side == SIDE_INFUSIONSOFT)
        answer->delay_ms = world->settings.answer_delay_ms;
    if (has_effect(fault)) {
        if (side == SIDE_INFUSIONSOFT)
            account_answer(world, request, reply);
        else
            store_answer(world, request, reply);
    }
    if (fault != NULL)
        apply_fault(side, fault, reply, answer);
    journal_request(&world->journal, side, request, answer->drop ? 0 : reply->status,
                    &reply->effect, fault == NULL ? NULL : fault_kind_name(fault->kind));
}

void answer_make(struct world *world, struct request *request, struct reply *reply,
                 struct answer *answer)
{
    const char *path, *store;
    int side = side_of(request, &path, &store);

    *answer = (struct answer){0};
    request_parse_body(request);
    pthread_mutex_lock(&world->lock);
    if (side == SIDE_CONTROL)
        control_answer(world, request, reply);
    else if (side >= 0)
        answer_side(world, (enum side)side, request, path, store, reply, answer);
    else if (strcmp(request->path, "/healthz") == 0)
        reply_json(reply, 200, json_pack("{s:s}", "status", "ok"));
    else
        reply_json(reply, 404, json_pack("{s:s}", "error", "neither store, account nor sandbox"));
    pthread_mutex_unlock(&world->lock);
}
