#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mapping/rule.h"

enum { DEFAULT_STATUSES = 1 << 2 | 1 << 3 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 14 };

static struct rule_facts good_facts(void)
{
    return (struct rule_facts){.status_id = 11,
                               .placed_at_ms = 2000,
                               .start_from_ms = 1000,
                               .statuses = DEFAULT_STATUSES,
                               .email = text_of("jane@example.com")};
}

static void expect(const char *name, struct rule_facts facts, enum rule_answer answer,
                   enum reason reason)
{
    enum reason got_reason = REASON_COUNT;
    enum rule_answer got = rule_check(&facts, &got_reason);

    if (got != answer || got_reason != reason)
        fail_msg("%s: answer %d, reason %s", name, got, reason_name(got_reason));
}

static void test_statuses(void **state)
{
    (void)state;
    for (int64_t id = -1; id <= 16; id++) {
        struct rule_facts facts = good_facts();
        int is_known = id >= 0 && id <= 14;
        int is_withdrawn = id == 4 || id == 5 || id == 6 || id == 12 || id == 13;
        int is_synced = is_known && (DEFAULT_STATUSES >> id & 1) != 0;

        facts.status_id = id;
        if (is_withdrawn)
            expect("withdrawn", facts, RULE_WITHDRAWN, REASON_NONE);
        else if (is_synced)
            expect("synced", facts, RULE_PASS, REASON_NONE);
        else
            expect("not synced", facts, RULE_SKIP,
                   is_known ? REASON_STATUS : REASON_UNKNOWN_STATUS);
    }
}

static void test_status_extremes(void **state)
{
    struct rule_facts facts = good_facts();

    (void)state;
    facts.status_id = INT64_MAX;
    expect("largest", facts, RULE_SKIP, REASON_UNKNOWN_STATUS);
    facts.status_id = INT64_MIN;
    expect("smallest", facts, RULE_SKIP, REASON_UNKNOWN_STATUS);
    facts.status_id = 32 + 11;
    expect("a bit further round", facts, RULE_SKIP, REASON_UNKNOWN_STATUS);
    facts = good_facts();
    facts.statuses = 1 << 7;
    expect("not in the store's list", facts, RULE_SKIP, REASON_STATUS);
    facts.status_id = 7;
    expect("only in the store's list", facts, RULE_PASS, REASON_NONE);
    facts.statuses = 1 << 5;
    facts.status_id = 5;
    expect("taken back whatever the list says", facts, RULE_WITHDRAWN, REASON_NONE);
}

static void test_start(void **state)
{
    struct rule_facts facts = good_facts();

    (void)state;
    facts.placed_at_ms = 1000;
    expect("placed as the store starts", facts, RULE_PASS, REASON_NONE);
    facts.placed_at_ms = 999;
    expect("placed before", facts, RULE_SKIP, REASON_BEFORE_START);
    facts.start_from_ms = 0;
    expect("the store takes all", facts, RULE_PASS, REASON_NONE);
    facts.migrated = 1;
    expect("migrated", facts, RULE_SKIP, REASON_BEFORE_START);
    facts.asked_for = 1;
    expect("migrated, in a backfill", facts, RULE_PASS, REASON_NONE);
    facts = good_facts();
    facts.placed_at_ms = 1;
    facts.asked_for = 1;
    expect("old, in a backfill", facts, RULE_PASS, REASON_NONE);
}

