/* server.c - what a Redis server says about itself: whether it is still the one that was written
 * to, and whether it keeps what it acknowledged. */
#include "ledger/server.h"

#include <stdio.h>
#include <string.h>

char *ledger_info_value(char *target, size_t size, const char *info, const char *name)
{
    size_t name_length = strlen(name);
    const char *line = info;

    target[0] = '\0';
    while (line != NULL && *line != '\0') {
        if (strncmp(line, name, name_length) == 0 && line[name_length] == ':') {
            const char *value = line + name_length + 1;

            snprintf(target, size, "%.*s", (int)strcspn(value, "\r\n"), value);
            return target;
        }
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return target;
}

int ledger_facts_vouch(const struct ledger_facts *facts)
{
    return facts->append_only == FACT_YES && facts->fsync_always == FACT_YES &&
           facts->fsync_on_rewrite == FACT_YES && facts->never_promoted == FACT_YES &&
           facts->master == FACT_YES;
}

/* Whether value is the expected one; unknown where the server does not tell it. */
static enum ledger_fact fact_of(const char *value, const char *expected)
{
    if (value[0] == '\0')
        return FACT_UNKNOWN;
    return strcmp(value, expected) == 0 ? FACT_YES : FACT_NO;
}

void ledger_facts_of_info(struct ledger_facts *facts, const char *info)
{
    char value[64], limit[64];

    ledger_info_value(facts->run, sizeof(facts->run), info, "run_id");
    ledger_info_value(facts->version, sizeof(facts->version), info, "redis_version");
    ledger_info_value(value, sizeof(value), info, "aof_enabled");
    facts->append_only = fact_of(value, "1");
    ledger_info_value(value, sizeof(value), info, "role");
    facts->master = fact_of(value, "master");
    ledger_info_value(value, sizeof(value), info, "cluster_enabled");
    facts->cluster = fact_of(value, "1");
    ledger_info_value(value, sizeof(value), info, "master_replid2");
    if (value[0] != '\0')
        facts->never_promoted = strspn(value, "0") == strlen(value) ? FACT_YES : FACT_NO;
    ledger_info_value(limit, sizeof(limit), info, "maxmemory");
    ledger_info_value(value, sizeof(value), info, "maxmemory_policy");
    if (limit[0] != '\0' && value[0] != '\0')
        facts->evicts =
            strcmp(limit, "0") != 0 && strcmp(value, "noeviction") != 0 ? FACT_YES : FACT_NO;
}

/* The value from CONFIG GET, or "" where it is not told, because hosted servers forbid or rename
 * CONFIG. */
static const char *setting(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[1]->type == REDIS_REPLY_STRING)
        return reply->element[1]->str;
    return "";
}

static int read_info(struct ledger_facts *facts, const redisReply *reply, struct error *err)
{
    if (redis_reply_check(reply, err) != 0)
        return error_prefix(err, "INFO, without which the server's run id is not known: ");
    if (reply->type == REDIS_REPLY_STRING)
        ledger_facts_of_info(facts, reply->str);
    if (facts->run[0] == '\0')
        return error_set(err, ERROR_TEMPORARY, "redis: INFO does not tell the run id");
    return 0;
}

int ledger_facts_read(struct redis *redis, struct ledger_facts *facts, struct error *err)
{
    static const char *const names[] = {"appendfsync", "no-appendfsync-on-rewrite"};
    enum { COUNT = 3 };
    const char *info[] = {"INFO"};
    redisReply *replies[COUNT] = {NULL};
    int rc = -1;

    *facts = (struct ledger_facts){0};
    if (redis_queue(redis, 1, info, NULL, err) != 0)
        return -1;
    for (int i = 1; i < COUNT; i++) {
        const char *get[] = {"CONFIG", "GET", names[i - 1]};

        if (redis_queue(redis, 3, get, NULL, err) != 0)
            return -1;
    }
    for (int i = 0; i < COUNT; i++) {
        replies[i] = redis_next(redis, err);
        if (replies[i] == NULL)
            goto out;
    }
    if (read_info(facts, replies[0], err) != 0)
        goto out;
    facts->fsync_always = fact_of(setting(replies[1]), "always");
    facts->fsync_on_rewrite = fact_of(setting(replies[2]), "no");
    rc = 0;
out:
    for (int i = 0; i < COUNT; i++)
        freeReplyObject(replies[i]);
    return rc;
}

/* A fact that could not be read gets a sentence of its own; it does not count as a fault. */
static void warn_unknown(const struct ledger_facts *facts, struct buffer *warnings)
{
    const struct {
        enum ledger_fact fact;
        const char *name;
    } asked[] = {{facts->append_only, "aof_enabled of INFO"},
                 {facts->fsync_always, "appendfsync"},
                 {facts->fsync_on_rewrite, "no-appendfsync-on-rewrite"},
                 {facts->never_promoted, "master_replid2 of INFO"},
                 {facts->evicts, "maxmemory_policy of INFO"}};
    int count = 0;

    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        if (asked[i].fact == FACT_UNKNOWN)
            buffer_printf(warnings, "%s%s", count++ == 0 ? "could not be read: " : ", ",
                          asked[i].name);
    }
    if (count > 0)
        buffer_printf(warnings, " (CONFIG or a part of INFO is not allowed here): what cannot be "
                                "read does not vouch for Redis, so a restart of it means a rebuild "
                                "of the ledger. ");
}

void ledger_facts_warn(const struct ledger_facts *facts, struct buffer *warnings)
{
    if (facts->append_only == FACT_NO)
        buffer_printf(warnings,
                      "appendonly is off: a restart of Redis means a rebuild of the ledger. ");
    if (facts->fsync_always == FACT_NO)
        buffer_printf(warnings, "appendfsync is not always: a restart of Redis means a rebuild of "
                                "the ledger, a crash may lose what it acknowledged. ");
    if (facts->fsync_on_rewrite == FACT_NO)
        buffer_printf(warnings,
                      "no-appendfsync-on-rewrite is not no: a crash while Redis rewrites its file "
                      "may lose what it acknowledged. ");
    if (facts->never_promoted == FACT_NO)
        buffer_printf(warnings,
                      "Redis was a replica once: a restart means a rebuild of the ledger. ");
    if (facts->evicts == FACT_YES)
        buffer_printf(warnings,
                      "maxmemory-policy is not noeviction: Redis may drop entries that guard "
                      "against doubles. ");
    warn_unknown(facts, warnings);
}

int ledger_look(struct redis *redis, const char *prefix, struct ledger_look *look,
                struct error *err)
{
    redisReply *marker = redis_command(redis, err, "HMGET %s:ledger born_at writes", prefix);
    redisReply *lock =
        marker != NULL ? redis_command(redis, err, "EXISTS %s:ledger-rebuild", prefix) : NULL;
    int rc = marker != NULL && lock != NULL ? 0 : -1;

    *look = (struct ledger_look){0};
    if (rc == 0 && marker->type == REDIS_REPLY_ARRAY && marker->elements == 2) {
        if (marker->element[0]->type == REDIS_REPLY_STRING)
            look->state = LEDGER_LOOK_READY;
        else if (marker->element[1]->type == REDIS_REPLY_STRING)
            look->state = LEDGER_LOOK_LOST;
        look->is_rebuilt = lock->type == REDIS_REPLY_INTEGER && lock->integer == 1;
    }
    freeReplyObject(marker);
    freeReplyObject(lock);
    return rc;
}
