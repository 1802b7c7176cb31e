/* handle.c - a handle: the connection on which `hello` was said, and the scripts that run on it. */
#include "ledger/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct ledger *ledger_new(const struct ledger_settings *settings)
{
    struct ledger *ledger = mem_alloc(sizeof(*ledger));
    unsigned char random[16] = {0};

    ledger->settings = *settings;
    if (settings->seen == NULL)
        ledger->settings.seen = ledger->own_seen = ledger_seen_new();
    ledger->redis = redis_new(settings->server, settings->timeout_ms);
    ledger_scripts_init(ledger->scripts);
    snprintf(ledger->marker_key, sizeof(ledger->marker_key), "%s:ledger", settings->prefix);
    snprintf(ledger->lock_key, sizeof(ledger->lock_key), "%s:ledger-rebuild", settings->prefix);
    while (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        ; /* getrandom() is interrupted only by a signal */
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(ledger->owner + 2 * i, 3, "%02x", random[i]);
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    redis_free(ledger->redis);
    ledger_seen_free(ledger->own_seen);
    free(ledger);
}

/* Arguments */

void ledger_add_text(struct ledger_arguments *arguments, const char *data, size_t length)
{
    arguments->data[arguments->count] = data == NULL ? "" : data;
    arguments->lengths[arguments->count++] = data == NULL ? 0 : length;
}

void ledger_add_string(struct ledger_arguments *arguments, const char *string)
{
    ledger_add_text(arguments, string, string == NULL ? 0 : strlen(string));
}

void ledger_add_number(struct ledger_arguments *arguments, int64_t number)
{
    char *text = arguments->numbers[arguments->number_count++];

    snprintf(text, sizeof(arguments->numbers[0]), "%lld", (long long)number);
    ledger_add_string(arguments, text);
}

/* Running scripts */

void ledger_saw_write(struct ledger *ledger, int64_t epoch, int64_t writes)
{
    struct ledger_write write = {.epoch = epoch, .writes = writes};

    if (epoch <= 0 || writes <= 0)
        return; /* then nothing was written */
    memcpy(write.run, ledger->run, sizeof(write.run));
    ledger_seen_add(ledger->settings.seen, &write);
}

int ledger_say_hello(struct ledger *ledger, struct error *err)
{
    const char *data[8];
    size_t lengths[8];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    struct ledger_write seen = ledger_seen_get(ledger->settings.seen);
    redisReply *reply;
    int rc;

    ledger_add_string(&arguments, "1");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, ledger->run);
    ledger_add_string(&arguments, ledger->vouches ? "1" : "0");
    ledger_add_string(&arguments, seen.run);
    ledger_add_number(&arguments, seen.writes);
    ledger_add_number(&arguments, ledger->settings.keep_ms);
    ledger_add_number(&arguments, seen.epoch);
    reply = redis_script_run(ledger->redis, &ledger->scripts[SCRIPT_HELLO], arguments.count, data,
                             lengths, err);
    if (reply == NULL)
        return error_prefix(err, "ledger hello: ");
    rc = ledger_answer_of(reply, &ledger->greeting, err);
    ledger->epoch = ledger_element_int(reply, 2, 0);
    if (rc == 0 && ledger->greeting == LEDGER_OK)
        ledger_saw_write(ledger, ledger->epoch, ledger_element_int(reply, 1, 0));
    freeReplyObject(reply);
    return rc;
}

/* A server that takes no writes is left at once, because the address may lead to its master by the
 * next call. */
static int check_usable(struct ledger *ledger, const struct ledger_facts *facts, struct error *err)
{
    if (facts->cluster != FACT_YES && facts->master != FACT_NO)
        return 0;
    redis_close(ledger->redis);
    return error_set(err, ERROR_TEMPORARY, "ledger: redis: %s",
                     facts->cluster == FACT_YES ? "a Redis Cluster is not supported"
                                                : "the server is a replica, it takes no writes");
}

int ledger_ready(struct ledger *ledger, struct error *err)
{
    struct ledger_facts facts;

    if (redis_connected(ledger->redis) && ledger->generation == redis_generation(ledger->redis))
        return 0;
    if (redis_connect(ledger->redis, err) != 0 ||
        ledger_facts_read(ledger->redis, &facts, err) != 0)
        return error_prefix(err, "ledger: ");
    if (check_usable(ledger, &facts, err) != 0)
        return -1;
    for (int i = 0; i < SCRIPT_COUNT; i++) {
        if (redis_script_load(ledger->redis, &ledger->scripts[i], err) != 0)
            return error_prefix(err, "ledger: ");
    }
    if (strcmp(facts.run, ledger->run) != 0)
        ledger->lock_token[0] = '\0'; /* what was filled in before may be lost, so the rebuild
                                         starts again */
    memcpy(ledger->run, facts.run, sizeof(ledger->run));
    ledger->vouches = ledger_facts_vouch(&facts);
    if (ledger_say_hello(ledger, err) != 0)
        return -1;
    ledger->generation = redis_generation(ledger->redis);
    return 0;
}

redisReply *ledger_run_and_peek(struct ledger *ledger, enum ledger_script script,
                                const struct ledger_arguments *arguments, struct text account,
                                struct ledger_peek *peeks, int count, struct error *err)
{
    redisReply *reply = NULL;

    for (int attempt = 0; attempt < 2; attempt++) {
        int idle = redis_connected(ledger->redis);

        if (ledger_ready(ledger, err) != 0)
            return NULL;
        reply = count > 0
                    ? ledger_script_and_peek(ledger, &ledger->scripts[script], arguments, account,
                                             peeks, count, err)
                    : redis_script_run(ledger->redis, &ledger->scripts[script], arguments->count,
                                       arguments->data, arguments->lengths, err);
        if (reply != NULL || !idle || redis_connected(ledger->redis) ||
            !redis_was_closed(ledger->redis))
            break;
        if (attempt == 0)
            error_clear(err);
    }
    if (reply == NULL) {
        error_prefix(err,
                     err->kind == ERROR_PERMANENT ? "ledger entry is damaged: " : "ledger %s: ",
                     ledger->scripts[script].name);
        return NULL;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        freeReplyObject(reply);
        error_set(err, ERROR_TEMPORARY, "ledger: unexpected answer from a script");
        return NULL;
    }
    return reply;
}

redisReply *ledger_run(struct ledger *ledger, enum ledger_script script,
                       const struct ledger_arguments *arguments, struct error *err)
{
    return ledger_run_and_peek(ledger, script, arguments, (struct text){0}, NULL, 0, err);
}
