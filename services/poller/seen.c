#include "seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

enum { SCORE_BYTES = 24 };

void seen_mark_init(struct seen_mark *mark, int64_t id, int64_t seen_at_ms, struct text bytes)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    int used = snprintf(mark->member, sizeof(mark->member), "%lld:", (long long)id);

    EVP_Digest(bytes.data != NULL ? bytes.data : "", bytes.length, digest, NULL, EVP_sha256(),
               NULL);
    for (int i = 0; i < 16; i++) {
        mark->member[used++] = hex[digest[i] >> 4];
        mark->member[used++] = hex[digest[i] & 15];
    }
    mark->member[used] = '\0';
    mark->seen_at_ms = seen_at_ms;
}

void seen_mark_of(struct seen_mark *mark, int64_t id, int64_t seen_at_ms, const char *digest)
{
    snprintf(mark->member, sizeof(mark->member), "%lld:%s", (long long)id, digest);
    mark->seen_at_ms = seen_at_ms;
}

const char *seen_digest(const struct seen_mark *mark) { return strchr(mark->member, ':') + 1; }

int seen_check(struct redis *redis, const char *key, const struct seen_mark *marks, int count,
               char *known, struct error *err)
{
    int queued = 0, answer = 0;

    for (int i = 0; i < count && answer == 0; i++) {
        const char *arguments[] = {"ZSCORE", key, marks[i].member};

        answer = redis_queue(redis, 3, arguments, NULL, err);
        queued += answer == 0;
    }
    for (int i = 0; i < queued; i++) {
        redisReply *reply = redis_next(redis, err);

        if (reply == NULL)
            return -1;
        if (redis_reply_check(reply, err) != 0)
            answer = -1;
        known[i] = reply->type == REDIS_REPLY_STRING;
        freeReplyObject(reply);
    }
    return answer;
}

/* Sends a command whose reply tells nothing. */
static int tell(struct redis *redis, int count, const char **arguments, struct error *err)
{
    redisReply *reply = redis_command_argv(redis, count, arguments, NULL, err);

    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    return 0;
}

int seen_add(struct redis *redis, const char *key, const struct seen_mark *marks, int count,
             int64_t before_ms, int64_t keep_ms, struct error *err)
{
    const char **arguments = mem_alloc((2 + 2 * (size_t)count) * sizeof(*arguments));
    char(*scores)[SCORE_BYTES] = mem_alloc((size_t)count * SCORE_BYTES);
    char limit[SCORE_BYTES + 1], keep[SCORE_BYTES];
    const char *trim[] = {"ZREMRANGEBYSCORE", key, "-inf", limit};
    const char *expire[] = {"PEXPIRE", key, keep};
    int answer = 0;

    arguments[0] = "ZADD";
    arguments[1] = key;
    for (int i = 0; i < count; i++) {
        snprintf(scores[i], SCORE_BYTES, "%lld", (long long)marks[i].seen_at_ms);
        arguments[2 + 2 * i] = scores[i];
        arguments[3 + 2 * i] = marks[i].member;
    }
    snprintf(limit, sizeof(limit), "(%lld", (long long)before_ms);
    snprintf(keep, sizeof(keep), "%lld", (long long)keep_ms);
    if (count > 0)
        answer = tell(redis, 2 + 2 * count, arguments, err);
    if (answer == 0)
        answer = tell(redis, 4, trim, err);
    if (answer == 0)
        answer = tell(redis, 3, expire, err);
    free(scores);
    free(arguments);
    return answer;
}
