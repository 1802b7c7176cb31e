#include "ledger/handle.h"

#include "base/text.h"
#include "record/event.h"
#include "settings/config.h"

struct ledger_settings ledger_settings_of(const struct config *config)
{
    static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

    return (struct ledger_settings){
        .server = &config->redis.server,
        .prefix = config->kafka.topic_prefix,
        .lease_ms = config->pusher.lease_s * 1000,
        .visibility_delay_ms = config->pusher.visibility_delay_s * 1000,
        .keep_ms = config->redis.ledger_keep_days * day_ms,
        .timeout_ms = 5000,
    };
}

int ledger_hello(struct ledger *ledger, enum ledger_answer *answer, struct error *err)
{
    int64_t epoch;

    if (ledger_epoch(ledger, &epoch, err) != 0)
        return -1;
    *answer = epoch > 0 ? LEDGER_OK : LEDGER_LOST;
    return 0;
}

int ledger_epoch(struct ledger *ledger, int64_t *epoch, struct error *err)
{
    unsigned generation = redis_connected(ledger->redis) ? ledger->generation : 0;

    if (ledger_ready(ledger, err) != 0)
        return -1;
    /* On an old connection the marker may have changed, so `hello` is run again. */
    if (generation == ledger->generation && ledger_say_hello(ledger, err) != 0) {
        if (redis_connected(ledger->redis) || !redis_was_closed(ledger->redis))
            return -1;
        error_clear(err);
        if (ledger_ready(ledger, err) != 0)
            return -1;
    }
    *epoch = ledger->epoch;
    return 0;
}

static int peek_some(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err)
{
    if (ledger_ready(ledger, err) != 0 ||
        ledger_queue_peeks(ledger, account, peeks, count, err) != 0)
        return -1;
    return ledger_read_peeks(ledger, peeks, count, err);
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

/* What acquire.lua calls the thing that is to be made. The record key says whether it is an order. */
static const char *request_word(const struct ledger_request *request)
{
    struct event_key key;

    if (request->kind == LEDGER_AFTER)
        return "record";
    if (request->kind == LEDGER_ORDER && event_key_parse(request->id, &key) == 0 &&
        !text_is(key.entity, "order"))
        return "record";
    return ledger_kind_name(request->kind);
}

int ledger_acquire(struct ledger *ledger, const struct ledger_request *request,
                   struct ledger_grant *grant, struct error *err)
{
    return ledger_acquire_and_peek(ledger, request, grant, NULL, 0, err);
}

int ledger_acquire_and_peek(struct ledger *ledger, const struct ledger_request *request,
                            struct ledger_grant *grant, struct ledger_peek *peeks, int count,
                            struct error *err)
{
    int first = count < LEDGER_PIPELINE_MAX ? count : LEDGER_PIPELINE_MAX;
    const char *data[16];
    size_t lengths[16];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    redisReply *reply;
    int rc;

    ledger_grant_clear(grant);
    if (ledger_entry_key(grant->key, ledger->settings.prefix, request->account, request->kind,
                         request->id, err) != 0)
        return -1;
    ledger_add_string(&arguments, "2");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, grant->key);
    ledger_add_string(&arguments, request_word(request));
    ledger_add_number(&arguments, request->modified_at < 0 ? 0 : request->modified_at);
    ledger_add_number(&arguments, request->first_seen_ms);
    ledger_add_string(&arguments, request->digest);
    ledger_add_string(&arguments, request->withdrawn ? "1" : "0");
    ledger_add_string(&arguments, request->replay ? "1" : "0");
    ledger_add_number(&arguments, ledger->settings.lease_ms);
    ledger_add_string(&arguments, request->owner != NULL ? request->owner : ledger->owner);
    ledger_add_number(&arguments, ledger->settings.visibility_delay_ms);
    reply = ledger_run_and_peek(ledger, SCRIPT_ACQUIRE, &arguments, request->account, peeks, first,
                                err);
    if (reply == NULL)
        return -1;
    rc = ledger_grant_read(grant, reply, ledger->settings.visibility_delay_ms, err);
    ledger_saw_write(ledger, ledger_fence_epoch(grant->fence), ledger_element_int(reply, 1, 0));
    freeReplyObject(reply);
    if (rc == 0 && count > first)
        rc = ledger_peek_many(ledger, request->account, peeks + first, count - first, err);
    return rc;
}

/* Runs the script `step`: end, begin and finish, each optional (NULL). @returns the reply (new), or
 * NULL */
static redisReply *run_step(struct ledger *ledger, const struct ledger_grant *grant,
                            const char *ended, const char *result, const char *begun,
                            const char *finish, const char *remark, enum ledger_answer *answer,
                            struct error *err)
{
    const char *data[16];
    size_t lengths[16];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    redisReply *reply;

    ledger_add_string(&arguments, "2");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, grant->key);
    ledger_add_string(&arguments, grant->fence);
    ledger_add_number(&arguments, ledger->settings.lease_ms);
    ledger_add_number(&arguments, ledger->settings.keep_ms);
    ledger_add_string(&arguments, ended);
    ledger_add_string(&arguments, result);
    ledger_add_string(&arguments, begun);
    ledger_add_string(&arguments, finish);
    ledger_add_string(&arguments, remark);
    reply = ledger_run(ledger, SCRIPT_STEP, &arguments, err);
    if (reply == NULL)
        return NULL;
    if (ledger_answer_of(reply, answer, err) != 0) {
        freeReplyObject(reply);
        return NULL;
    }
    ledger_saw_write(ledger, ledger_fence_epoch(grant->fence), ledger_element_int(reply, 1, 0));
    return reply;
}

int ledger_begin(struct ledger *ledger, const struct ledger_grant *grant, const char *step,
                 enum ledger_answer *answer, struct error *err)
{
    redisReply *reply = run_step(ledger, grant, NULL, NULL, step, NULL, NULL, answer, err);

    freeReplyObject(reply);
    return reply != NULL ? 0 : -1;
}

int ledger_end(struct ledger *ledger, const struct ledger_grant *grant, const char *step,
               const char *result, const char *next, enum ledger_answer *answer, struct error *err)
{
    redisReply *reply = run_step(ledger, grant, step, result, next, NULL, NULL, answer, err);

    freeReplyObject(reply);
    return reply != NULL ? 0 : -1;
}

int ledger_finish(struct ledger *ledger, const struct ledger_grant *grant, enum ledger_finish how,
                  const char *step, const char *result, const char *remark, struct buffer *entry,
                  enum ledger_answer *answer, struct error *err)
{
    static const char *const words[] = {[LEDGER_FINISH_DONE] = "done",
                                        [LEDGER_FINISH_DEAD] = "dead",
                                        [LEDGER_FINISH_RETRY] = "retry",
                                        [LEDGER_FINISH_WITHDRAWN] = "withdrawn"};
    redisReply *reply =
        run_step(ledger, grant, step, result, NULL, words[how], remark, answer, err);

    if (entry != NULL)
        buffer_reset(entry);
    if (reply != NULL && entry != NULL)
        ledger_entry_write(reply, entry);
    freeReplyObject(reply);
    return reply != NULL ? 0 : -1;
}

int ledger_check_server(struct ledger *ledger, struct buffer *warnings, struct error *err)
{
    struct ledger_facts facts;

    if (ledger_ready(ledger, err) != 0 || ledger_facts_read(ledger->redis, &facts, err) != 0)
        return -1;
    ledger_facts_warn(&facts, warnings);
    return 0;
}
