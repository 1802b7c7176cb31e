/* test_seen.c - the names of versions of orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/poller/seen.h"

static void names_a_version_by_id_and_bytes(void **state)
{
    struct seen_mark mark = {0}, other = {0}, nothing = {0};

    (void)state;
    seen_mark_init(&mark, 118, 5000, text_of("abc"));
    /* SHA-256 of "abc" (FIPS 180-2), its first half. */
    assert_string_equal(mark.member, "118:ba7816bf8f01cfea414140de5dae2223");
    assert_string_equal(seen_digest(&mark), "ba7816bf8f01cfea414140de5dae2223");
    assert_int_equal(mark.seen_at_ms, 5000);
    seen_mark_init(&other, 118, 5000, text_of("abd"));
    assert_string_not_equal(mark.member, other.member);
    seen_mark_init(&nothing, 118, 5000, (struct text){NULL, 0});
    assert_string_equal(nothing.member, "118:e3b0c44298fc1c149afbf4c8996fb924");
}

static void names_the_same_from_a_digest(void **state)
{
    struct seen_mark mark = {0}, again = {0};

    (void)state;
    seen_mark_init(&mark, INT64_MAX, 1, text_of("abc"));
    seen_mark_of(&again, INT64_MAX, 2, seen_digest(&mark));
    assert_string_equal(again.member, mark.member);
    assert_int_equal(again.seen_at_ms, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_a_version_by_id_and_bytes),
        cmocka_unit_test(names_the_same_from_a_digest),
    };

    return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
