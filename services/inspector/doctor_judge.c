#include "doctor_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum {
    LEAD_WARN_MS = 5000,
    LEAD_FAIL_MS = 300000, /* half of the ten minutes by which the ledger takes orders for
                              older than they are (acquire.lua) */
    SHOWN_MAX = 3,         /* so many topics are named */
    LIBRDKAFKA_WANTED = 0x02080000,
    REDIS_OLDEST_MAJOR = 5, /* older ones refuse scripts that write after they asked for the time */
};

struct clock_lead clock_lead_of(int64_t theirs_ms, int64_t precision_ms, int64_t asked_ms,
                                int64_t answered_ms)
{
    /* It was read at some moment between the question and the answer. */
    return (struct clock_lead){theirs_ms - answered_ms, theirs_ms + precision_ms - asked_ms};
}

static const char *clock_owner(enum doctor_check check)
{
    switch (check) {
    case CHECK_REDIS_CLOCK:
        return "Redis'";
    case CHECK_STORE_CLOCK:
        return "the store's";
    case CHECK_ACCOUNT_CLOCK:
        return "the account's";
    default:
        return "the brokers'";
    }
}

void judge_clock(struct findings *findings, enum doctor_check check, const char *subject,
                 const struct clock_lead *lead)
{
    int ahead = lead->low_ms > 0;
    int64_t off_ms = ahead ? lead->low_ms : lead->high_ms < 0 ? -lead->high_ms : 0;

    if (off_ms <= LEAD_WARN_MS) {
        findings_add(findings, check, subject, DOCTOR_OK, "",
                     "%s clock agrees with that of this machine", clock_owner(check));
        return;
    }
    findings_add(findings, check, subject, off_ms > LEAD_FAIL_MS ? DOCTOR_FAIL : DOCTOR_WARN,
                 check == CHECK_REDIS_CLOCK ? "keep both machines on time with NTP"
                                            : "keep this machine on time with NTP; if it is, the "
                                              "other side is wrong",
                 "%s clock is %" PRId64 " s %s that of this machine", clock_owner(check),
                 off_ms / 1000, ahead ? "ahead of" : "behind");
}

void judge_kafka_clock(struct findings *findings, int64_t newest_ms, int64_t now_ms)
{
    struct clock_lead lead = {newest_ms - now_ms, newest_ms - now_ms};

    if (newest_ms < 0)
        findings_add(findings, CHECK_KAFKA_CLOCK, "", DOCTOR_SKIPPED, "",
                     "skipped because a broker tells its time only in the records of the retry "
                     "topics, and they have none");
    else if (lead.low_ms > LEAD_WARN_MS)
        judge_clock(findings, CHECK_KAFKA_CLOCK, "", &lead);
    else
        findings_add(findings, CHECK_KAFKA_CLOCK, "", DOCTOR_OK, "",
                     "the newest record that a broker stamped is not of the future (a clock that "
                     "is behind cannot be seen)");
}

void judge_descriptors(struct findings *findings, int64_t limit, int64_t stores, int64_t workers,
                       int64_t accounts)
{
    int64_t poller = limits_of_poller(stores), pusher = limits_of_pusher(workers, accounts);
    int64_t needed = poller > pusher ? poller : pusher;
    char advice[160];

    if (limit < 0 || limit >= needed) {
        findings_add(findings, CHECK_DESCRIPTORS, "", DOCTOR_OK, "",
                     "%" PRId64 " open files are needed, and more are allowed", needed);
        return;
    }
    snprintf(advice, sizeof(advice),
             "raise the hard limit of the services: ulimit -Hn %" PRId64
             ", LimitNOFILE= of systemd, or "
             "ulimits of compose",
             needed);
    findings_add(findings, CHECK_DESCRIPTORS, "", DOCTOR_FAIL, advice,
                 "a program may open %" PRId64 " files here, but a %s needs %" PRId64, limit,
                 poller > pusher ? "poller of so many stores" : "pusher of so many workers",
                 needed);
}

