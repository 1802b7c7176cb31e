/* test_why_always.c - whatever is known of an order, there is exactly one answer. */
#include "why_states.h"

static struct why_facts facts_of(const struct order_state *state)
{
    return (struct why_facts){
        .name = "BC #1042", .state = state, .next_poll_ms = -1, .now_ms = now_ms};
}

/* Names and details as long as they can be cut the sentence, and nothing else. */
static void test_longest(void **unused)
{
    static char long_text[2000];
    struct order_state state = under_way(SPOT_RETRY, REASON_RETRYING);
    struct why_facts facts = facts_of(&state);
    struct why_answer answer;

    (void)unused;
    memset(long_text, 'x', sizeof(long_text) - 1);
    facts.name = facts.account = facts.poll_trouble = facts.store_error = facts.doubt = long_text;
    for (int store = 0; store < WHY_STORE_COUNT; store++) {
        facts.store = (enum why_store)store;
        facts.state = NULL;
        why_decide(&facts, &answer);
        assert_int_equal(answer.sentence[WHY_SENTENCE_BYTES - 1], '\0');
        facts.state = &state;
        why_decide(&facts, &answer);
        assert_int_equal(strlen(answer.sentence), WHY_SENTENCE_BYTES - 1);
    }
}

static int is_reason_of(enum why_verdict verdict, enum reason reason)
{
    switch (verdict) {
    case WHY_VERDICT_SYNCED:
    case WHY_VERDICT_UNKNOWN:
        return reason == REASON_NONE;
    case WHY_VERDICT_SKIPPED:
        return reason >= REASON_ARCHIVED && reason < REASON_MALFORMED;
    case WHY_VERDICT_DEAD:
        return reason >= REASON_MALFORMED && reason <= REASON_POISON;
    case WHY_VERDICT_RETRYING:
        return reason == REASON_RETRYING;
    case WHY_VERDICT_WAITING:
        return reason == REASON_NEXT_POLL || reason == REASON_QUEUED ||
               reason == REASON_ACCOUNT_CLOSED || reason == REASON_ECOMMERCE_UNAVAILABLE ||
               reason == REASON_IN_DOUBT;
    default:
        return 0;
    }
}

/* The rules of why.h, written down once more. */
static enum why_verdict expected(const struct why_facts *facts)
{
    enum order_list list = facts->state != NULL ? order_state_list(facts->state) : ORDER_LIST_NONE;

    if (facts->is_done || list == ORDER_LIST_DELIVERED)
        return WHY_VERDICT_SYNCED;
    if (list == ORDER_LIST_SKIPPED || list == ORDER_LIST_DEAD)
        return list == ORDER_LIST_DEAD ? WHY_VERDICT_DEAD : WHY_VERDICT_SKIPPED;
    if (list == ORDER_LIST_NONE) {
        if (facts->store == WHY_STORE_HAS || facts->store == WHY_STORE_HISTORY)
            return WHY_VERDICT_WAITING;
        return facts->store == WHY_STORE_BEFORE_START || facts->store == WHY_STORE_ARCHIVED
                   ? WHY_VERDICT_SKIPPED
                   : WHY_VERDICT_UNKNOWN;
    }
    return order_state_reason(facts->state) == REASON_RETRYING && facts->doubt == NULL
               ? WHY_VERDICT_RETRYING
               : WHY_VERDICT_WAITING;
}

/* Whatever the facts are, there is one verdict, its reason belongs to it, and there is a sentence. A
 * progress that no service writes, such as a retry topic with the reason of a fate, counts too. */
static void test_always_one_answer(void **unused)
{
    unsigned seed = 7;
    int64_t seen[WHY_VERDICT_COUNT] = {0};

    (void)unused;
    for (int round = 0; round < 100000; round++) {
        struct order_state state = empty_state();
        struct why_facts facts = facts_of(rand_r(&seed) % 8 ? &state : NULL);
        struct why_answer answer;

        state.progress.kind = rand_r(&seed) % (SPOT_WAITING_ORDERS + 1);
        state.progress.reason = rand_r(&seed) % REASON_COUNT;
        state.progress.version = rand_r(&seed) % 3;
        state.progress.replay_ms = rand_r(&seed) % 2;
        state.progress.next_try_ms = rand_r(&seed) % 3 - 1;
        state.delivered.is_there = rand_r(&seed) % 8 == 0;
        state.skipped =
            fate_of(REASON_ARCHIVED + rand_r(&seed) % (REASON_MALFORMED - REASON_ARCHIVED), "");
        state.skipped.is_there = rand_r(&seed) % 3 == 0;
        state.skipped.version = rand_r(&seed) % 3;
        state.dead = fate_of(REASON_MALFORMED + rand_r(&seed) % 7, "");
        state.dead.is_there = rand_r(&seed) % 3 == 0;
        state.dead.version = rand_r(&seed) % 3;
        facts.is_done = rand_r(&seed) % 8 == 0;
        facts.doubt = rand_r(&seed) % 4 == 0 ? "order" : NULL;
        facts.store = rand_r(&seed) % WHY_STORE_COUNT;
        facts.next_poll_ms = rand_r(&seed) % 2 ? now_ms : -1;
        facts.is_store_paused = rand_r(&seed) % 2;
        facts.is_account_paused = rand_r(&seed) % 2;
        facts.is_behind = rand_r(&seed) % 2;
        why_decide(&facts, &answer);
        assert_string_equal(why_verdict_name(answer.verdict), why_verdict_name(expected(&facts)));
        assert_true(is_reason_of(answer.verdict, answer.reason));
        assert_non_null(strstr(answer.sentence, "BC #1042"));
        assert_int_equal(answer.sentence[strlen(answer.sentence) - 1], '.');
        if (answer.next_at_ms >= 0)
            assert_true(answer.next[0] != '\0');
        seen[answer.verdict]++;
    }
    for (int i = 0; i < WHY_VERDICT_COUNT; i++)
        assert_true(seen[i] > 100); /* every verdict was among the answers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_always_one_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
