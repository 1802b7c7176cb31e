/* The pure parts of the ledger: facts about a server, keys, digests, answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "ledger/handle.h"

static void test_info(void **state)
{
    static const char info[] = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nempty:\r\nlast:9";
    static const struct {
        const char *name, *value;
    } cases[] = {{"run_id", "abc"}, {"redis_version", "7.0"},
                 {"empty", ""},     {"last", "9"},
                 {"run", ""},       {"none", ""}};
    char value[4];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(ledger_info_value(value, sizeof(value), info, cases[i].name),
                            cases[i].value);
}

static void test_vouching(void **state)
{
    static const struct ledger_facts good = {.append_only = FACT_YES,
                                             .fsync_always = FACT_YES,
                                             .fsync_on_rewrite = FACT_YES,
                                             .never_promoted = FACT_YES,
                                             .master = FACT_YES};
    static const enum ledger_fact others[] = {FACT_NO, FACT_UNKNOWN};

    (void)state;
    assert_true(ledger_facts_vouch(&good));
    for (size_t i = 0; i < 2; i++) {
        struct ledger_facts facts = good;

        facts.append_only = others[i];
        assert_false(ledger_facts_vouch(&facts));
        facts = good;
        facts.fsync_always = others[i];
        assert_false(ledger_facts_vouch(&facts));
        facts = good;
        facts.fsync_on_rewrite = others[i];
        assert_false(ledger_facts_vouch(&facts));
        facts = good;
        facts.never_promoted = others[i];
        assert_false(ledger_facts_vouch(&facts));
        facts = good;
        facts.master = others[i];
        assert_false(ledger_facts_vouch(&facts));
    }
}

/* What INFO leaves out is unknown; it is said so and not as a fault. */
static void test_facts_of_info(void **state)
{
    static const char usual[] = "run_id:abc\r\naof_enabled:1\r\nrole:master\r\nmaxmemory:100\r\n"
                                "maxmemory_policy:noeviction\r\ncluster_enabled:0\r\n"
                                "master_replid2:0000\r\n";
    static const char other[] = "run_id:abc\r\naof_enabled:0\r\nrole:slave\r\nmaxmemory:100\r\n"
                                "maxmemory_policy:allkeys-lru\r\ncluster_enabled:1\r\n"
                                "master_replid2:00a0\r\n";
    static const char short_one[] = "run_id:abc\r\n";
    struct ledger_facts facts = {0};
    struct buffer warnings = {0};

    (void)state;
    ledger_facts_of_info(&facts, usual);
    assert_string_equal(facts.run, "abc");
    assert_true(facts.append_only == FACT_YES && facts.master == FACT_YES &&
                facts.never_promoted == FACT_YES && facts.evicts == FACT_NO &&
                facts.cluster == FACT_NO && facts.fsync_always == FACT_UNKNOWN);
    ledger_facts_warn(&facts, &warnings);
    assert_non_null(strstr(warnings.data, "could not be read: appendfsync, "
                                          "no-appendfsync-on-rewrite (CONFIG or"));
    assert_null(strstr(warnings.data, "appendonly is"));
    assert_null(strstr(warnings.data, "is not always"));
    buffer_reset(&warnings);
    facts = (struct ledger_facts){.fsync_always = FACT_YES, .fsync_on_rewrite = FACT_YES};
    ledger_facts_of_info(&facts, usual);
    ledger_facts_warn(&facts, &warnings);
    assert_int_equal(warnings.length, 0);
    ledger_facts_of_info(&facts, other);
    assert_true(facts.append_only == FACT_NO && facts.master == FACT_NO &&
                facts.never_promoted == FACT_NO && facts.evicts == FACT_YES &&
                facts.cluster == FACT_YES);
    ledger_facts_warn(&facts, &warnings);
    assert_null(strstr(warnings.data, "could not be read"));
    assert_non_null(strstr(warnings.data, "appendonly is off"));
    buffer_reset(&warnings);
    facts = (struct ledger_facts){0};
    ledger_facts_of_info(&facts, short_one);
    assert_true(facts.append_only == FACT_UNKNOWN && facts.master == FACT_UNKNOWN &&
                facts.never_promoted == FACT_UNKNOWN && facts.evicts == FACT_UNKNOWN &&
                facts.cluster == FACT_UNKNOWN);
    buffer_clear(&warnings);
}

