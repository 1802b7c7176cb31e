/* api_act.c - what an operator does through the page or the API. The acts themselves are those of the
 * command line; they read the topics and need no index. */
#include "api_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/drop.h"
#include "act/pause.h"
#include "act/retry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "history/duration.h"
#include "history/outside_text.h"

enum { ORDERS_MAX = 500, DROPS_MAX = 50, NAME_MAX_BYTES = 200, WHY_MAX_BYTES = 200 };

/* A member that is a text without control characters; NULL where it is absent. is_wrong: it is there
 * and is none. */
static const char *text_member(const json_t *body, const char *name, size_t length_max,
                               int *is_wrong)
{
    const json_t *value = json_object_get(body, name);
    const char *text = json_string_value(value);

    if (value == NULL)
        return NULL;
    if (text == NULL || text[0] == '\0' || strlen(text) != json_string_length(value) ||
        strlen(text) > length_max)
        *is_wrong = 1;
    for (const char *at = text; at != NULL && *at != '\0'; at++)
        *is_wrong |= (unsigned char)*at < 0x20 || *at == 0x7f;
    return text;
}

static struct act *act_open(const struct worker *worker, const char *why, struct error *err)
{
    char host[65] = "";
    char *who;
    struct act *act;

    gethostname(host, sizeof(host) - 1);
    who = mem_printf("console@%s", host);
    act = act_new(worker->config, who, why, err);
    free(who);
    return act;
}

static void refuse(struct reply *reply, const struct error *err)
{
    if (err->kind == ERROR_PERMANENT)
        reply_error(reply, 409, "refused", "%s", err->text);
    else
        reply_error(reply, 503, "not_now", "%s", err->text);
}

/* What retry is asked for. */
struct wish {
    struct retry_choice choice;
    char (*keys)[ORDER_KEY_BYTES];
    const char *why;
    int is_dry;
};

/* Reads the names of orders. @returns 0, or -1 with the reply made */
static int read_keys(const struct config *config, const json_t *names, int count_max,
                     char (*keys)[ORDER_KEY_BYTES], struct reply *reply)
{
    size_t count = json_array_size(names);
    struct error err = {0};

    if (!json_is_array(names) || count < 1 || count > (size_t)count_max) {
        reply_error(reply, 400, "bad_body", "orders is a list of 1 to %d names of orders.",
                    count_max);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        char *word;
        int rc;

        if (name == NULL || strlen(name) > NAME_MAX_BYTES || name[0] == '\0') {
            reply_error(reply, 400, "bad_body", "orders has something that is no order's name.");
            return -1;
        }
        word = mem_strdup(name);
        rc = order_name_parse(config, &word, 1, keys[i], &err);
        free(word);
        if (rc != 0) {
            reply_error(reply, 404, "unknown_order", "%s", err.text);
            return -1;
        }
    }
    return 0;
}

/* The part of a wish that chooses by list, store, reason and time. @returns 0, or -1 with the reply
 * made */
static int read_filter(const struct config *config, const json_t *body, struct wish *wish,
                       struct reply *reply)
{
    static const char *const names[] = {"dead", "retrying", "waiting"};
    static const unsigned bits[] = {RETRY_DEAD, RETRY_RETRYING, RETRY_WAITING};
    int is_wrong = 0;
    const char *list = text_member(body, "list", NAME_MAX_BYTES, &is_wrong);
    const char *store = text_member(body, "store", NAME_MAX_BYTES, &is_wrong);
    const char *reason = text_member(body, "reason", NAME_MAX_BYTES, &is_wrong);
    const char *since = text_member(body, "since", NAME_MAX_BYTES, &is_wrong);
    struct retry_choice *choice = &wish->choice;
    const struct config_store *found;
    struct error err = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (list != NULL && strcmp(list, names[i]) == 0)
            choice->from = bits[i];
    if (reason != NULL)
        choice->reason = reason_of(reason, strlen(reason));
    if (since != NULL)
        choice->since_ms = since_parse(since, clock_now_ms());
    if (store != NULL && (found = config_store_named(config, store, &err)) != NULL)
        choice->store = found->hash;
    if (is_wrong || choice->from == 0)
        reply_error(reply, 400, "bad_body", "list is dead, retrying or waiting.");
    else if (reason != NULL && choice->reason == REASON_NONE)
        reply_error(reply, 400, "bad_body", "reason is none that is known.");
    else if (choice->since_ms < 0)
        reply_error(reply, 400, "bad_body",
                    "since is an instant such as 2026-01-31T12:00:00Z, or a duration such as 2h.");
    else if (store != NULL && choice->store == NULL)
        reply_error(reply, 404, "unknown_store", "%s", err.text);
    return reply->status == 0 ? 0 : -1;
}