void judge_librdkafka(struct findings *findings, int number, const char *text)
{
    if (number >= LIBRDKAFKA_WANTED)
        findings_add(findings, CHECK_LIBRDKAFKA, "", DOCTOR_OK, "", "version %s", text);
    else
        findings_add(findings, CHECK_LIBRDKAFKA, "", DOCTOR_WARN,
                     "run 2.8 or newer in production: Debian trixie and our image have it",
                     "version %s has known faults in consumer groups and metadata", text);
}

void judge_kafka_creates(struct findings *findings, int creates)
{
    if (creates < 0)
        findings_add(findings, CHECK_KAFKA_CREATES, "", DOCTOR_SKIPPED, "",
                     "skipped because the brokers do not tell their settings to this user");
    else if (creates > 0)
        findings_add(
            findings, CHECK_KAFKA_CREATES, "", DOCTOR_WARN,
            "set auto.create.topics.enable=false on every broker",
            "the brokers create a topic when somebody asks for it, with too few partitions "
            "and a retention that loses orders");
    else
        findings_add(findings, CHECK_KAFKA_CREATES, "", DOCTOR_OK, "",
                     "only `bigfusion topics create` creates topics");
}

static void append_shown(struct buffer *target, int count, const char *text)
{
    if (count < SHOWN_MAX)
        buffer_printf(target, "%s%s", count > 0 ? ", " : "", text);
    else if (count == SHOWN_MAX)
        buffer_printf(target, " and others");
}

void topic_facts_missing(struct topic_facts *facts, const char *name)
{
    append_shown(&facts->missing_names, facts->missing, name);
    facts->missing++;
}

void topic_facts_differ(struct topic_facts *facts, const struct topic_difference *difference)
{
    enum doctor_check check = CHECK_TOPIC_SETTINGS;
    char text[400];

    if (difference->is_kept)
        return;
    if (strcmp(difference->setting, TOPIC_PARTITIONS) == 0)
        check = CHECK_PARTITIONS;
    else if (strcmp(difference->setting, TOPIC_REPLICATION) == 0)
        check = CHECK_COPIES;
    snprintf(text, sizeof(text), "%s: %s is %s, expected %s", difference->topic,
             difference->setting, difference->is != NULL ? difference->is : "not set",
             difference->expected);
    append_shown(&facts->texts[check], facts->differences[check], text);
    facts->differences[check]++;
}

void topic_facts_clear(struct topic_facts *facts)
{
    buffer_clear(&facts->missing_names);
    for (int i = 0; i < CHECK_COUNT; i++)
        buffer_clear(&facts->texts[i]);
}

static void judge_copies(struct findings *findings, const struct topic_facts *facts)
{
    if (facts->leaderless > 0)
        findings_add(findings, CHECK_COPIES, "", DOCTOR_FAIL,
                     "start the brokers that are down; their log says why they are",
                     "%d partitions have no leader, so their orders wait", facts->leaderless);
    else if (facts->differences[CHECK_COPIES] > 0)
        findings_add(findings, CHECK_COPIES, "", DOCTOR_FAIL,
                     "add copies with kafka-reassign-partitions.sh, or lower [kafka] replication",
                     "%s", facts->texts[CHECK_COPIES].data);
    else if (facts->out_of_sync > 0)
        findings_add(findings, CHECK_COPIES, "", DOCTOR_WARN,
                     "look whether a broker is down or slow",
                     "%d partitions have copies that are behind", facts->out_of_sync);
    else
        findings_add(findings, CHECK_COPIES, "", DOCTOR_OK, "",
                     "every partition has a leader and all its copies");
}