/* What is kept is the latest: of a later epoch, or of the same with a higher counter. */
static void test_seen(void **state)
{
    static const struct {
        struct ledger_write write;
        struct ledger_write kept;
    } cases[] = {
        {{5, "a", 10}, {5, "a", 10}}, {{5, "a", 9}, {5, "a", 10}}, {{5, "b", 11}, {5, "b", 11}},
        {{4, "c", 99}, {5, "b", 11}}, {{6, "d", 1}, {6, "d", 1}},
    };
    struct ledger_seen *seen = ledger_seen_new();

    (void)state;
    assert_string_equal(ledger_seen_get(seen).run, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ledger_write kept;

        ledger_seen_add(seen, &cases[i].write);
        kept = ledger_seen_get(seen);
        assert_int_equal(kept.epoch, cases[i].kept.epoch);
        assert_string_equal(kept.run, cases[i].kept.run);
        assert_int_equal(kept.writes, cases[i].kept.writes);
    }
    ledger_seen_free(seen);
    assert_int_equal(ledger_fence_epoch("1700-5"), 1700);
    assert_int_equal(ledger_fence_epoch(""), 0);
}

static void test_keys(void **state)
{
    char key[LEDGER_KEY_BYTES], longest[LEDGER_KEY_BYTES];
    struct error err = {0};

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(
        ledger_entry_key(key, "p", text_of("main"), LEDGER_ORDER, text_of("abc/order/1"), &err), 0);
    assert_string_equal(key, "p:ledger:main:abc/order/1");
    assert_int_equal(
        ledger_entry_key(key, "p", text_of("main"), LEDGER_CONTACT, text_of("0f"), &err), 0);
    assert_string_equal(key, "p:ledger:main:contact:0f");
    assert_int_equal(
        ledger_entry_key(key, "p", text_of("main"), LEDGER_PRODUCT, text_of("0f"), &err), 0);
    assert_string_equal(key, "p:ledger:main:product:0f");
    assert_int_equal(ledger_entry_key(key, "p", text_of("main"), LEDGER_TAG, text_of("0f"), &err),
                     0);
    assert_string_equal(key, "p:ledger:main:tag:0f");
    assert_int_equal(ledger_entry_key(key, "p", text_of("main"), LEDGER_ORDER,
                                      (struct text){longest, sizeof(longest)}, &err),
                     -1);
    assert_int_equal(err.kind, ERROR_PERMANENT);
}

static void test_digest(void **state)
{
    char digest[DIGEST_BYTES], other[DIGEST_BYTES];
    const struct text one[] = {{"ab", 2}, {"c", 1}}, two[] = {{"a", 1}, {"bc", 2}};

    (void)state;
    digest_hex(digest, one, 0); /* SHA-256 of nothing */
    assert_string_equal(digest, "e3b0c44298fc1c149afbf4c8996fb924");
    digest_hex(digest, one, 2);
    digest_hex(other, two, 2);
    assert_string_not_equal(digest, other);
}

/* A reply of texts, as the scripts give it. */
static redisReply *reply_of(size_t count, const char *const *texts)
{
    redisReply *reply = mem_alloc(sizeof(*reply));

    reply->type = REDIS_REPLY_ARRAY;
    reply->elements = count;
    reply->element = mem_alloc((count + 1) * sizeof(*reply->element));
    for (size_t i = 0; i < count; i++) {
        reply->element[i] = mem_alloc(sizeof(redisReply));
        reply->element[i]->type = texts[i] == NULL ? REDIS_REPLY_NIL : REDIS_REPLY_STRING;
        reply->element[i]->str = mem_strdup(texts[i]);
        reply->element[i]->len = texts[i] == NULL ? 0 : strlen(texts[i]);
    }
    return reply;
}

static void reply_free(redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++) {
        free(reply->element[i]->str);
        free(reply->element[i]);
    }
    free(reply->element);
    free(reply);
}

static void test_grant(void **state)
{
    static const char *const texts[] = {"RECONCILE", "5", "17-5",    "1000", "order",  "400", "0",
                                        "3",         "",  "contact", "42",   "goal:x", "sent"};
    struct ledger_grant grant = {0};
    struct error err = {0};
    redisReply *reply = reply_of(13, texts);

    (void)state;
    assert_int_equal(ledger_grant_read(&grant, reply, 1000, &err), 0);
    assert_int_equal(grant.answer, LEDGER_RECONCILE);
    assert_string_equal(grant.fence, "17-5");
    assert_string_equal(grant.doubt, "order");
    assert_int_equal(grant.modified_at, 1000);
    assert_int_equal(grant.doubt_age_ms, 400);
    assert_int_equal(grant.doubt_visible_in_ms, 600);
    assert_true(grant.goals_in_doubt && grant.look_again && !grant.newer);
    assert_int_equal(grant.step_count, 2);
    assert_string_equal(ledger_grant_step(&grant, "contact"), "42");
    assert_string_equal(ledger_grant_step(&grant, "goal:x"), "sent");
    assert_null(ledger_grant_step(&grant, "order"));
    ledger_grant_clear(&grant);
    assert_int_equal(ledger_grant_read(&grant, reply, 400, &err), 0);
    assert_int_equal(grant.doubt_visible_in_ms, 0);
    ledger_grant_clear(&grant);
    reply_free(reply);
}