static int read_wish(const struct config *config, const json_t *body, struct wish *wish,
                     struct reply *reply)
{
    const json_t *names = json_object_get(body, "orders");
    const json_t *dry = json_object_get(body, "dry_run");
    int is_wrong = dry != NULL && !json_is_boolean(dry);

    wish->is_dry = json_is_true(dry);
    wish->why = text_member(body, "why", WHY_MAX_BYTES, &is_wrong);
    if (is_wrong) {
        reply_error(reply, 400, "bad_body", "why is a text of up to %d bytes, dry_run a boolean.",
                    WHY_MAX_BYTES);
        return -1;
    }
    if (names == NULL)
        return read_filter(config, body, wish, reply);
    if (json_object_get(body, "list") != NULL || json_object_get(body, "store") != NULL ||
        json_object_get(body, "reason") != NULL || json_object_get(body, "since") != NULL) {
        reply_error(reply, 400, "bad_body", "Orders are chosen by their names or by a list.");
        return -1;
    }
    wish->keys = mem_alloc(ORDERS_MAX * sizeof(*wish->keys));
    if (read_keys(config, names, ORDERS_MAX, wish->keys, reply) != 0)
        return -1;
    wish->choice.from = RETRY_DEAD | RETRY_RETRYING | RETRY_WAITING;
    wish->choice.keys = (const char(*)[ORDER_KEY_BYTES])wish->keys;
    wish->choice.key_count = (int)json_array_size(names);
    return 0;
}

/* Sends what was found, with its two entries in the audit. */
static int carry_out(const struct worker *worker, struct retry *retry, const struct wish *wish,
                     struct error *err)
{
    struct act *act = act_open(worker, wish->why, err);
    int rc = act != NULL ? act_begin(act, "retry", retry_about(retry), err) : -1;

    if (rc == 0) {
        json_t *result;

        rc = retry_send(retry, act, err);
        result = json_pack("{s:I}", "sent", (json_int_t)retry->sent);
        rc = rc == 0 && retry->is_cancelled ? act_end(act, "cancelled", result, err)
                                            : act_finish(act, rc, result, err);
    }
    act_free(act);
    return rc;
}

static json_t *retry_json(const struct retry *retry, const struct wish *wish)
{
    json_t *about = retry_about(retry);
    json_t *reasons = json_object_get(about, "reasons");
    int64_t possible = retry->chosen - retry->refused, missing = 0;
    int64_t count = wish->is_dry ? possible : retry->sent;
    char sentence[160];
    json_t *answer;

    for (int i = 0; i < wish->choice.key_count; i++)
        missing += retry_item_of(retry, wish->choice.keys[i]) == NULL;
    if (retry->is_cancelled)
        snprintf(sentence, sizeof(sentence),
                 "%" PRId64 " of %" PRId64
                 " orders were sent again before the console was stopped.",
                 count, possible);
    else
        snprintf(sentence, sizeof(sentence), "%" PRId64 " order%s %s.", count,
                 count == 1 ? "" : "s",
                 wish->is_dry ? "would be tried again"
                 : count == 1 ? "is on its way again"
                              : "are on their way again");
    answer = json_pack("{s:b, s:I, s:I, s:O, s:s}", "dry_run", wish->is_dry, "count",
                       (json_int_t)count, "refused", (json_int_t)(retry->refused + missing),
                       "counts", mem_check(reasons), "sentence", sentence);
    json_decref(about);
    return mem_check(answer);
}

void api_retry(void *data, const struct request *request, struct reply *reply)
{
    const struct worker *worker = data;
    json_t *body = api_read_body(request, "|orders|list|store|reason|since|dry_run|why|", reply);
    struct wish wish = {0};
    struct error err = {0};
    struct retry retry;

    if (body != NULL && read_wish(worker->config, body, &wish, reply) == 0) {
        retry_init(&retry, worker->config, &wish.choice);
        if (retry_find(&retry, &err) == 0 && !wish.is_dry && retry.chosen > retry.refused)
            carry_out(worker, &retry, &wish, &err);
        if (err.kind != ERROR_NONE)
            refuse(reply, &err);
        else
            api_give(reply, retry_json(&retry, &wish));
        retry_clear(&retry);
    }
    free(wish.keys);
    json_decref(body);
}

