/* test_why.c - the one answer to where an order is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history/why.h"

static const int64_t now_ms = INT64_C(1790000000000); /* 2026-09-21T14:13:20Z */

static struct order_state empty_state(void)
{
    struct order_state state;

    order_state_init(&state);
    return state;
}

static struct order_fate fate_of(enum reason reason, const char *detail)
{
    struct order_fate fate = {.is_there = 1,
                              .time_ms = now_ms - 1000,
                              .version = 5,
                              .reason = reason,
                              .placed_ms = -1,
                              .created_ms = now_ms - 1500};

    snprintf(fate.detail, sizeof(fate.detail), "%s", detail);
    return fate;
}

static struct order_state under_way(enum spot_kind kind, enum reason reason)
{
    struct order_state state = empty_state();

    state.progress =
        (struct order_progress){.kind = kind,
                                .time_ms = now_ms - 9000,
                                .version = 5,
                                .next_try_ms = kind == SPOT_RETRY ? now_ms + 51000 : -1,
                                .attempt = 1,
                                .reason = reason};
    snprintf(state.progress.account, sizeof(state.progress.account), "main");
    snprintf(state.progress.detail, sizeof(state.progress.detail), "contact: HTTP 500");
    state.since_ms = now_ms - 9000;
    state.since_version = 5;
    return state;
}

static void check(const struct why_facts *facts, enum why_verdict verdict, enum reason reason,
                  const char *sentence, const char *next, int64_t next_at_ms)
{
    struct why_answer answer;

    why_decide(facts, &answer);
    print_message("%s | %s\n", answer.sentence, answer.next);
    assert_string_equal(why_verdict_name(answer.verdict), why_verdict_name(verdict));
    assert_string_equal(reason_name(answer.reason), reason_name(reason));
    assert_non_null(strstr(answer.sentence, sentence));
    assert_non_null(strstr(answer.next, next));
    assert_int_equal(answer.next_at_ms, next_at_ms);
}

static struct why_facts facts_of(const struct order_state *state)
{
    return (struct why_facts){
        .name = "BC #1042", .state = state, .next_poll_ms = -1, .now_ms = now_ms};
}

static void test_delivered(void **unused)
{
    struct order_state state = empty_state();
    struct why_facts facts = facts_of(&state);

    (void)unused;
    state.delivered = fate_of(REASON_NONE, "");
    strcpy(state.delivered.account, "main");
    strcpy(state.delivered.order_id, "300008");
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE,
          "BC #1042 is in Infusionsoft account main as order 300008 since 2026-09-21T14:13:18Z.",
          "", -1);
    /* a later version that is skipped, or on its way, changes nothing */
    state.skipped = fate_of(REASON_STATUS, "");
    state.skipped.version = 9;
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE, "order 300008", "", -1);
    /* the ledger knows, the topics do not say it yet */
    state = under_way(SPOT_PAYLOADS, REASON_NONE);
    facts.is_done = 1;
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE, "BC #1042 is in Infusionsoft.", "", -1);
    facts.state = NULL;
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE, "BC #1042 is in Infusionsoft.", "", -1);
}

static void test_skipped_and_dead(void **unused)
{
    static const enum reason skipped[] = {REASON_ARCHIVED,     REASON_STATUS,
                                          REASON_BEFORE_START, REASON_UNKNOWN_STATUS,
                                          REASON_NO_EMAIL,     REASON_INVALID_EMAIL};
    static const enum reason dead[] = {
        REASON_MALFORMED, REASON_TOO_LARGE, REASON_TOTAL_MISMATCH, REASON_CURRENCY_MISMATCH,
        REASON_REFUSED,   REASON_GAVE_UP,   REASON_POISON};

    (void)unused;
    for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++) {
        struct order_state state = under_way(SPOT_RAW, REASON_NONE);
        struct why_facts facts = facts_of(&state);

        state.skipped = fate_of(skipped[i], "status 7 Awaiting Payment");
        check(&facts, WHY_VERDICT_SKIPPED, skipped[i], reason_sentence(skipped[i]), "", -1);
        check(&facts, WHY_VERDICT_SKIPPED, skipped[i], "(status 7 Awaiting Payment)", "", -1);
    }
    for (size_t i = 0; i < sizeof(dead) / sizeof(*dead); i++) {
        struct order_state state = under_way(SPOT_PAYLOADS, REASON_NONE);
        struct why_facts facts = facts_of(&state);

        state.dead = fate_of(dead[i], "");
        check(&facts, WHY_VERDICT_DEAD, dead[i], reason_sentence(dead[i]), "bigfusion retry", -1);
    }
}