/* After a loss nothing need be in doubt, and yet what was done before the epoch may not be visible. */
static void test_grant_after_a_loss(void **state)
{
    static const char *const lost[] = {"GRANT", "5", "17-5", "1000",  "",  "400",
                                       "0",     "1", "",     "order", "55"};
    static const char *const sure[] = {"GRANT", "5", "17-5", "1000",  "",  "400",
                                       "0",     "0", "",     "order", "55"};
    struct ledger_grant grant = {0};
    struct error err = {0};
    redisReply *reply = reply_of(11, lost);

    (void)state;
    assert_int_equal(ledger_grant_read(&grant, reply, 1000, &err), 0);
    assert_null(grant.doubt);
    assert_true(grant.goals_in_doubt);
    assert_int_equal(grant.doubt_visible_in_ms, 600);
    ledger_grant_clear(&grant);
    reply_free(reply);
    reply = reply_of(11, sure);
    assert_int_equal(ledger_grant_read(&grant, reply, 1000, &err), 0);
    assert_false(grant.goals_in_doubt);
    assert_int_equal(grant.doubt_visible_in_ms, 600);
    ledger_grant_clear(&grant);
    assert_int_equal(ledger_grant_read(&grant, reply, 400, &err), 0);
    assert_int_equal(grant.doubt_visible_in_ms, 0);
    ledger_grant_clear(&grant);
    reply_free(reply);
}

static void test_odd_answers(void **state)
{
    static const struct {
        size_t count;
        const char *texts[10];
        int rc;
    } cases[] = {
        {1, {"LOST"}, 0},
        {9, {"BUSY", "0", "1-0", "1", "", "0", "70", "0", ""}, 0},
        {0, {NULL}, -1},
        {1, {NULL}, -1},
        {1, {"MAYBE"}, -1},
        {1, {"GRANT"}, -1},
        {8, {"GRANT", "0", "1-0", "1", "", "0", "70", "0"}, -1},
        {10, {"GRANT", "0", "1-0", "1", "", "0", "70", "0", "", "odd"}, -1},
        {9, {"GRANT", "0", "1-0", "1", "", "0", "70", "x", ""}, -1},
        {9, {"GRANT", "0", "1-0", "1", "", "0", "70", NULL, ""}, -1},
        {9,
         {"GRANT", "0", "1111111111111111111111111111111111111111111111111-0", "1", "", "0", "70",
          "0", ""},
         -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ledger_grant grant = {0};
        struct error err = {0};
        redisReply *reply = reply_of(cases[i].count, cases[i].texts);

        if (ledger_grant_read(&grant, reply, 0, &err) != cases[i].rc)
            fail_msg("case %zu", i);
        assert_int_equal(err.kind, cases[i].rc == 0 ? ERROR_NONE : ERROR_TEMPORARY);
        ledger_grant_clear(&grant);
        reply_free(reply);
    }
}

static void test_error_replies(void **state)
{
    static const struct {
        const char *text;
        enum error_kind kind;
    } cases[] = {
        {"WRONGTYPE Operation against a key holding the wrong kind of value", ERROR_PERMANENT},
        {"ERR Error running script (call to f_1): @user_script:5: WRONGTYPE Operation",
         ERROR_PERMANENT},
        {"DAMAGED state", ERROR_PERMANENT},
        {"NOAUTH Authentication required.", ERROR_TEMPORARY},
        {"OOM command not allowed when used memory > 'maxmemory'.", ERROR_TEMPORARY},
        {"LOADING Redis is loading the dataset in memory", ERROR_TEMPORARY},
        {"READONLY You can't write against a read only replica.", ERROR_TEMPORARY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        redisReply reply = {.type = REDIS_REPLY_ERROR, .str = (char *)cases[i].text};
        struct error err = {0};

        assert_int_equal(redis_reply_check(&reply, &err), -1);
        if (err.kind != cases[i].kind)
            fail_msg("%s", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info),          cmocka_unit_test(test_vouching),
        cmocka_unit_test(test_facts_of_info), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_digest),        cmocka_unit_test(test_seen),
        cmocka_unit_test(test_grant),         cmocka_unit_test(test_grant_after_a_loss),
        cmocka_unit_test(test_odd_answers),   cmocka_unit_test(test_error_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