/* Drops each order; one that is refused does not keep the others. */
static void drop_all(const struct worker *worker, struct act *act, char (*keys)[ORDER_KEY_BYTES],
                     size_t count, struct reply *reply)
{
    json_t *refused = mem_check(json_array());
    size_t done = 0;
    char name[ORDER_NAME_BYTES], sentence[160];

    for (size_t i = 0; i < count; i++) {
        struct error err = {0};

        if (drop_order(act, keys[i], &err) == 0)
            done++;
        else
            json_array_append_new(
                refused, mem_check(json_pack("{s:o, s:o}", "order",
                                             outside_text_json(text_of(
                                                 order_name_print(worker->config, keys[i], name))),
                                             "error", outside_text_json(text_of(err.text)))));
    }
    snprintf(sentence, sizeof(sentence), "%zu of %zu order%s dropped.", done, count,
             count == 1 ? " was" : "s were");
    api_give(reply, mem_check(json_pack("{s:I, s:o, s:s}", "count", (json_int_t)done, "refused",
                                        refused, "sentence", sentence)));
}

void api_drop(void *data, const struct request *request, struct reply *reply)
{
    const struct worker *worker = data;
    json_t *body = api_read_body(request, "|orders|why|", reply);
    json_t *names = json_object_get(body, "orders");
    char(*keys)[ORDER_KEY_BYTES] = mem_alloc(DROPS_MAX * sizeof(*keys));
    struct error err = {0};
    struct act *act = NULL;
    int is_wrong = 0;
    const char *why = text_member(body, "why", WHY_MAX_BYTES, &is_wrong);

    if (body == NULL)
        ;
    else if (why == NULL || is_wrong)
        reply_error(reply, 400, "bad_body", "why must say the reason, in up to %d bytes.",
                    WHY_MAX_BYTES);
    else if (read_keys(worker->config, names, DROPS_MAX, keys, reply) == 0) {
        act = act_open(worker, why, &err);
        if (act != NULL)
            drop_all(worker, act, keys, json_array_size(names), reply);
        else
            refuse(reply, &err);
    }
    act_free(act);
    free(keys);
    json_decref(body);
}

/* What is to be paused. @returns 0, or -1 with the reply made */
static int read_target(const struct config *config, const json_t *body, struct pause_target *target,
                       const char **why, struct reply *reply)
{
    int is_wrong = 0;
    const char *store = text_member(body, "store", NAME_MAX_BYTES, &is_wrong);
    const char *account = text_member(body, "account", NAME_MAX_BYTES, &is_wrong);
    struct error err = {0};
    char *word;
    int rc;

    *why = text_member(body, "why", WHY_MAX_BYTES, &is_wrong);
    if (is_wrong || (store == NULL) == (account == NULL)) {
        reply_error(reply, 400, "bad_body", "Name a store or an account, and why as a text.");
        return -1;
    }
    word =
        mem_printf("%s:%s", store != NULL ? "store" : "account", store != NULL ? store : account);
    rc = pause_target_find(config, word, target, &err);
    free(word);
    if (rc != 0)
        reply_error(reply, 404, "unknown_target", "%s", err.text);
    return rc;
}

static void set_paused(const struct worker *worker, const struct request *request, int is_paused,
                       struct reply *reply)
{
    json_t *body = api_read_body(request, "|store|account|why|", reply);
    struct pause_target target;
    struct error err = {0};
    struct act *act;
    char sentence[160];
    const char *why;
    int changed = 0;

    if (body != NULL && read_target(worker->config, body, &target, &why, reply) == 0) {
        act = act_open(worker, why, &err);
        if (act != NULL && pause_set(act, &target, is_paused, &changed, &err) == 0) {
            snprintf(sentence, sizeof(sentence), "%s %.80s %s%s.",
                     target.kind == PAUSED_STORE ? "Store" : "Account", target.shown,
                     is_paused ? "is paused" : "goes on", changed ? "" : ", as before");
            api_give(reply, mem_check(json_pack("{s:b, s:o}", "changed", changed, "sentence",
                                                outside_text_json(text_of(sentence)))));
        } else
            refuse(reply, &err);
        act_free(act);
    }
    json_decref(body);
}

void api_pause(void *worker, const struct request *request, struct reply *reply)
{
    set_paused(worker, request, 1, reply);
}

void api_resume(void *worker, const struct request *request, struct reply *reply)
{
    set_paused(worker, request, 0, reply);
}
