/* The id cache: contacts and products that are done, many in one round trip. */
#include "ledger/handle.h"

#include <stdio.h>
#include <string.h>

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

void ledger_peek_read(struct ledger_peek *peek, const redisReply *reply)
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

static int queue_peeks(struct ledger *ledger, struct text account, const struct ledger_peek *peeks,
                       int count, struct error *err)
{
    for (int i = 0; i < count; i++) {
        if (queue_peek(ledger, account, &peeks[i], err) != 0) {
            redis_close(ledger->redis); /* with what is queued already */
            return -1;
        }
    }
    return 0;
}

static int read_peeks(struct ledger *ledger, struct ledger_peek *peeks, int count,
                      struct error *err)
{
    for (int i = 0; i < count; i++) {
        redisReply *reply = redis_next(ledger->redis, err);

        if (reply == NULL)
            return -1;
        ledger_peek_read(&peeks[i], reply);
        freeReplyObject(reply);
    }
    return 0;
}

static int peek_some(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err)
{
    if (ledger_ready(ledger, err) != 0 || queue_peeks(ledger, account, peeks, count, err) != 0)
        return -1;
    return read_peeks(ledger, peeks, count, err);
}

redisReply *ledger_script_and_peek(struct ledger *ledger, const struct redis_script *script,
                                   const struct ledger_arguments *arguments, struct text account,
                                   struct ledger_peek *peeks, int count, struct error *err)
{
    redisReply *reply;

    if (redis_script_queue(ledger->redis, script, arguments->count, arguments->data,
                           arguments->lengths, err) != 0 ||
        queue_peeks(ledger, account, peeks, count, err) != 0 ||
        (reply = redis_next(ledger->redis, err)) == NULL)
        return NULL;
    if (read_peeks(ledger, peeks, count, err) != 0) {
        freeReplyObject(reply);
        return NULL;
    }
    if (redis_script_unknown(reply)) {
        freeReplyObject(reply);
        return redis_script_run(ledger->redis, script, arguments->count, arguments->data,
                                arguments->lengths, err);
    }
    if (redis_reply_check(reply, err) != 0) {
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

int ledger_peek_many(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err)
{
    for (int i = 0; i < count; i += LEDGER_PIPELINE_MAX) {
        int some = count - i < LEDGER_PIPELINE_MAX ? count - i : LEDGER_PIPELINE_MAX;
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
