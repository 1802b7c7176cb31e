/* test_why.c - the one answer to where an order is. */
#include "why_states.h"

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
    /* an account with orders = off */
    state.delivered.order_id[0] = '\0';
    strcpy(state.delivered.contact_id, "42");
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE,
          "BC #1042 was delivered without an order in Infusionsoft: its account has orders = off.",
          "", -1);
    /* the ledger knows, the topics do not say it yet */
    state = under_way(SPOT_PAYLOADS, REASON_NONE);
    facts.is_done = 1;
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE, "BC #1042 is in Infusionsoft.", "", -1);
    facts.state = NULL;
    check(&facts, WHY_VERDICT_SYNCED, REASON_NONE, "BC #1042 is in Infusionsoft.", "", -1);
}

static void test_skipped(void **unused)
{
    static const struct {
        enum reason reason;
        const char *detail, *sentence, *next;
    } cases[] = {
        {REASON_STATUS, "status 7 Awaiting Payment",
         "BC #1042 is not sent to Infusionsoft because its status is Awaiting Payment.",
         "as soon as it is paid"},
        {REASON_STATUS, "status 5 Cancelled", "because its status is Cancelled.",
         "as soon as its status"},
        {REASON_STATUS, "status 5 ", "because its status is one that is not synced (status 5 ).",
         "as soon as its status"},
        {REASON_STATUS, "", "because its status is one that is not synced.", "as soon as"},
        {REASON_UNKNOWN_STATUS, "status 77 is not known",
         "because its status id is not known (status 77 is not known).", "as soon as its status"},
        {REASON_ARCHIVED, "The order was archived in the store.",
         "BC #1042 is not sent to Infusionsoft because it was archived in the store.", ""},
        {REASON_BEFORE_START, "placed 2020-01-01T00:00:00Z, the store starts from 2026-01-01",
         "because it was placed before the store's start_from, or was migrated (placed 2020-01-01T"
         "00:00:00Z, the store starts from 2026-01-01).",
         ""},
        {REASON_NO_EMAIL, "The order's billing address has no e-mail address.",
         "because its billing address has no e-mail address.", "usable e-mail address"},
        {REASON_INVALID_EMAIL, "", "because its e-mail address is not a usable one.",
         "usable e-mail address"},
        {REASON_DROPPED, "", "because an operator dropped it, as the audit tells.",
         "later change of the order"},
        {REASON_NONE, "by something unknown", "is not sent to Infusionsoft (by something unknown).",
         ""},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct order_state state = under_way(SPOT_RAW, REASON_NONE);
        struct why_facts facts = facts_of(&state);

        state.skipped = fate_of(cases[i].reason, cases[i].detail);
        check(&facts, WHY_VERDICT_SKIPPED, cases[i].reason, cases[i].sentence, cases[i].next, -1);
        facts.is_account_paused = facts.is_store_paused = 1; /* holds up nothing that has ended */
        check(&facts, WHY_VERDICT_SKIPPED, cases[i].reason, cases[i].sentence, cases[i].next, -1);
    }
}

static void test_dead(void **unused)
{
    static const enum reason dead[] = {
        REASON_MALFORMED, REASON_TOO_LARGE, REASON_TOTAL_MISMATCH, REASON_CURRENCY_MISMATCH,
        REASON_REFUSED,   REASON_GAVE_UP,   REASON_POISON};

    (void)unused;
    for (size_t i = 0; i < sizeof(dead) / sizeof(*dead); i++) {
        struct order_state state = under_way(SPOT_PAYLOADS, REASON_NONE);
        struct why_facts facts = facts_of(&state);

        state.dead = fate_of(dead[i], "");
        check(&facts, WHY_VERDICT_DEAD, dead[i], reason_sentence(dead[i]), "bigfusion retry", -1);
        state.dead = fate_of(dead[i], "order: HTTP 422");
        check(&facts, WHY_VERDICT_DEAD, dead[i], " (order: HTTP 422).", "bigfusion retry", -1);
    }
}

