/* test_doctor.c - what the doctor makes of facts: level, finding and advice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/inspector/doctor_judge.h"
#include "../../services/inspector/doctor_judge_account.h"

/* The only finding must have that level and these words, in its text or its advice. */
static void expect(struct findings *findings, enum doctor_check check, enum doctor_level level,
                   const char *words)
{
    const struct finding *found = NULL;
    char text[2048];

    for (int i = 0; i < findings->count; i++)
        if (findings->list[i].check == check) {
            assert_null(found);
            found = &findings->list[i];
        }
    assert_non_null(found);
    snprintf(text, sizeof(text), "%s; %s", found->text, found->advice);
    if (found->level != level || strstr(text, words) == NULL)
        fail_msg("%s: level %d, wanted %d; \"%s\", wanted \"%s\"", doctor_check_name(check),
                 found->level, level, text, words);
    if (level == DOCTOR_OK && found->advice[0] != '\0')
        fail_msg("%s is ok and has an advice: %s", doctor_check_name(check), found->advice);
    if (level != DOCTOR_OK && level != DOCTOR_SKIPPED && found->advice[0] == '\0')
        fail_msg("%s has no advice: %s", doctor_check_name(check), found->text);
}

static void expect_only(struct findings *findings, enum doctor_check check, enum doctor_level level,
                        const char *words)
{
    assert_int_equal(findings->count, 1);
    expect(findings, check, level, words);
    findings_clear(findings);
}