static void test_emails(void **state)
{
    static const struct {
        const char *email;
        enum reason reason;
    } cases[] = {
        {NULL, REASON_NO_EMAIL},
        {"", REASON_NO_EMAIL},
        {"jane@example.com", REASON_NONE},
        {"Jane.O'Neil+shop@sub.example.co.uk", REASON_NONE},
        {"j\xc3\xb6rg@m\xc3\xbcller.example", REASON_NONE},
        {"jane", REASON_INVALID_EMAIL},
        {"@example.com", REASON_INVALID_EMAIL},
        {"jane@", REASON_INVALID_EMAIL},
        {"@", REASON_INVALID_EMAIL},
        {"jane doe@example.com", REASON_INVALID_EMAIL},
        {"jane@exam ple.com", REASON_INVALID_EMAIL},
        {"jane@example\t.com", REASON_INVALID_EMAIL},
        {"a@b.co,c@d.co", REASON_INVALID_EMAIL},
        {"a@b.co;c@d.co", REASON_INVALID_EMAIL},
        {"a@b@c.example", REASON_INVALID_EMAIL},
        {"\"a@b\"@c.example", REASON_INVALID_EMAIL},
        {"jane@@example.com", REASON_INVALID_EMAIL},
        {"jane@example.com,", REASON_INVALID_EMAIL},
        {"jane,doe@example.com", REASON_INVALID_EMAIL},
        {"jane;doe@example.com", REASON_INVALID_EMAIL},
        {"mailto:jane@example.com", REASON_INVALID_EMAIL},
        {"<script>@x", REASON_INVALID_EMAIL},
        {"jane>doe@example.com", REASON_INVALID_EMAIL},
        {"<jane@example.com>", REASON_INVALID_EMAIL},
        {"jane(home)@example.com", REASON_INVALID_EMAIL},
        {"jane)@example.com", REASON_INVALID_EMAIL},
        {"jane@[192.0.2.1]", REASON_NONE},
        {"jane&co=1!#$%*/?^_`{|}~@example.com", REASON_NONE},
        {"jane\xc2\xa0@example.com", REASON_INVALID_EMAIL},
        /* 75 and 76 characters */
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg@example.com",
         REASON_NONE},
        {"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg@example.com",
         REASON_INVALID_EMAIL},
        /* 75 characters, more bytes */
        {"\xc3\xa9"
         "aaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg@example.com",
         REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rule_facts facts = good_facts();

        facts.email = text_of(cases[i].email);
        expect(cases[i].email != NULL ? cases[i].email : "none", facts,
               cases[i].reason == REASON_NONE ? RULE_PASS : RULE_SKIP, cases[i].reason);
    }
}

/* Where several reasons hold, one counts: the facts are mended one by one, from the last to be
 * looked at. */
static void test_precedence(void **state)
{
    struct rule_facts facts = {.status_id = 5,
                               .placed_at_ms = 1,
                               .start_from_ms = 1000,
                               .statuses = DEFAULT_STATUSES,
                               .migrated = 1,
                               .email = text_of("nobody")};

    (void)state;
    expect("withdrawn, not reachable", facts, RULE_SKIP, REASON_STATUS);
    facts.email = text_of("jane@example.com");
    expect("withdrawn, whatever the date", facts, RULE_WITHDRAWN, REASON_NONE);
    facts.archived = 1;
    expect("withdrawn, then archived", facts, RULE_WITHDRAWN, REASON_NONE);
    facts.email = text_of("");
    facts.status_id = 99;
    expect("archived", facts, RULE_SKIP, REASON_ARCHIVED);
    facts.asked_for = 1;
    expect("archived, in a backfill", facts, RULE_SKIP, REASON_ARCHIVED);
    facts.asked_for = facts.archived = 0;
    expect("before_start", facts, RULE_SKIP, REASON_BEFORE_START);
    facts.placed_at_ms = 1000;
    facts.migrated = 0;
    expect("unknown_status", facts, RULE_SKIP, REASON_UNKNOWN_STATUS);
    facts.status_id = 0;
    expect("status", facts, RULE_SKIP, REASON_STATUS);
    facts.status_id = 2;
    expect("no_email", facts, RULE_SKIP, REASON_NO_EMAIL);
    facts.email = text_of("nobody");
    expect("invalid_email", facts, RULE_SKIP, REASON_INVALID_EMAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),   cmocka_unit_test(test_status_extremes),
        cmocka_unit_test(test_start),      cmocka_unit_test(test_emails),
        cmocka_unit_test(test_precedence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
