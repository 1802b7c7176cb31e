#include "catalog_marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NUMBER_BYTES = 24, VALUE_BYTES = DIGEST_BYTES + NUMBER_BYTES };

void catalog_mark_parse(struct catalog_mark *mark, struct text value)
{
    const size_t digits = DIGEST_BYTES - 1;

    mark->digest[0] = '\0';
    mark->version = 0;
    if (value.length <= digits || value.data[digits] != ':' ||
        text_to_int((struct text){value.data + DIGEST_BYTES, value.length - DIGEST_BYTES},
                    &mark->version) != 0 ||
        mark->version < 0) {
        mark->version = 0;
        return;
    }
    memcpy(mark->digest, value.data, digits);
    mark->digest[digits] = '\0';
}

/* The ids as text, for a command. New. */
static char (*print_ids(const struct catalog_mark *marks, int count))[NUMBER_BYTES]
{
    char(*ids)[NUMBER_BYTES] = mem_alloc((size_t)count * NUMBER_BYTES + 1);

    for (int i = 0; i < count; i++)
        snprintf(ids[i], NUMBER_BYTES, "%lld", (long long)marks[i].id);
    return ids;
}

int catalog_marks_read(struct redis *redis, const char *key, struct catalog_mark *marks, int count,
                       struct error *err)
{
    const char **arguments = mem_alloc((2 + (size_t)count) * sizeof(*arguments));
    char(*ids)[NUMBER_BYTES] = print_ids(marks, count);
    redisReply *reply;

    arguments[0] = "HMGET";
    arguments[1] = key;
    for (int i = 0; i < count; i++)
        arguments[2 + i] = ids[i];
    reply = redis_command_argv(redis, 2 + count, arguments, NULL, err);
    for (int i = 0; reply != NULL && i < count; i++) {
        const redisReply *one = (size_t)i < reply->elements ? reply->element[i] : NULL;
        struct text value = {0};

        if (one != NULL && one->type == REDIS_REPLY_STRING)
            value = (struct text){one->str, one->len};
        catalog_mark_parse(&marks[i], value);
    }
    free(ids);
    free(arguments);
    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    return 0;
}

int catalog_marks_write(struct redis *redis, const char *key, const struct catalog_mark *marks,
                        int count, int64_t keep_ms, struct error *err)
{
    const char **arguments = mem_alloc((2 + 2 * (size_t)count) * sizeof(*arguments));
    char(*ids)[NUMBER_BYTES] = print_ids(marks, count);
    char(*values)[VALUE_BYTES] = mem_alloc((size_t)count * VALUE_BYTES + 1);
    redisReply *reply;

    arguments[0] = "HSET";
    arguments[1] = key;
    for (int i = 0; i < count; i++) {
        snprintf(values[i], VALUE_BYTES, "%s:%lld", marks[i].digest, (long long)marks[i].version);
        arguments[2 + 2 * i] = ids[i];
        arguments[3 + 2 * i] = values[i];
    }
    reply = redis_command_argv(redis, 2 + 2 * count, arguments, NULL, err);
    free(values);
    free(ids);
    free(arguments);
    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    reply = redis_command(redis, err, "PEXPIRE %s %lld", key, (long long)keep_ms);
    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    return 0;
}