/* What several records say together: the newest version counts, and a delivered order stays. */
static void test_conflicts(void **unused)
{
    static const struct {
        const char *name;
        struct {
            enum spot_kind kind;
            int64_t version, replay_ms;
            int is_withdrawn, is_tombstone;
        } records[4];
        const char *doubt;
        int is_done;
        enum why_verdict verdict;
        enum reason reason;
        const char *sentence;
    } cases[] = {
        {"a newer version of a delivered order is on its way",
         {{SPOT_DELIVERED, 5, 0, 0, 0}, {SPOT_PAYLOADS, 9, 0, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_SYNCED,
         REASON_NONE,
         "is in Infusionsoft"},
        {"a delivered order is refunded, and a step is in doubt",
         {{SPOT_DELIVERED, 5, 0, 0, 0}, {SPOT_SKIPPED, 9, 0, 0, 0}},
         "note",
         0,
         WHY_VERDICT_SYNCED,
         REASON_NONE,
         "is in Infusionsoft"},
        {"delivered after it was dead",
         {{SPOT_DEAD, 5, 0, 0, 0}, {SPOT_DELIVERED, 5, 7, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_SYNCED,
         REASON_NONE,
         "is in Infusionsoft"},
        {"the ledger says done, the topics say retrying",
         {{SPOT_RETRY, 5, 0, 0, 0}},
         "",
         1,
         WHY_VERDICT_SYNCED,
         REASON_NONE,
         "BC #1042 is in Infusionsoft."},
        {"the ledger says done, the topics say dead",
         {{SPOT_DEAD, 5, 0, 0, 0}},
         NULL,
         1,
         WHY_VERDICT_SYNCED,
         REASON_NONE,
         "BC #1042 is in Infusionsoft."},
        {"withdrawn while it is in a retry topic",
         {{SPOT_RETRY, 5, 0, 0, 0}, {SPOT_ELIGIBLE, 9, 0, 1, 0}},
         NULL,
         0,
         WHY_VERDICT_WAITING,
         REASON_QUEUED,
         "The cancellation of BC #1042 is on its way"},
        {"withdrawn, and the withdrawal ended",
         {{SPOT_RETRY, 5, 0, 0, 0}, {SPOT_PAYLOADS, 9, 0, 1, 0}, {SPOT_SKIPPED, 9, 0, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_SKIPPED,
         REASON_STATUS,
         "is not sent"},
        {"paid after it was skipped",
         {{SPOT_SKIPPED, 5, 0, 0, 0}, {SPOT_RAW, 9, 0, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_WAITING,
         REASON_QUEUED,
         "waits for the filter"},
        {"dead, and sent again",
         {{SPOT_DEAD, 5, 0, 0, 0}, {SPOT_PAYLOADS, 5, 7, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_WAITING,
         REASON_QUEUED,
         "waits for the pusher"},
        {"sent again, and it failed again",
         {{SPOT_DEAD, 5, 0, 0, 0}, {SPOT_RETRY, 5, 7, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_RETRYING,
         REASON_RETRYING,
         "is tried again"},
        {"sent again, and in doubt",
         {{SPOT_DEAD, 5, 0, 0, 0}, {SPOT_PAYLOADS, 5, 7, 0, 0}},
         "order",
         0,
         WHY_VERDICT_WAITING,
         REASON_IN_DOUBT,
         "step order"},
        {"dead, and a doubt that nobody cleared",
         {{SPOT_RETRY, 5, 0, 0, 0}, {SPOT_DEAD, 5, 0, 0, 0}},
         "order",
         0,
         WHY_VERDICT_DEAD,
         REASON_REFUSED,
         "waits for a person"},
        {"an older version lies behind a newer fate",
         {{SPOT_DEAD, 9, 0, 0, 0}, {SPOT_RETRY, 5, 0, 0, 0}},
         NULL,
         0,
         WHY_VERDICT_DEAD,
         REASON_REFUSED,
         "waits for a person"},
        {"only a fate that was taken back",
         {{SPOT_DEAD, 5, 0, 0, 0}, {SPOT_DEAD, -1, 0, 0, 1}},
         NULL,
         0,
         WHY_VERDICT_UNKNOWN,
         REASON_NONE,
         "does not know BC #1042"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct order_state state = empty_state();
        struct why_facts facts = facts_of(&state);
        struct why_answer answer;

        for (int j = 0; j < 4 && cases[i].records[j].kind != SPOT_NONE; j++) {
            enum spot_kind kind = cases[i].records[j].kind;
            struct order_record record = {.kind = kind,
                                          .offset = j,
                                          .time_ms = now_ms - 1000 + j,
                                          .since_ms = now_ms - 2000,
                                          .version = cases[i].records[j].version,
                                          .replay_ms = cases[i].records[j].replay_ms,
                                          .is_withdrawn = cases[i].records[j].is_withdrawn,
                                          .is_tombstone = cases[i].records[j].is_tombstone,
                                          .next_try_ms = kind == SPOT_RETRY ? now_ms + 1 : -1,
                                          .placed_ms = -1,
                                          .created_ms = -1,
                                          .reason = kind == SPOT_RETRY     ? REASON_RETRYING
                                                    : kind == SPOT_SKIPPED ? REASON_STATUS
                                                    : kind == SPOT_DEAD    ? REASON_REFUSED
                                                                           : REASON_NONE};

            order_state_apply(&state, &record);
        }
        facts.doubt = cases[i].doubt;
        facts.is_done = cases[i].is_done;
        facts.store = WHY_STORE_HAS_NOT;
        why_decide(&facts, &answer);
        print_message("%s: %s\n", cases[i].name, answer.sentence);
        assert_string_equal(why_verdict_name(answer.verdict), why_verdict_name(cases[i].verdict));
        assert_string_equal(reason_name(answer.reason), reason_name(cases[i].reason));
        assert_non_null(strstr(answer.sentence, cases[i].sentence));
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
         "1 attempt has failed (contact: HTTP 500)", "It is tried again by itself.", 51000},
        {SPOT_RETRY, REASON_RETRYING, "order", WHY_VERDICT_WAITING, REASON_IN_DOUBT, "was lost",
         "looked up", 51000},
        {SPOT_RETRY, REASON_IN_DOUBT, NULL, WHY_VERDICT_WAITING, REASON_IN_DOUBT, "was lost",
         "looked up", 51000},
        {SPOT_WAITING, REASON_ACCOUNT_CLOSED, NULL, WHY_VERDICT_WAITING, REASON_ACCOUNT_CLOSED,
         "waits for account main. The Infusionsoft account cannot be reached for now (contact: "
         "HTTP "
         "500).",
         "answers again", -1},
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
        check(&facts, cases[i].verdict, cases[i].reason, "An operator paused its account.",
              "`bigfusion resume`", -1);
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
        {WHY_STORE_HAS, 999, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "The next poll is due now."},
        {WHY_STORE_HAS, -5000, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "is due now."},
        {WHY_STORE_HAS, -90000, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "late by 90 s"},
        {WHY_STORE_HAS, INT64_MIN, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "is not known"},
        {WHY_STORE_HISTORY, INT64_MIN, WHY_VERDICT_WAITING, REASON_NEXT_POLL, "piece by piece"},
        {WHY_STORE_BEFORE_START, INT64_MIN, WHY_VERDICT_SKIPPED, REASON_BEFORE_START, "start_from"},
        {WHY_STORE_ARCHIVED, INT64_MIN, WHY_VERDICT_SKIPPED, REASON_ARCHIVED, "was archived"},
        {WHY_STORE_HAS_NOT, INT64_MIN, WHY_VERDICT_UNKNOWN, REASON_NONE, "does not know BC #1042"},
        {WHY_STORE_SILENT, INT64_MIN, WHY_VERDICT_UNKNOWN, REASON_NONE,
         "could not be asked: it answers HTTP 503."},
        {WHY_STORE_NOT_ASKED, INT64_MIN, WHY_VERDICT_UNKNOWN, REASON_NONE, "could not be asked"},
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
        /* an index that is behind may not have seen the order yet: every such answer says so */
        facts.is_behind = 1;
        check(&facts, cases[i].verdict, cases[i].reason, "has not read everything yet", "", at_ms);
    }
}

static void test_store_in_trouble(void **unused)
{
    struct why_facts facts = facts_of(NULL);

    (void)unused;
    facts.store = WHY_STORE_HAS;
    facts.next_poll_ms = now_ms + 12000;
    facts.poll_trouble = "HTTP 503";
    check(&facts, WHY_VERDICT_WAITING, REASON_NEXT_POLL,
          "The next poll is in 12 s. The last poll failed: HTTP 503.", "sees it",
          facts.next_poll_ms);
    facts.is_store_paused = 1;
    check(&facts, WHY_VERDICT_WAITING, REASON_NEXT_POLL,
          "no poll has seen it yet. An operator paused its store.", "`bigfusion resume`", -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivered),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_dead),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_under_way),
        cmocka_unit_test(test_never_seen),
        cmocka_unit_test(test_store_in_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
