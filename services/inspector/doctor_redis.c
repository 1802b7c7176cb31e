/* doctor_redis.c - asks Redis what `bigfusion doctor` must know of it. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/server.h"
#include "net/redis.h"

#include "doctor_judge.h"

static void look_at_clock(struct redis *redis, struct findings *findings)
{
    struct error err = {0};
    int64_t asked_ms = clock_now_ms();
    redisReply *reply = redis_command(redis, &err, "TIME");

    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
        int64_t theirs_ms =
            atoll(reply->element[0]->str) * 1000 + atoll(reply->element[1]->str) / 1000;
        struct clock_lead lead = clock_lead_of(theirs_ms, 1, asked_ms, clock_now_ms());

        judge_clock(findings, CHECK_REDIS_CLOCK, "", &lead);
    } else {
        findings_add(findings, CHECK_REDIS_CLOCK, "", DOCTOR_AWAY,
                     "allow TIME to this user; the ledger's scripts need it",
                     "it cannot be read: %s", err.text);
    }
    freeReplyObject(reply);
}

static void look_at_ledger(struct redis *redis, const char *prefix, struct findings *findings)
{
    struct ledger_look look;
    struct error err = {0};

    if (ledger_look(redis, prefix, &look, &err) == 0)
        judge_ledger(findings, &look);
    else
        findings_add(findings, CHECK_LEDGER, "", DOCTOR_AWAY,
                     "allow all keys of the prefix to this user", "it cannot be read: %s",
                     err.text);
}

static void judge_trouble(const struct redis *redis, const struct error *err,
                          struct findings *findings)
{
    /* The server was reached, so a login is refused, or none is given where one is needed. */
    int is_refused = redis_generation(redis) > 0 && (strstr(err->text, "is refused") != NULL ||
                                                     strstr(err->text, "NOAUTH") != NULL);

    findings_add(findings, CHECK_REDIS, "", is_refused ? DOCTOR_FAIL : DOCTOR_AWAY,
                 is_refused ? "check user, password and database of [redis] url"
                            : "check [redis] url, and whether Redis runs and can be reached",
                 "%s", err->text);
    findings_skip(findings, CHECK_REDIS + 1, CHECK_LEDGER, "", "Redis cannot be used");
}

void doctor_look_redis(const struct config *config, int index, struct findings *findings)
{
    struct redis *redis = redis_new(&config->redis.server, DOCTOR_TIMEOUT_MS);
    struct ledger_facts facts;
    struct error err = {0};

    (void)index;
    if (redis_connect(redis, &err) != 0 || ledger_facts_read(redis, &facts, &err) != 0) {
        judge_trouble(redis, &err, findings);
    } else {
        findings_add(findings, CHECK_REDIS, "", DOCTOR_OK, "", "it answers");
        judge_redis(findings, &facts);
        look_at_clock(redis, findings);
        look_at_ledger(redis, config->kafka.topic_prefix, findings);
    }
    redis_free(redis);
}
