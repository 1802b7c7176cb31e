/* Claims: what is written and read again, and what the starts of a program make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "record/mark.h"
#include "stage/claim.h"

enum { AFTER = 3 };

static struct text words(const char *text) { return (struct text){text, strlen(text)}; }

static void test_written_and_read_again(void **state)
{
    (void)state;
    for (int i = CLAIM_OPEN; i <= CLAIM_RAMP; i++) {
        struct claim claim = {(enum claim_state)i, INT64_C(9007199254740993),
                              claim_key(words("abc123/order/118")), 2};
        struct claim read;
        char text[CLAIM_TEXT_BYTES];

        claim_print(&claim, MARK_NONE, text);
        claim_parse(words(text), &read);
        assert_int_equal(read.state, claim.state);
        assert_int_equal(read.offset, claim.offset);
        assert_true(read.key == claim.key);
        assert_int_equal(read.deaths, 2);
    }
}

static void test_what_is_no_claim(void **state)
{
    static const char *const cases[] = {
        "",
        "NO_METADATA",
        "v2 offset=1 key=1 deaths=3 state=alone",
        "v1",
        "v1 offset=1 key=1 deaths=3",
        "v1 offset=1 key=1 deaths=3 state=dancing",
        "v1 key=1 deaths=3 state=alone",
        "v1 offset=1 key=1 deaths=-3 state=alone",
        "v1 offset=x key=1 deaths=3 state=alon",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct claim claim;

        claim_parse(words(cases[i]), &claim);
        if (claim.state != CLAIM_NONE || claim_deaths(&claim, 1, 1) != 0)
            fail_msg("taken for a claim: %s", cases[i]);
    }
}

static void test_words_of_a_later_version_are_skipped(void **state)
{
    struct claim claim;

    (void)state;
    claim_parse(words("v1 offset=5 handed=77 key=a deaths=1 state=open more=x"), &claim);
    assert_int_equal(claim_deaths(&claim, 5, 10), 2);
}

static void test_another_record_has_no_deaths(void **state)
{
    struct claim found = {CLAIM_ALONE, 5, claim_key(words("a/order/1")), 2};

    (void)state;
    assert_int_equal(claim_deaths(&found, 5, claim_key(words("a/order/1"))), 3);
    assert_int_equal(claim_deaths(&found, 6, claim_key(words("a/order/1"))), 0);
    assert_int_equal(claim_deaths(&found, 5, claim_key(words("a/order/2"))), 0); /* made anew */
}

/* One start of a program: finds a claim, decides, leaves a claim. ends: o under it, i while it was
 * set aside, c cleanly, p with progress. Returns the verdict. */
static enum claim_verdict start(struct claim *kept, char ends)
{
    int deaths = claim_deaths(kept, 7, 1);
    enum claim_verdict verdict = claim_decide(deaths, AFTER);

    if (verdict == CLAIM_POISON)
        return verdict;
    *kept = (struct claim){verdict == CLAIM_SUSPECT ? CLAIM_ALONE : CLAIM_OPEN, 7, 1, deaths};
    if (ends == 'i')
        kept->state = CLAIM_IDLE;
    if (ends == 'c' || ends == 'p')
        *kept = (struct claim){0};
    return verdict;
}

static void test_starts_in_a_row(void **state)
{
    static const struct {
        const char *ends;
        enum claim_verdict next; /* of the start after them */
    } cases[] = {
        {"", CLAIM_HAND},        {"o", CLAIM_SUSPECT},      {"oo", CLAIM_SUSPECT},
        {"ooo", CLAIM_POISON},   {"oc", CLAIM_HAND},        {"oop", CLAIM_HAND},
        {"oopo", CLAIM_SUSPECT}, {"oiiiii", CLAIM_SUSPECT}, {"oioio", CLAIM_POISON},
        {"i", CLAIM_HAND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct claim kept = {0};

        for (const char *ends = cases[i].ends; *ends != '\0'; ends++)
            assert_int_not_equal(start(&kept, *ends), CLAIM_POISON);
        if (start(&kept, 'o') != cases[i].next)
            fail_msg("after the starts \"%s\"", cases[i].ends);
    }
}

static void test_never_poison_where_it_is_off(void **state)
{
    (void)state;
    assert_int_equal(claim_decide(1000, 0), CLAIM_HAND);
    assert_int_equal(claim_decide(0, 3), CLAIM_HAND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_and_read_again),
        cmocka_unit_test(test_what_is_no_claim),
        cmocka_unit_test(test_words_of_a_later_version_are_skipped),
        cmocka_unit_test(test_another_record_has_no_deaths),
        cmocka_unit_test(test_starts_in_a_row),
        cmocka_unit_test(test_never_poison_where_it_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