static void test_under_way(void **unused)
{
    static const struct {
        enum spot_kind kind;
        enum reason own;
        const char *doubt;
        enum why_verdict verdict;
        enum reason reason;
        const char *sentence, *next;
        int64_t next_in_ms; /* -1: none */
    } cases[] = {
        {SPOT_RAW, REASON_NONE, NULL, WHY_VERDICT_WAITING, REASON_QUEUED, "waits for the filter",
         "the filter", -1},
        {SPOT_ELIGIBLE, REASON_NONE, "", WHY_VERDICT_WAITING, REASON_QUEUED, "waits for the mapper",
         "the mapper", -1},
        {SPOT_PAYLOADS, REASON_NONE, NULL, WHY_VERDICT_WAITING, REASON_QUEUED,
         "waits for the pusher", "the pusher", -1},
        {SPOT_PAYLOADS, REASON_NONE, "order", WHY_VERDICT_WAITING, REASON_IN_DOUBT, "step order",
         "looked up", -1},
        {SPOT_RETRY, REASON_RETRYING, NULL, WHY_VERDICT_RETRYING, REASON_RETRYING,
         "1 attempt has failed (contact: HTTP 500)", "2026-09-21T14:14:11.000Z", 51000},
        {SPOT_RETRY, REASON_RETRYING, "order", WHY_VERDICT_WAITING, REASON_IN_DOUBT, "was lost",
         "looked up", 51000},
        {SPOT_RETRY, REASON_IN_DOUBT, NULL, WHY_VERDICT_WAITING, REASON_IN_DOUBT, "was lost",
         "looked up", 51000},
        {SPOT_WAITING, REASON_ACCOUNT_CLOSED, NULL, WHY_VERDICT_WAITING, REASON_ACCOUNT_CLOSED,
         "waits for account main", "answers again", -1},
        {SPOT_WAITING, REASON_ACCOUNT_CLOSED, "order", WHY_VERDICT_WAITING, REASON_ACCOUNT_CLOSED,
         "waits for account main", "answers again", -1},
        {SPOT_WAITING_ORDERS, REASON_ECOMMERCE_UNAVAILABLE, NULL, WHY_VERDICT_WAITING,
         REASON_ECOMMERCE_UNAVAILABLE, "no e-commerce module", "e-commerce module", -1},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct order_state state = under_way(cases[i].kind, cases[i].own);
        struct why_facts facts = facts_of(&state);

        facts.doubt = cases[i].doubt;
        check(&facts, cases[i].verdict, cases[i].reason, cases[i].sentence, cases[i].next,
              cases[i].next_in_ms >= 0 ? now_ms + cases[i].next_in_ms : -1);
        /* a paused account is what it waits for; a paused store holds up no order that was seen */
        facts.is_store_paused = 1;
        check(&facts, cases[i].verdict, cases[i].reason, cases[i].sentence, cases[i].next,
              cases[i].next_in_ms >= 0 ? now_ms + cases[i].next_in_ms : -1);
        facts.is_account_paused = 1;
        check(&facts, cases[i].verdict, cases[i].reason, cases[i].sentence, "bigfusion resume", -1);
        check(&facts, cases[i].verdict, cases[i].reason, "An operator paused its account.",
              "bigfusion resume", -1);
        if (cases[i].reason == REASON_ACCOUNT_CLOSED)
            check(&facts, cases[i].verdict, cases[i].reason,
                  "BC #1042 waits for account main. An operator paused", "", -1);
    }
}

