/* What a Redis server says about itself: whether it is still the one that was written to, and keeps
 * what it is told. */
#include "ledger_handle.h"

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
    return facts->append_only && facts->fsync_always && facts->fsync_on_rewrite &&
           facts->never_promoted && facts->master;
}

/* CONFIG GET's value, or "" where it is not told: some hosted servers forbid CONFIG. */
static const char *setting(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[1]->type == REDIS_REPLY_STRING)
        return reply->element[1]->str;
    return "";
}

static int read_info(struct ledger_facts *facts, const redisReply *reply, struct error *err)
{
    char value[64];

    if (redis_reply_check(reply, err) != 0)
        return -1;
    if (reply->type != REDIS_REPLY_STRING)
        return error_set(err, ERROR_TEMPORARY, "redis: no answer to INFO");
    ledger_info_value(facts->run, sizeof(facts->run), reply->str, "run_id");
    ledger_info_value(value, sizeof(value), reply->str, "aof_enabled");
    facts->append_only = strcmp(value, "1") == 0;
    ledger_info_value(value, sizeof(value), reply->str, "role");
    facts->master = strcmp(value, "master") == 0;
    ledger_info_value(value, sizeof(value), reply->str, "master_replid2");
    facts->never_promoted = value[0] != '\0' && strspn(value, "0") == strlen(value);
    if (facts->run[0] == '\0')
        return error_set(err, ERROR_TEMPORARY, "redis: INFO does not tell the run id");
    return 0;
}

int ledger_facts_read(struct redis *redis, struct ledger_facts *facts, struct error *err)
{
    static const char *const names[] = {"appendfsync", "no-appendfsync-on-rewrite",
                                        "maxmemory-policy", "maxmemory"};
    enum { COUNT = 5 };
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
    facts->fsync_always = strcmp(setting(replies[1]), "always") == 0;
    facts->fsync_on_rewrite = strcmp(setting(replies[2]), "no") == 0;
    facts->evicts =
        strcmp(setting(replies[3]), "noeviction") != 0 && strcmp(setting(replies[4]), "0") != 0;
    rc = 0;
out:
    for (int i = 0; i < COUNT; i++)
        freeReplyObject(replies[i]);
    return rc;
}

int ledger_check_server(struct ledger *ledger, struct buffer *warnings, struct error *err)
{
    struct ledger_facts facts;

    if (ledger_ready(ledger, err) != 0 || ledger_facts_read(ledger->redis, &facts, err) != 0)
        return -1;
    if (!facts.append_only)
        buffer_printf(warnings,
                      "appendonly is off: a restart of Redis means a rebuild of the ledger. ");
    if (!facts.fsync_always)
        buffer_printf(warnings, "appendfsync is not always: a restart of Redis means a rebuild of "
                                "the ledger, a crash may lose what it acknowledged. ");
    if (!facts.fsync_on_rewrite)
        buffer_printf(warnings,
                      "no-appendfsync-on-rewrite is not no: a crash while Redis rewrites its file "
                      "may lose what it acknowledged. ");
    if (!facts.master)
        buffer_printf(warnings, "Redis is a replica: it takes no writes. ");
    if (facts.master && !facts.never_promoted)
        buffer_printf(warnings,
                      "Redis was a replica once: a restart means a rebuild of the ledger. ");
    if (facts.evicts)
        buffer_printf(warnings,
                      "maxmemory-policy is not noeviction: Redis may drop entries that guard "
                      "against doubles. ");
    return 0;
}
