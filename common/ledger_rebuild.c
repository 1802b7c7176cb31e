/* The id cache, and the rebuild of a lost ledger: calls that take many entries go through one
 * pipeline. */
#include "ledger_handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum {
    REBUILD_LOCK_MS = 60000,
    PIPELINE_MAX = 256, /* commands under way at once: bounds the memory on both sides */
};

/* Cached ids */

static int queue_peek(struct ledger *ledger, struct text account, const struct ledger_peek *peek,
                      struct error *err)
{
    char key[LEDGER_KEY_BYTES];
    const char *field = peek->kind == LEDGER_CONTACT ? "s:contact" : "s:product";
    const char *get[] = {"HMGET", key, "state", "digest", field};

    if (ledger_entry_key(key, ledger->settings.prefix, account, peek->kind, peek->id, err) != 0)
        return -1;
    return redis_queue(ledger->redis, 5, get, NULL, err);
}

/* A damaged entry is not known here: acquire reports it, for one order. */
static void read_peek(struct ledger_peek *peek, const redisReply *reply)
{
    const char *values[3];

    peek->result[0] = '\0';
    peek->known_id[0] = '\0';
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        return;
    for (size_t i = 0; i < 3; i++)
        values[i] = reply->element[i]->type == REDIS_REPLY_STRING ? reply->element[i]->str : "";
    if (values[2][0] < '0' || values[2][0] > '9' || strlen(values[2]) >= sizeof(peek->known_id))
        return; /* not an id: "refused", "in_doubt" */
    snprintf(peek->known_id, sizeof(peek->known_id), "%s", values[2]);
    if (strcmp(values[0], "done") == 0 &&
        (peek->digest == NULL || strcmp(values[1], peek->digest) == 0))
        snprintf(peek->result, sizeof(peek->result), "%s", values[2]);
}

static int peek_some(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err)
{
    if (ledger_ready(ledger, err) != 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (queue_peek(ledger, account, &peeks[i], err) != 0) {
            redis_close(ledger->redis);
            return -1;
        }
    }
    for (int i = 0; i < count; i++) {
        redisReply *reply = redis_next(ledger->redis, err);

        if (reply == NULL)
            return -1;
        read_peek(&peeks[i], reply);
        freeReplyObject(reply);
    }
    return 0;
}

int ledger_peek_many(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err)
{
    for (int i = 0; i < count; i += PIPELINE_MAX) {
        int some = count - i < PIPELINE_MAX ? count - i : PIPELINE_MAX;
        int idle = redis_connected(ledger->redis);

        if (peek_some(ledger, account, peeks + i, some, err) == 0)
            continue;
        if (!idle || redis_connected(ledger->redis) || !redis_was_closed(ledger->redis))
            return error_prefix(err, "ledger peek: ");
        error_clear(err);
        if (peek_some(ledger, account, peeks + i, some, err) != 0)
            return error_prefix(err, "ledger peek: ");
    }
    return 0;
}

int ledger_forget(struct ledger *ledger, struct text account, enum ledger_kind kind, struct text id,
                  const char *stale_id, struct error *err)
{
    char key[LEDGER_KEY_BYTES];
    const char *data[8];
    size_t lengths[8];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    redisReply *reply;

    if (ledger_entry_key(key, ledger->settings.prefix, account, kind, id, err) != 0)
        return -1;
    ledger_add_string(&arguments, "2");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, key);
    ledger_add_string(&arguments, ledger_kind_name(kind));
    ledger_add_string(&arguments, stale_id);
    reply = ledger_run(ledger, SCRIPT_FORGET, &arguments, err);
    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    return 0;
}

/* Rebuild */

/* A short script call on marker and lock. The caller frees the reply. */
static redisReply *run_locked(struct ledger *ledger, enum ledger_script script, const char *token,
                              const char *second, const char *third, const char *fourth,
                              struct error *err)
{
    const char *data[8];
    size_t lengths[8];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};

    ledger_add_string(&arguments, "2");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, ledger->lock_key);
    ledger_add_string(&arguments, token);
    ledger_add_string(&arguments, second);
    ledger_add_string(&arguments, third);
    ledger_add_string(&arguments, fourth);
    return ledger_run(ledger, script, &arguments, err);
}

int ledger_rebuild_lock(struct ledger *ledger, int *taken, struct error *err)
{
    char ttl[24];
    char token[LEDGER_TOKEN_BYTES];
    int renew;
    redisReply *reply;

    if (ledger_ready(ledger, err) != 0) /* first: a new server makes us forget the lock */
        return -1;
    renew = ledger->lock_token[0] != '\0';
    if (renew)
        memcpy(token, ledger->lock_token, sizeof(token));
    else
        snprintf(token, sizeof(token), "%s-%u", ledger->owner, ++ledger->lock_count);
    snprintf(ttl, sizeof(ttl), "%d", REBUILD_LOCK_MS);
    reply = run_locked(ledger, SCRIPT_LOCK, token, ttl, renew ? "1" : "0", "", err);
    if (reply == NULL)
        return -1;
    *taken = ledger_element_int(reply, 0, 0) == 1;
    freeReplyObject(reply);
    if (*taken)
        memcpy(ledger->lock_token, token, sizeof(token));
    else
        ledger->lock_token[0] = '\0';
    return 0;
}