void judge_topics(struct findings *findings, const struct topic_facts *facts)
{
    if (facts->missing > 0)
        findings_add(findings, CHECK_TOPICS, "", DOCTOR_FAIL, "run `bigfusion topics create`",
                     "%d of %d are missing: %s", facts->missing, facts->planned,
                     facts->missing_names.data);
    else
        findings_add(findings, CHECK_TOPICS, "", DOCTOR_OK, "", "all %d are there", facts->planned);
    if (facts->missing == facts->planned) {
        findings_skip(findings, CHECK_PARTITIONS, CHECK_COPIES, "", "there is no topic");
        return;
    }
    if (facts->differences[CHECK_PARTITIONS] > 0)
        findings_add(findings, CHECK_PARTITIONS, "", DOCTOR_FAIL,
                     "stop the services and add partitions (kafka-topics.sh --alter "
                     "--partitions N), or lower [kafka] partitions",
                     "%s", facts->texts[CHECK_PARTITIONS].data);
    else
        findings_add(findings, CHECK_PARTITIONS, "", DOCTOR_OK, "",
                     "every topic has as many as [kafka] partitions says, or more");
    judge_copies(findings, facts);
}

void judge_topic_settings(struct findings *findings, const struct topic_facts *facts,
                          const char *unknown)
{
    if (facts->missing == facts->planned)
        findings_skip(findings, CHECK_TOPIC_SETTINGS, CHECK_TOPIC_SETTINGS, "",
                      "there is no topic");
    else if (unknown != NULL)
        findings_add(findings, CHECK_TOPIC_SETTINGS, "", DOCTOR_WARN,
                     "allow this user DescribeConfigs on the topics", "they cannot be read: %s",
                     unknown);
    else if (facts->differences[CHECK_TOPIC_SETTINGS] > 0)
        findings_add(findings, CHECK_TOPIC_SETTINGS, "", DOCTOR_FAIL,
                     "change them with kafka-configs.sh --alter --entity-type topics; `bigfusion "
                     "topics create` lists all differences",
                     "%s", facts->texts[CHECK_TOPIC_SETTINGS].data);
    else
        findings_add(findings, CHECK_TOPIC_SETTINGS, "", DOCTOR_OK, "",
                     "retention, compaction and sizes keep what was promised");
}

static void judge_redis_version(struct findings *findings, const struct ledger_facts *facts)
{
    if (facts->version[0] == '\0')
        findings_add(findings, CHECK_REDIS_VERSION, "", DOCTOR_SKIPPED, "",
                     "skipped because INFO does not tell it");
    else if (strtol(facts->version, NULL, 10) < REDIS_OLDEST_MAJOR)
        findings_add(findings, CHECK_REDIS_VERSION, "", DOCTOR_FAIL, "run Redis 5 or newer",
                     "%s is too old for the ledger's scripts", facts->version);
    else
        findings_add(findings, CHECK_REDIS_VERSION, "", DOCTOR_OK, "", "%s", facts->version);
}

static void judge_redis_role(struct findings *findings, const struct ledger_facts *facts)
{
    if (facts->cluster == FACT_YES)
        findings_add(findings, CHECK_REDIS_ROLE, "", DOCTOR_FAIL,
                     "lead [redis] url to one Redis server, with replicas where wanted",
                     "it is a Redis Cluster, which is not supported");
    else if (facts->master == FACT_NO)
        findings_add(findings, CHECK_REDIS_ROLE, "", DOCTOR_FAIL,
                     "lead [redis] url to the master, by a host name or a proxy that follows it",
                     "it is a replica and takes no writes");
    else if (facts->master == FACT_UNKNOWN)
        findings_add(findings, CHECK_REDIS_ROLE, "", DOCTOR_SKIPPED, "",
                     "skipped because INFO does not tell it");
    else
        findings_add(findings, CHECK_REDIS_ROLE, "", DOCTOR_OK, "", "a master, no cluster");
}