static void test_clocks(void **state)
{
    static const struct {
        int64_t theirs_ms, precision_ms, asked_ms, answered_ms;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {1000000, 1, 1000000, 1000000, DOCTOR_OK, "agrees"},
        {1005000, 1, 1000000, 1000000, DOCTOR_OK, "agrees"},
        {1005001, 1, 1000000, 1000000, DOCTOR_WARN, "5 s ahead of"},
        {994998, 1, 1000000, 1000000, DOCTOR_WARN, "5 s behind"},
        {994998, 1000, 1000000, 1000000, DOCTOR_OK, "agrees"}, /* it may be a second later */
        {1010000, 1, 1000000, 1009000, DOCTOR_OK, "agrees"},   /* the answer took nine seconds */
        {1301000, 1000, 1000000, 1000000, DOCTOR_FAIL, "301 s ahead of"},
        {600000, 1000, 1000000, 1000000, DOCTOR_FAIL, "399 s behind"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct findings findings = {0};
        struct clock_lead lead = clock_lead_of(cases[i].theirs_ms, cases[i].precision_ms,
                                               cases[i].asked_ms, cases[i].answered_ms);

        judge_clock(&findings, CHECK_STORE_CLOCK, "main", &lead);
        assert_string_equal(findings.list[0].subject, "main");
        expect_only(&findings, CHECK_STORE_CLOCK, cases[i].level, cases[i].words);
    }
}

static void test_kafka_clock(void **state)
{
    struct findings findings = {0};

    (void)state;
    judge_kafka_clock(&findings, -1, 1000000);
    expect_only(&findings, CHECK_KAFKA_CLOCK, DOCTOR_SKIPPED, "they have none");
    judge_kafka_clock(&findings, 10, 1000000);
    expect_only(&findings, CHECK_KAFKA_CLOCK, DOCTOR_OK, "not of the future");
    judge_kafka_clock(&findings, 1060000, 1000000);
    expect_only(&findings, CHECK_KAFKA_CLOCK, DOCTOR_WARN, "the brokers' clock is 60 s ahead");
}

static void test_here(void **state)
{
    struct findings findings = {0};

    (void)state;
    judge_descriptors(&findings, -1, 100000, 32, 1);
    expect_only(&findings, CHECK_DESCRIPTORS, DOCTOR_OK, "400064");
    judge_descriptors(&findings, 1264, 300, 32, 1);
    expect_only(&findings, CHECK_DESCRIPTORS, DOCTOR_OK, "1264 open files");
    judge_descriptors(&findings, 1263, 300, 32, 1);
    expect_only(&findings, CHECK_DESCRIPTORS, DOCTOR_FAIL, "ulimit -Hn 1264");
    judge_descriptors(&findings, 1024, 1, 500, 2);
    expect_only(&findings, CHECK_DESCRIPTORS, DOCTOR_FAIL, "pusher of so many workers needs 2580");
    judge_librdkafka(&findings, 0x020002ff, "2.0.2");
    expect_only(&findings, CHECK_LIBRDKAFKA, DOCTOR_WARN, "2.8 or newer");
    judge_librdkafka(&findings, 0x020800ff, "2.8.0");
    expect_only(&findings, CHECK_LIBRDKAFKA, DOCTOR_OK, "2.8.0");
}

static void test_kafka_creates(void **state)
{
    struct findings findings = {0};

    (void)state;
    judge_kafka_creates(&findings, 1);
    expect_only(&findings, CHECK_KAFKA_CREATES, DOCTOR_WARN, "auto.create.topics.enable=false");
    judge_kafka_creates(&findings, 0);
    expect_only(&findings, CHECK_KAFKA_CREATES, DOCTOR_OK, "topics create");
    judge_kafka_creates(&findings, -1);
    expect_only(&findings, CHECK_KAFKA_CREATES, DOCTOR_SKIPPED, "do not tell");
}

static void differ(struct topic_facts *facts, const char *topic, const char *setting,
                   const char *is, const char *expected, int is_kept)
{
    const struct topic_difference difference = {topic, setting, is, expected, is_kept};

    topic_facts_differ(facts, &difference);
}

static void test_topics(void **state)
{
    struct topic_facts facts = {.planned = 9};
    struct findings findings = {0};

    (void)state;
    judge_topics(&findings, &facts);
    judge_topic_settings(&findings, &facts, NULL);
    for (int i = 0; i < findings.count; i++)
        assert_int_equal(findings.list[i].level, DOCTOR_OK);
    assert_int_equal(findings.count, 4);
    findings_clear(&findings);

    /* what keeps the promise is no fault */
    differ(&facts, "b.raw", "retention.ms", "-1", "1000", 1);
    differ(&facts, "b.raw", TOPIC_PARTITIONS, "24", "12", 1);
    judge_topics(&findings, &facts);
    expect(&findings, CHECK_PARTITIONS, DOCTOR_OK, "or more");
    findings_clear(&findings);

    for (int i = 0; i < 5; i++)
        differ(&facts, "b.raw", TOPIC_PARTITIONS, "1", "12", 0);
    differ(&facts, "b.raw", TOPIC_REPLICATION, "1", "3", 0);
    differ(&facts, "b.dead", "cleanup.policy", NULL, "compact", 0);
    topic_facts_missing(&facts, "b.skipped");
    judge_topics(&findings, &facts);
    judge_topic_settings(&findings, &facts, NULL);
    expect(&findings, CHECK_TOPICS, DOCTOR_FAIL,
           "1 of 9 are missing: b.skipped; run `bigfusion topics create`");
    expect(&findings, CHECK_PARTITIONS, DOCTOR_FAIL,
           "b.raw: partitions is 1, expected 12, b.raw: partitions is 1, expected 12, b.raw: "
           "partitions is 1, expected 12 and others; stop the services");
    expect(&findings, CHECK_COPIES, DOCTOR_FAIL, "b.raw: replication factor is 1, expected 3");
    expect(&findings, CHECK_TOPIC_SETTINGS, DOCTOR_FAIL,
           "b.dead: cleanup.policy is not set, expected compact; change them");
    findings_clear(&findings);

    facts.out_of_sync = 2;
    facts.differences[CHECK_COPIES] = 0;
    judge_topics(&findings, &facts);
    expect(&findings, CHECK_COPIES, DOCTOR_WARN, "2 partitions have copies that are behind");
    findings_clear(&findings);
    facts.leaderless = 1;
    judge_topics(&findings, &facts);
    expect(&findings, CHECK_COPIES, DOCTOR_FAIL, "1 partitions have no leader");
    findings_clear(&findings);

    judge_topic_settings(&findings, &facts, "not authorized");
    expect_only(&findings, CHECK_TOPIC_SETTINGS, DOCTOR_WARN, "not authorized");
    facts.missing = facts.planned;
    judge_topics(&findings, &facts);
    judge_topic_settings(&findings, &facts, NULL);
    expect(&findings, CHECK_PARTITIONS, DOCTOR_SKIPPED, "because there is no topic");
    expect(&findings, CHECK_COPIES, DOCTOR_SKIPPED, "because there is no topic");
    expect(&findings, CHECK_TOPIC_SETTINGS, DOCTOR_SKIPPED, "because there is no topic");
    findings_clear(&findings);
    topic_facts_clear(&facts);
}

static void test_redis(void **state)
{
    static const struct ledger_facts good = {.version = "7.0.15",
                                             .append_only = FACT_YES,
                                             .fsync_always = FACT_YES,
                                             .fsync_on_rewrite = FACT_YES,
                                             .never_promoted = FACT_YES,
                                             .master = FACT_YES,
                                             .cluster = FACT_NO,
                                             .evicts = FACT_NO};
    const struct {
        size_t member; /* offset of the fact that differs */
        enum ledger_fact is;
        enum doctor_check check;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {offsetof(struct ledger_facts, append_only), FACT_NO, CHECK_REDIS_PERSISTENCE, DOCTOR_FAIL,
         "appendonly is off"},
        {offsetof(struct ledger_facts, fsync_always), FACT_NO, CHECK_REDIS_PERSISTENCE, DOCTOR_WARN,
         "appendfsync is not always"},
        {offsetof(struct ledger_facts, fsync_on_rewrite), FACT_NO, CHECK_REDIS_PERSISTENCE,
         DOCTOR_WARN, "no-appendfsync-on-rewrite is not no"},
        {offsetof(struct ledger_facts, fsync_always), FACT_UNKNOWN, CHECK_REDIS_PERSISTENCE,
         DOCTOR_WARN, "does not tell"},
        {offsetof(struct ledger_facts, never_promoted), FACT_NO, CHECK_REDIS_PERSISTENCE, DOCTOR_OK,
         "once a replica"},
        {offsetof(struct ledger_facts, master), FACT_NO, CHECK_REDIS_ROLE, DOCTOR_FAIL,
         "is a replica"},
        {offsetof(struct ledger_facts, master), FACT_UNKNOWN, CHECK_REDIS_ROLE, DOCTOR_SKIPPED,
         "does not tell"},
        {offsetof(struct ledger_facts, cluster), FACT_YES, CHECK_REDIS_ROLE, DOCTOR_FAIL,
         "Redis Cluster"},
        {offsetof(struct ledger_facts, evicts), FACT_YES, CHECK_REDIS_EVICTION, DOCTOR_FAIL,
         "maxmemory-policy noeviction"},
        {offsetof(struct ledger_facts, evicts), FACT_UNKNOWN, CHECK_REDIS_EVICTION, DOCTOR_WARN,
         "noeviction"},
    };
    struct findings findings = {0};
    struct ledger_facts facts = good;

    (void)state;
    judge_redis(&findings, &good);
    for (int i = 0; i < findings.count; i++)
        assert_int_equal(findings.list[i].level, DOCTOR_OK);
    findings_clear(&findings);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        facts = good;
        *(enum ledger_fact *)(void *)((char *)&facts + cases[i].member) = cases[i].is;
        judge_redis(&findings, &facts);
        for (int k = 0; k < findings.count; k++)
            if (findings.list[k].check != cases[i].check)
                assert_int_equal(findings.list[k].level, DOCTOR_OK);
        expect(&findings, cases[i].check, cases[i].level, cases[i].words);
        findings_clear(&findings);
    }
    facts = good;
    snprintf(facts.version, sizeof(facts.version), "4.0.14");
    judge_redis(&findings, &facts);
    expect(&findings, CHECK_REDIS_VERSION, DOCTOR_FAIL, "Redis 5 or newer");
    findings_clear(&findings);
}

