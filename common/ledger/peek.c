/* peek.c - the id cache: asks for contacts, products and tags that are made already, many in one round
 * trip, alone or behind a script. The connection must be ready. */
#include "ledger/handle.h"

#include <stdio.h>
#include <string.h>

static int queue_peek(struct ledger *ledger, struct text account, const struct ledger_peek *peek,
                      struct error *err)
{
    char key[LEDGER_KEY_BYTES];
    char field[16];
    const char *get[] = {"HMGET", key, "state", "digest", field};

    snprintf(field, sizeof(field), "s:%s", ledger_kind_name(peek->kind));

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
        return; /* otherwise it is no id, but "refused" or "in_doubt" */
    snprintf(peek->known_id, sizeof(peek->known_id), "%s", values[2]);
    if (strcmp(values[0], "done") == 0 &&
        (peek->digest == NULL || strcmp(values[1], peek->digest) == 0))
        snprintf(peek->result, sizeof(peek->result), "%s", values[2]);
}

int ledger_queue_peeks(struct ledger *ledger, struct text account, const struct ledger_peek *peeks,
                       int count, struct error *err)
{
    for (int i = 0; i < count; i++) {
        if (queue_peek(ledger, account, &peeks[i], err) != 0) {
            redis_close(ledger->redis); /* together with what is queued already */
            return -1;
        }
    }
    return 0;
}

int ledger_read_peeks(struct ledger *ledger, struct ledger_peek *peeks, int count,
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

redisReply *ledger_script_and_peek(struct ledger *ledger, const struct redis_script *script,
                                   const struct ledger_arguments *arguments, struct text account,
                                   struct ledger_peek *peeks, int count, struct error *err)
{
    redisReply *reply;

    if (redis_script_queue(ledger->redis, script, arguments->count, arguments->data,
                           arguments->lengths, err) != 0 ||
        ledger_queue_peeks(ledger, account, peeks, count, err) != 0 ||
        (reply = redis_next(ledger->redis, err)) == NULL)
        return NULL;
    if (ledger_read_peeks(ledger, peeks, count, err) != 0) {
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