static void judge_redis_persistence(struct findings *findings, const struct ledger_facts *facts)
{
    static const char advice[] = "set appendonly yes, appendfsync always and "
                                 "no-appendfsync-on-rewrite no, in redis.conf as well";

    if (facts->append_only == FACT_NO)
        findings_add(
            findings, CHECK_REDIS_PERSISTENCE, "", DOCTOR_FAIL, advice,
            "appendonly is off: every restart loses the ledger, which is then rebuilt from "
            "Kafka");
    else if (facts->fsync_always == FACT_NO || facts->fsync_on_rewrite == FACT_NO)
        findings_add(findings, CHECK_REDIS_PERSISTENCE, "", DOCTOR_WARN, advice,
                     "%s: a crash may lose what was acknowledged, so the ledger is rebuilt after "
                     "each restart",
                     facts->fsync_always == FACT_NO ? "appendfsync is not always"
                                                    : "no-appendfsync-on-rewrite is not no");
    else if (facts->append_only == FACT_UNKNOWN || facts->fsync_always == FACT_UNKNOWN ||
             facts->fsync_on_rewrite == FACT_UNKNOWN)
        findings_add(findings, CHECK_REDIS_PERSISTENCE, "", DOCTOR_WARN,
                     "allow INFO and CONFIG GET to this user, or live with a rebuild of the ledger "
                     "after each restart of Redis",
                     "the server does not tell all of it");
    else if (facts->never_promoted == FACT_NO)
        findings_add(findings, CHECK_REDIS_PERSISTENCE, "", DOCTOR_OK, "",
                     "appendonly, appendfsync always; once a replica, so a restart means a rebuild "
                     "of the ledger");
    else
        findings_add(findings, CHECK_REDIS_PERSISTENCE, "", DOCTOR_OK, "",
                     "appendonly, appendfsync always");
}

void judge_redis(struct findings *findings, const struct ledger_facts *facts)
{
    judge_redis_version(findings, facts);
    judge_redis_role(findings, facts);
    judge_redis_persistence(findings, facts);
    if (facts->evicts == FACT_YES)
        findings_add(findings, CHECK_REDIS_EVICTION, "", DOCTOR_FAIL,
                     "set maxmemory-policy noeviction, and give Redis the memory that it needs",
                     "a full Redis drops entries that guard against doubles");
    else if (facts->evicts == FACT_UNKNOWN)
        findings_add(findings, CHECK_REDIS_EVICTION, "", DOCTOR_WARN,
                     "make sure that it says noeviction", "INFO does not tell maxmemory-policy");
    else
        findings_add(findings, CHECK_REDIS_EVICTION, "", DOCTOR_OK, "", "nothing is evicted");
}

void judge_ledger(struct findings *findings, const struct ledger_look *look)
{
    if (look->is_rebuilt)
        findings_add(findings, CHECK_LEDGER, "", DOCTOR_WARN,
                     "wait; the pusher's /readyz shows how far it is",
                     "a pusher is filling it in from Kafka");
    else if (look->state == LEDGER_LOOK_READY)
        findings_add(findings, CHECK_LEDGER, "", DOCTOR_OK, "", "it can be used");
    else if (look->state == LEDGER_LOOK_LOST)
        findings_add(findings, CHECK_LEDGER, "", DOCTOR_WARN,
                     "start a pusher, which fills it in from Kafka",
                     "it is not trusted, so nothing is delivered");
    else
        findings_add(findings, CHECK_LEDGER, "", DOCTOR_WARN,
                     "run `bigfusion setup` at the first start; otherwise Redis was emptied, and a "
                     "pusher fills the ledger in from Kafka",
                     "there is none");
}

/* No order or customer has the id, so these answers hold nobody's data. */
const struct store_probe store_probes[STORE_PROBE_COUNT] = {
    {"/v2/time", "store_v2_information_read_only", "Information & Settings", NULL},
    {"/v2/orders?min_id=2147483647&limit=1", "store_v2_orders_read_only", "Orders", NULL},
    {"/v3/customers?id:in=2147483647&limit=1", "store_v2_customers_read_only", "Customers",
     " (not needed yet)"},
    {"/v3/catalog/products?id=2147483647&limit=1", "store_v2_products_read_only", "Products",
     " (only for products = on)"},
};