static void test_never_seen(void **unused)
{
    static const struct {
        enum why_store store;
        int64_t next_poll_in_ms; /* INT64_MIN: not known */
        enum why_verdict verdict;
        enum reason reason;
        const char *sentence;
    } cases[] = {
        {WHY_STORE_HAS, 12000, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "The next poll is in 12 s."},
        {WHY_STORE_HAS, -90000, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "late by 90 s"},
        {WHY_STORE_HAS, INT64_MIN, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "is not known"},
        {WHY_STORE_BEFORE_START, INT64_MIN, WHY_VERDICT_SKIPPED, REASON_BEFORE_START, "start_from"},
        {WHY_STORE_HAS_NOT, INT64_MIN, WHY_VERDICT_UNKNOWN, REASON_NONE, "does not know BC #1042"},
        {WHY_STORE_SILENT, INT64_MIN, WHY_VERDICT_UNKNOWN, REASON_NONE, "HTTP 503"},
        {WHY_STORE_NONE, INT64_MIN, WHY_VERDICT_UNKNOWN, REASON_NONE, "No store is configured"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t at_ms =
            cases[i].next_poll_in_ms != INT64_MIN ? now_ms + cases[i].next_poll_in_ms : -1;
        struct why_facts facts = facts_of(NULL);

        facts.store = cases[i].store;
        facts.store_error = "it answers HTTP 503";
        facts.next_poll_ms = at_ms;
        check(&facts, cases[i].verdict, cases[i].reason, cases[i].sentence, "", at_ms);
        facts.is_store_paused = 1;
        if (cases[i].store == WHY_STORE_HAS) /* no poll comes, so the sentence names none */
            check(&facts, cases[i].verdict, cases[i].reason,
                  "no poll has seen it yet. An operator paused its store.", "bigfusion resume", -1);
    }
}

/* Whatever the facts are, there is one verdict, its reason belongs to it, and there is a sentence. */
static void test_always_one_answer(void **unused)
{
    unsigned seed = 7;

    (void)unused;
    for (int round = 0; round < 20000; round++) {
        struct order_state state = empty_state();
        struct why_facts facts = facts_of(rand_r(&seed) % 8 ? &state : NULL);
        struct why_answer answer;
        enum reason reason;

        state.progress.kind = rand_r(&seed) % (SPOT_WAITING_ORDERS + 1);
        state.progress.reason = rand_r(&seed) % REASON_COUNT;
        state.progress.version = rand_r(&seed) % 3;
        state.delivered.is_there = rand_r(&seed) % 4 == 0;
        state.skipped = fate_of(REASON_STATUS, "");
        state.skipped.is_there = rand_r(&seed) % 2;
        state.skipped.version = rand_r(&seed) % 3;
        state.dead = fate_of(REASON_REFUSED, "");
        state.dead.is_there = rand_r(&seed) % 2;
        state.dead.version = rand_r(&seed) % 3;
        facts.is_done = rand_r(&seed) % 8 == 0;
        facts.doubt = rand_r(&seed) % 4 == 0 ? "order" : NULL;
        facts.store = rand_r(&seed) % (WHY_STORE_NONE + 1);
        facts.is_store_paused = rand_r(&seed) % 2;
        facts.is_account_paused = rand_r(&seed) % 2;
        why_decide(&facts, &answer);
        reason = answer.reason;
        assert_true(answer.sentence[0] != '\0');
        switch (answer.verdict) {
        case WHY_VERDICT_SYNCED:
        case WHY_VERDICT_UNKNOWN:
            assert_int_equal(reason, REASON_NONE);
            break;
        case WHY_VERDICT_SKIPPED:
            assert_true(reason == REASON_STATUS || reason == REASON_BEFORE_START);
            break;
        case WHY_VERDICT_DEAD:
            assert_int_equal(reason, REASON_REFUSED);
            break;
        case WHY_VERDICT_RETRYING:
            assert_int_equal(reason, REASON_RETRYING);
            break;
        default:
            assert_int_equal(answer.verdict, WHY_VERDICT_WAITING);
            assert_int_not_equal(reason, REASON_NONE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivered),         cmocka_unit_test(test_skipped_and_dead),
        cmocka_unit_test(test_under_way),         cmocka_unit_test(test_never_seen),
        cmocka_unit_test(test_always_one_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