static int queue_fill(struct ledger *ledger, const struct ledger_fill *fill, struct error *err)
{
    static const char *const words[] = {[LEDGER_FINISH_DONE] = "done",
                                        [LEDGER_FINISH_DEAD] = "dead",
                                        [LEDGER_FINISH_WITHDRAWN] = "withdrawn"};
    char key[LEDGER_KEY_BYTES];
    const char *data[LEDGER_ARGUMENTS_MAX];
    size_t lengths[LEDGER_ARGUMENTS_MAX];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    int room = (LEDGER_ARGUMENTS_MAX - 16) / 2;
    int steps = fill->step_count < room ? fill->step_count : room;

    if (ledger_entry_key(key, ledger->settings.prefix, fill->account, LEDGER_ORDER, fill->key,
                         err) != 0)
        return -1;
    ledger_add_string(&arguments, "EVALSHA");
    ledger_add_string(&arguments, ledger->scripts[SCRIPT_FILL].sha);
    ledger_add_string(&arguments, "3");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, key);
    ledger_add_string(&arguments, ledger->lock_key);
    ledger_add_string(&arguments, ledger->lock_token);
    ledger_add_string(&arguments, words[fill->state]);
    ledger_add_number(&arguments, fill->modified_at < 0 ? 0 : fill->modified_at);
    ledger_add_string(&arguments, fill->digest);
    ledger_add_string(&arguments, fill->reason);
    ledger_add_number(&arguments, ledger->settings.keep_ms);
    for (int i = 0; i < steps; i++) {
        ledger_add_string(&arguments, fill->steps[i].name);
        ledger_add_string(&arguments, fill->steps[i].result);
    }
    return redis_queue(ledger->redis, arguments.count, data, lengths, err);
}

/* One answer to a fill. @returns 0; 1 where the server does not know the script; -1 with err set.
 */
static int read_fill(struct redisReply *reply, struct error *err)
{
    struct error own = {0};

    if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0)
        return 1;
    if (redis_reply_check(reply, &own) != 0) {
        if (own.kind == ERROR_PERMANENT) {
            log_warn("ledger entry not filled in, it is damaged error=\"%s\"", own.text);
            return 0;
        }
        return error_set(err, own.kind, "%s", own.text);
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        strcmp(reply->element[0]->str, "FENCED") == 0)
        return error_set(err, ERROR_TEMPORARY, "ledger: the rebuild lock was lost");
    return 0;
}

/* @returns 0, 1 (load the script and repeat: filling twice is harmless) or -1 */
static int fill_some(struct ledger *ledger, const struct ledger_fill *fills, int count,
                     struct error *err)
{
    int rc = 0;

    for (int i = 0; i < count; i++) {
        if (queue_fill(ledger, &fills[i], err) != 0) {
            redis_close(ledger->redis);
            return -1;
        }
    }
    for (int i = 0; i < count; i++) {
        redisReply *reply = redis_next(ledger->redis, err);
        int one;

        if (reply == NULL)
            return -1;
        one = read_fill(reply, err);
        if (rc == 0)
            rc = one;
        freeReplyObject(reply);
    }
    return rc;
}

int ledger_rebuild_fill(struct ledger *ledger, const struct ledger_fill *fills, int count,
                        struct error *err)
{
    for (int i = 0; i < count; i += PIPELINE_MAX) {
        int some = count - i < PIPELINE_MAX ? count - i : PIPELINE_MAX;
        int rc;

        if (ledger_ready(ledger, err) != 0)
            return -1;
        if (ledger->lock_token[0] == '\0')
            return error_set(err, ERROR_TEMPORARY, "ledger: the rebuild lock was lost");
        rc = fill_some(ledger, fills + i, some, err);
        if (rc == 1) {
            if (redis_script_load(ledger->redis, &ledger->scripts[SCRIPT_FILL], err) != 0)
                return -1;
            rc = fill_some(ledger, fills + i, some, err);
            if (rc == 1)
                return error_set(err, ERROR_TEMPORARY, "ledger: Redis forgets its scripts");
        }
        if (rc != 0)
            return error_prefix(err, "ledger rebuild: ");
    }
    return 0;
}

static int seal(struct ledger *ledger, int first, enum ledger_answer *answer, struct error *err)
{
    char keep[24];
    redisReply *reply;
    int rc;

    *answer = LEDGER_FENCED;
    if (ledger_ready(ledger, err) != 0)
        return -1;
    if (ledger->lock_token[0] == '\0')
        return 0;
    snprintf(keep, sizeof(keep), "%lld", (long long)ledger->settings.keep_ms);
    reply = run_locked(ledger, SCRIPT_SEAL, ledger->lock_token, ledger->run, keep, first ? "1" : "",
                       err);
    if (reply == NULL)
        return -1;
    rc = ledger_answer_of(reply, answer, err);
    ledger->lock_token[0] = '\0';
    freeReplyObject(reply);
    return rc;
}

int ledger_rebuild_finish(struct ledger *ledger, enum ledger_answer *answer, struct error *err)
{
    return seal(ledger, 0, answer, err);
}

int ledger_start(struct ledger *ledger, int *started, struct error *err)
{
    enum ledger_answer answer = LEDGER_FENCED;
    int taken;

    *started = 0;
    if (ledger_rebuild_lock(ledger, &taken, err) != 0)
        return -1;
    if (taken && seal(ledger, 1, &answer, err) != 0)
        return -1;
    *started = answer == LEDGER_OK;
    return 0;
}

int ledger_distrust(struct ledger *ledger, struct error *err)
{
    const char *data[2];
    size_t lengths[2];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    redisReply *reply;

    ledger_add_string(&arguments, "1");
    ledger_add_string(&arguments, ledger->marker_key);
    reply = ledger_run(ledger, SCRIPT_DISTRUST, &arguments, err);
    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    return 0;
}