/* Whether a call of the store is answered with the status. */
static int any_has(const struct answer answers[STORE_PROBE_COUNT], int status)
{
    for (int i = 0; i < STORE_PROBE_COUNT; i++)
        if (answers[i].status == status)
            return 1;
    return 0;
}

static int is_good(int status) { return status >= 200 && status < 300; }

/* The finding for CHECK_STORE_TOKEN. @returns 0 when the token is taken */
static int judge_token(struct findings *findings, const char *store,
                       const struct answer answers[STORE_PROBE_COUNT])
{
    if (answers[0].status == 0)
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_AWAY,
                     "check api_url and the network to it", "the store cannot be reached: %s",
                     answers[0].why);
    else if (any_has(answers, 401))
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_FAIL,
                     "check the store hash, or make an API account in the store's control panel "
                     "and put its access token into token_file",
                     "the store refuses the token (HTTP 401)");
    else if (answers[0].status == 404)
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_FAIL, "check hash and api_url",
                     "there is no such store at this address (HTTP 404)");
    else if (is_good(answers[0].status) && answers[0].is_unreadable)
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_FAIL,
                     "check api_url, and what stands between this machine and the store",
                     "what answers there is no store of BigCommerce (HTTP %d)", answers[0].status);
    else if (answers[0].status >= 300 && answers[0].status < 400)
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_FAIL,
                     "check api_url; no program follows such an answer, so the token goes nowhere",
                     "the address leads elsewhere (HTTP %d)", answers[0].status);
    else if (answers[0].status == 429)
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_WARN, "run the doctor once more",
                     "the store's quota is used up (HTTP 429)");
    else if (!is_good(answers[0].status) && answers[0].status != 403)
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_AWAY,
                     "wait; a store that is down for maintenance answers so too",
                     "the store answers HTTP %d", answers[0].status);
    else {
        findings_add(findings, CHECK_STORE_TOKEN, store, DOCTOR_OK, "",
                     "the store answers and takes the token");
        return 0;
    }
    return -1;
}

static void judge_scopes(struct findings *findings, const char *store,
                         const struct answer answers[STORE_PROBE_COUNT])
{
    enum doctor_level level = DOCTOR_OK;
    struct buffer lacking = {0}, advice = {0};

    for (int i = 0; i < STORE_PROBE_COUNT; i++) {
        if (is_good(answers[i].status))
            continue;
        if (store_probes[i].only == NULL && answers[i].status == 403)
            level = DOCTOR_FAIL;
        else if (level == DOCTOR_OK)
            level = DOCTOR_WARN;
        buffer_printf(&lacking, "%s%s%s", lacking.length > 0 ? ", " : "", store_probes[i].scope,
                      store_probes[i].only == NULL ? "" : store_probes[i].only);
        if (answers[i].status == 0)
            buffer_printf(&lacking, " (not known: no answer)");
        else if (answers[i].status != 403)
            buffer_printf(&lacking, " (not known: HTTP %d)", answers[i].status);
        buffer_printf(&advice, "%s%s", advice.length > 0 ? ", " : "", store_probes[i].setting);
    }
    if (level == DOCTOR_OK) {
        findings_add(findings, CHECK_STORE_SCOPES, store, DOCTOR_OK, "",
                     "the token may read orders, customers and products");
    } else {
        buffer_printf(&advice, ": set to read-only in the store's API account, and use the token "
                               "that this makes");
        findings_add(findings, CHECK_STORE_SCOPES, store, level, advice.data, "the token lacks %s",
                     lacking.data);
    }
    buffer_clear(&lacking);
    buffer_clear(&advice);
}

int judge_store(struct findings *findings, const char *store,
                const struct answer answers[STORE_PROBE_COUNT])
{
    if (judge_token(findings, store, answers) != 0) {
        findings_skip(findings, CHECK_STORE_SCOPES, CHECK_STORE_SCOPES, store,
                      answers[0].status == 0 ? "the store cannot be reached"
                                             : "the token could not be tried");
        return -1;
    }
    judge_scopes(findings, store, answers);
    return 0;
}
