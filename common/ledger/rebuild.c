/* rebuild.c - the rebuild of a lost ledger: many entries through one pipeline. */
#include "ledger/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/note.h"

enum { REBUILD_LOCK_MS = 60000 };

/* Runs a short script on marker and lock, after ledger_ready(). The caller frees the reply. */
static redisReply *run_locked(struct ledger *ledger, enum ledger_script script, const char *token,
                              const char *second, const char *third, const char *fourth,
                              int64_t fifth, struct error *err)
{
    const char *data[8];
    size_t lengths[8];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    redisReply *reply;

    ledger_add_string(&arguments, "2");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, ledger->lock_key);
    ledger_add_string(&arguments, token);
    ledger_add_string(&arguments, second);
    ledger_add_string(&arguments, third);
    ledger_add_string(&arguments, fourth);
    ledger_add_number(&arguments, fifth);
    if (ledger->lock_token[0] == '\0')
        return ledger_run(ledger, script, &arguments, err);
    /* With a lock in hand the script is not repeated on a new connection. That may lead to another
     * server, a replica that was promoted for example: the lock is there too, but entries that were
     * filled in may be missing. */
    reply = redis_script_run(ledger->redis, &ledger->scripts[script], arguments.count, data,
                             lengths, err);
    if (reply == NULL)
        error_prefix(err, "ledger rebuild: ");
    return reply;
}

int ledger_rebuild_lock(struct ledger *ledger, int *taken, struct error *err)
{
    char ttl[24];
    char token[LEDGER_TOKEN_BYTES];
    int renew;
    redisReply *reply;

    if (ledger_ready(ledger, err) != 0) /* this comes first, because a new server makes us forget
                                           the lock */
        return -1;
    renew = ledger->lock_token[0] != '\0';
    if (renew)
        memcpy(token, ledger->lock_token, sizeof(token));
    else
        snprintf(token, sizeof(token), "%s-%u", ledger->owner, ++ledger->lock_count);
    snprintf(ttl, sizeof(ttl), "%d", REBUILD_LOCK_MS);
    reply = run_locked(ledger, SCRIPT_LOCK, token, ttl, renew ? "1" : "0", "", 0, err);
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

void ledger_rebuild_leave(struct ledger *ledger)
{
    struct error err = {0};
    char token[LEDGER_TOKEN_BYTES];
    redisReply *reply;

    if (ledger_ready(ledger, &err) != 0 || ledger->lock_token[0] == '\0')
        return;
    memcpy(token, ledger->lock_token, sizeof(token));
    reply = run_locked(ledger, SCRIPT_LOCK, token, "0", "2", "", 0, &err);
    if (reply == NULL)
        return;
    ledger->lock_token[0] = '\0';
    freeReplyObject(reply);
}

/* Adds the fields of a note, with their number in front. */
static void add_note(struct ledger_arguments *arguments, const struct ledger_note *note)
{
    int count = 0;

    for (int i = 0; note != NULL && i < LEDGER_NOTE_FIELD_COUNT; i++)
        count += note->fields[i] != NULL;
    ledger_add_number(arguments, count);
    for (int i = 0; note != NULL && i < LEDGER_NOTE_FIELD_COUNT; i++) {
        if (note->fields[i] == NULL)
            continue;
        ledger_add_string(arguments, ledger_note_field_name((enum ledger_note_field)i));
        ledger_add_string(arguments, note->fields[i]);
    }
}

/* Adds as many fields as there is room for; a usual record has fewer. */
static void add_steps(struct ledger_arguments *arguments, const struct ledger_step *steps,
                      int count)
{
    for (int i = 0; i < count && arguments->count + 2 <= LEDGER_ARGUMENTS_MAX; i++) {
        ledger_add_string(arguments, steps[i].name);
        ledger_add_string(arguments, steps[i].result);
    }
}

static int queue_fill(struct ledger *ledger, const struct ledger_fill *fill, struct error *err)
{
    static const char *const words[] = {[LEDGER_STATE_OPEN] = "open",
                                        [LEDGER_STATE_DONE] = "done",
                                        [LEDGER_STATE_DEAD] = "dead",
                                        [LEDGER_STATE_WITHDRAWN] = "withdrawn"};
    char key[LEDGER_KEY_BYTES];
    const char *data[LEDGER_ARGUMENTS_MAX];
    size_t lengths[LEDGER_ARGUMENTS_MAX];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    const struct ledger_note *note = fill->note;
    int exact = note != NULL && !fill->is_careful;

    if (ledger_entry_key(key, ledger->settings.prefix, fill->account, LEDGER_ORDER, fill->key,
                         err) != 0)
        return -1;
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
    ledger_add_string(&arguments, exact                              ? "exact"
                                  : fill->state == LEDGER_STATE_OPEN ? "careful"
                                                                     : "");
    add_note(&arguments, note);
    add_steps(&arguments, fill->steps, fill->step_count);
    if (note != NULL)
        add_steps(&arguments, note->steps, note->step_count);
    return redis_script_queue(ledger->redis, &ledger->scripts[SCRIPT_FILL], arguments.count, data,
                              lengths, err);
}

/* Reads one answer to a fill. @returns 0; 1 where the server does not know the script; -1 with err
 * set */
static int read_fill(struct redisReply *reply, struct error *err)
{
    struct error own = {0};

    if (redis_script_unknown(reply))
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

/* Sends a group of fills and reads their answers. @returns 0; 1: load the script and repeat
 * (filling in twice is harmless); -1 */
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
    for (int i = 0; i < count; i += LEDGER_PIPELINE_MAX) {
        int some = count - i < LEDGER_PIPELINE_MAX ? count - i : LEDGER_PIPELINE_MAX;
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
                       ledger_seen_get(ledger->settings.seen).epoch, err);
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