static void test_ledger(void **state)
{
    static const struct {
        struct ledger_look look;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {{LEDGER_LOOK_READY, 0}, DOCTOR_OK, "can be used"},
        {{LEDGER_LOOK_NONE, 0}, DOCTOR_WARN, "run `bigfusion setup`"},
        {{LEDGER_LOOK_LOST, 0}, DOCTOR_WARN, "start a pusher"},
        {{LEDGER_LOOK_LOST, 1}, DOCTOR_WARN, "filling it in"},
        {{LEDGER_LOOK_NONE, 1}, DOCTOR_WARN, "filling it in"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct findings findings = {0};

        judge_ledger(&findings, &cases[i].look);
        expect_only(&findings, CHECK_LEDGER, cases[i].level, cases[i].words);
    }
}

static void test_store(void **state)
{
    static const struct {
        int statuses[STORE_PROBE_COUNT];
        enum doctor_level token, scopes;
        const char *token_words, *scopes_words;
    } cases[] = {
        {{200, 200, 200, 200}, DOCTOR_OK, DOCTOR_OK, "takes the token", "may read orders"},
        {{200, 204, 200, 200}, DOCTOR_OK, DOCTOR_OK, "takes the token", "may read orders"},
        {{0, 0, 0, 0}, DOCTOR_AWAY, DOCTOR_SKIPPED, "refused by a test", "cannot be reached"},
        {{401, 401, 401, 401}, DOCTOR_FAIL, DOCTOR_SKIPPED, "HTTP 401", "could not be tried"},
        {{404, 404, 404, 404}, DOCTOR_FAIL, DOCTOR_SKIPPED, "check hash", "could not be tried"},
        {{429, 429, 429, 429}, DOCTOR_WARN, DOCTOR_SKIPPED, "once more", "could not be tried"},
        {{503, 503, 503, 503}, DOCTOR_AWAY, DOCTOR_SKIPPED, "maintenance", "could not be tried"},
        {{301, 301, 301, 301},
         DOCTOR_FAIL,
         DOCTOR_SKIPPED,
         "leads elsewhere (HTTP 301); check api_url",
         "could not be tried"},
        {{200, 403, 200, 200},
         DOCTOR_OK,
         DOCTOR_FAIL,
         "takes",
         "store_v2_orders_read_only; Orders:"},
        {{403, 200, 200, 200},
         DOCTOR_OK,
         DOCTOR_FAIL,
         "takes",
         "store_v2_information_read_only; Information & Settings:"},
        {{200, 200, 403, 403},
         DOCTOR_OK,
         DOCTOR_WARN,
         "takes",
         "store_v2_customers_read_only (not needed yet), store_v2_products_read_only (only for "
         "products = on); Customers, Products: set to read-only"},
        {{403, 403, 403, 403},
         DOCTOR_OK,
         DOCTOR_FAIL,
         "takes",
         "store_v2_information_read_only, store_v2_orders_read_only"},
        {{200, 500, 200, 0},
         DOCTOR_OK,
         DOCTOR_WARN,
         "takes",
         "store_v2_orders_read_only (not known: HTTP 500), store_v2_products_read_only (only for "
         "products = on) (not known: no answer)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct answer answers[STORE_PROBE_COUNT];
        struct findings findings = {0};

        for (int k = 0; k < STORE_PROBE_COUNT; k++)
            answers[k] = (struct answer){cases[i].statuses[k], "refused by a test", 0};
        judge_store(&findings, "main", answers);
        assert_int_equal(findings.count, 2);
        expect(&findings, CHECK_STORE_TOKEN, cases[i].token, cases[i].token_words);
        expect(&findings, CHECK_STORE_SCOPES, cases[i].scopes, cases[i].scopes_words);
        findings_clear(&findings);
    }
}

static void test_what_answers_is_no_store(void **state)
{
    const struct answer answers[STORE_PROBE_COUNT] = {
        {200, "", 1}, {200, "", 0}, {200, "", 0}, {200, "", 0}};
    struct findings findings = {0};

    (void)state;
    assert_int_equal(judge_store(&findings, "main", answers), -1);
    expect(&findings, CHECK_STORE_TOKEN, DOCTOR_FAIL, "no store of BigCommerce");
    expect(&findings, CHECK_STORE_SCOPES, DOCTOR_SKIPPED, "could not be tried");
    findings_clear(&findings);
}

static void test_a_finding_is_one_safe_line(void **state)
{
    struct findings findings = {0};

    (void)state;
    findings_add(&findings, CHECK_KAFKA, "s\xff", DOCTOR_OK, "a\nb", "%s",
                 "\033[2J \xc2\x9b"
                 "31m \xc3\xa9");
    assert_string_equal(findings.list[0].subject, "s\\xFF");
    assert_string_equal(findings.list[0].text, "\\x1B[2J \\xC2\\x9B"
                                               "31m \xc3\xa9");
    assert_string_equal(findings.list[0].advice, "a\\x0Ab");
    findings_clear(&findings);
}

static void test_credential(void **state)
{
    static const struct {
        int auth;
        enum infusionsoft_outcome outcome;
        enum doctor_level level;
        const char *words;
    } cases[] = {
        {AUTH_KEY, INFUSIONSOFT_OK, DOCTOR_OK, "takes it"},
        {AUTH_KEY, INFUSIONSOFT_UNAUTHORIZED, DOCTOR_FAIL, "a new key"},
        {AUTH_OAUTH, INFUSIONSOFT_UNAUTHORIZED, DOCTOR_FAIL, "authorize again"},
        {AUTH_KEY, INFUSIONSOFT_FORBIDDEN, DOCTOR_FAIL, "a new key"},
        {AUTH_KEY, INFUSIONSOFT_REFUSED, DOCTOR_FAIL, "check api_url"},
        {AUTH_KEY, INFUSIONSOFT_THROTTLED, DOCTOR_WARN, "quota"},
        {AUTH_KEY, INFUSIONSOFT_UNSENT, DOCTOR_AWAY, "why it is so; check api_url"},
        {AUTH_KEY, INFUSIONSOFT_IN_DOUBT, DOCTOR_AWAY, "in trouble"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char name[] = "main";
        const struct config_account account = {.name = name, .auth = cases[i].auth};
        const struct account_answer answer = {cases[i].outcome, "why it is so"};
        struct findings findings = {0};

        assert_int_equal(judge_credential(&findings, &account, &answer),
                         cases[i].outcome == INFUSIONSOFT_OK ? 0 : -1);
        expect_only(&findings, CHECK_ACCOUNT_CREDENTIAL, cases[i].level, cases[i].words);
    }
}

static void test_account(void **state)
{
    char name[] = "main", tenant[] = "ab123.infusionsoft.com", none[] = "";
    struct config_account account = {.name = name, .tenant = tenant};
    struct error other = {ERROR_PERMANENT, "it is of another"}, unknown = {ERROR_TEMPORARY, "?"};
    struct account_answer ok = {INFUSIONSOFT_OK, ""},
                          refused = {INFUSIONSOFT_FORBIDDEN, "HTTP 403"};
    const struct infusionsoft_field field = {"7", "_BigCommerceOrder"}, no_field = {"", ""};
    struct findings findings = {0};

    (void)state;
    assert_int_equal(judge_tenant(&findings, &account, tenant, NULL), 0);
    expect_only(&findings, CHECK_ACCOUNT_TENANT, DOCTOR_OK, "ab123.infusionsoft.com answers");
    assert_int_equal(judge_tenant(&findings, &account, "", &other), -1);
    expect_only(&findings, CHECK_ACCOUNT_TENANT, DOCTOR_FAIL, "correct tenant");
    assert_int_equal(judge_tenant(&findings, &account, "", &unknown), 0);
    expect_only(&findings, CHECK_ACCOUNT_TENANT, DOCTOR_WARN, "once more");
    account.tenant = none;
    assert_int_equal(judge_tenant(&findings, &account, "cd456", NULL), 0);
    expect_only(&findings, CHECK_ACCOUNT_TENANT, DOCTOR_OK, "cd456 answers; with `tenant` set");

    assert_int_equal(judge_ecommerce(&findings, name, &ok), 0);
    expect_only(&findings, CHECK_ACCOUNT_ECOMMERCE, DOCTOR_OK, "can be read");
    assert_int_equal(judge_ecommerce(&findings, name, &refused), -1);
    expect_only(&findings, CHECK_ACCOUNT_ECOMMERCE, DOCTOR_FAIL, "e-commerce module");

    judge_field(&findings, name, &ok, &field, "");
    expect_only(&findings, CHECK_ACCOUNT_FIELD, DOCTOR_OK, "of type TEXT is there (id 7)");
    judge_field(&findings, name, &ok, &no_field, "");
    expect_only(&findings, CHECK_ACCOUNT_FIELD, DOCTOR_FAIL, "missing; run `bigfusion setup`");
    judge_field(&findings, name, &ok, &no_field, "NUMBER");
    expect_only(&findings, CHECK_ACCOUNT_FIELD, DOCTOR_FAIL, "of type NUMBER, not TEXT; rename");
    judge_field(&findings, name, &refused, &no_field, "");
    expect_only(&findings, CHECK_ACCOUNT_FIELD, DOCTOR_FAIL, "HTTP 403");

    judge_stored_token(&findings, name, STORED_NONE);
    expect_only(&findings, CHECK_ACCOUNT_CREDENTIAL, DOCTOR_WARN, "run `bigfusion setup`");
    judge_stored_token(&findings, name, STORED_EXPIRED);
    expect_only(&findings, CHECK_ACCOUNT_CREDENTIAL, DOCTOR_WARN, "the doctor never does");
    judge_stored_token(&findings, name, STORED_UNREADABLE);
    expect_only(&findings, CHECK_ACCOUNT_CREDENTIAL, DOCTOR_FAIL, "authorize again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_kafka_clock),
        cmocka_unit_test(test_here),
        cmocka_unit_test(test_kafka_creates),
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_redis),
        cmocka_unit_test(test_ledger),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_what_answers_is_no_store),
        cmocka_unit_test(test_a_finding_is_one_safe_line),
        cmocka_unit_test(test_credential),
        cmocka_unit_test(test_account),
    };

    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
