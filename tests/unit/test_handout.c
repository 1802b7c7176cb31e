/* How far records may be handed over: the rules of the hand-out mark, and its promise in a world
 * where commits are answered late, refused, or carried out in another order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/mark.h"
#include "stage/handout.h"

enum { BLOCK = 64 };

static int hand(struct handout *handout, int64_t offset)
{
    int is_allowed = handout_allows(handout, offset);

    if (is_allowed)
        handout_note(handout, offset);
    return is_allowed;
}

static void test_when_the_mark_moves_and_by_how_much(void **state)
{
    static const struct {
        const char *name;
        int64_t found, asked; /* the mark at assignment, the record that is to be handed over */
        int is_allowed;
        int64_t mark; /* after it */
    } cases[] = {
        {"first record of a partition that was left clean", 100, 100, 0, 165},
        {"much is left", 100, 40, 1, 100},
        {"half a block is left", 100, 67, 1, 100},
        {"less than half a block is left", 100, 68, 1, 133},
        {"the last one that is allowed", 100, 99, 1, 164},
        {"far behind the mark: offsets that are gone", 100, 5000, 0, 5065},
        {"nothing is in the topic", 0, 0, 0, 65},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct handout handout;
        int is_allowed;

        handout_init(&handout);
        handout_found(&handout, cases[i].found);
        assert_false(handout_is_low(&handout, BLOCK)); /* nobody asked for anything */
        is_allowed = hand(&handout, cases[i].asked);
        assert_int_equal(handout_is_low(&handout, BLOCK), cases[i].mark != cases[i].found);
        handout_raise(&handout, BLOCK);
        handout_raise(&handout, BLOCK);
        if (is_allowed != cases[i].is_allowed || handout.mark != cases[i].mark)
            fail_msg("%s: allowed %d, mark %lld", cases[i].name, is_allowed,
                     (long long)handout.mark);
    }
}

static void test_nothing_goes_while_an_older_mark_may_stand_in_kafka(void **state)
{
    struct handout handout;

    (void)state;
    handout_init(&handout);
    handout_hold(&handout); /* Kafka did not answer what stands there */
    assert_false(hand(&handout, 10));
    handout_acknowledged(&handout, MARK_NONE);
    handout_begin(&handout, 40);
    handout_hold(&handout);
    assert_true(handout.mark == 40);
    assert_false(hand(&handout, 10)); /* below the end, but Kafka may have a mark of 5 */
    handout_acknowledged(&handout, 40);
    assert_true(hand(&handout, 10));
    assert_true(hand(&handout, 39));
    assert_false(hand(&handout, 40));
}

static void test_only_an_acknowledged_mark_lets_records_go(void **state)
{
    struct handout handout;

    (void)state;
    handout_init(&handout);
    handout_found(&handout, 10);
    assert_false(hand(&handout, 10));
    assert_false(hand(&handout, 11));
    handout_raise(&handout, BLOCK);
    assert_true(handout.mark == 75); /* for the first that waits */
    assert_false(hand(&handout, 10));
    handout_acknowledged(&handout, 10); /* an older commit */
    assert_false(hand(&handout, 10));
    handout_acknowledged(&handout, MARK_NONE);
    assert_false(hand(&handout, 10));
    handout_acknowledged(&handout, 75);
    assert_true(hand(&handout, 10));
    assert_true(hand(&handout, 74));
    assert_false(hand(&handout, 75));
}

static void test_without_a_mark_nothing_waits_and_none_is_written(void **state)
{
    struct handout handout;

    (void)state;
    handout_init(&handout);
    assert_true(hand(&handout, 5000));
    handout_raise(&handout, BLOCK);
    assert_true(handout.mark == MARK_NONE && handout_final(&handout) == MARK_NONE);
    handout_acknowledged(&handout, MARK_NONE);
    assert_true(hand(&handout, 6000));
}

static void test_a_missing_mark_begins_at_the_end_of_the_partition(void **state)
{
    static const struct {
        int64_t handed, end, mark;
    } cases[] = {{-1, 0, 0}, {-1, 500, 500}, {3, 500, 500}, {3, 2, 4}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct handout handout;

        handout_init(&handout);
        if (cases[i].handed >= 0)
            assert_true(hand(&handout, cases[i].handed));
        handout_begin(&handout, cases[i].end);
        assert_true(handout.mark == cases[i].mark);
        assert_true(handout_final(&handout) == cases[i].mark);
        assert_false(handout_allows(&handout, cases[i].mark));
    }
}

static void test_what_is_given_back_at_the_end(void **state)
{
    static const struct {
        const char *name;
        int64_t found, first, last; /* handed over: first to last; -1: nothing */
        int64_t final;
    } cases[] = {
        {"nothing was handed over", 100, -1, -1, 100},
        {"not all that was found", 100, 20, 30, 100},
        {"all that was found", 100, 20, 99, 100},
        {"more than was found", 100, 20, 120, 121},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct handout handout;

        handout_init(&handout);
        handout_found(&handout, cases[i].found);
        for (int64_t offset = cases[i].first; offset >= 0 && offset <= cases[i].last; offset++) {
            if (!handout_allows(&handout, offset)) {
                handout_raise(&handout, BLOCK);
                handout_acknowledged(&handout, handout.mark);
            }
            assert_true(hand(&handout, offset));
        }
        if (handout_final(&handout) != cases[i].final)
            fail_msg("%s: %lld", cases[i].name, (long long)handout_final(&handout));
    }
}

/* -- the promise ------------------------------------------------------------------------------ */

enum { COMMITS_MAX = 8, STEPS = 4000, RUNS = 200 };

/* One partition: what Kafka has, the commits that it may still carry out, the stage. */
struct world {
    uint32_t chance;
    int64_t kept;   /* the mark that Kafka has */
    int64_t handed; /* the first offset above all that was ever handed over, by anybody */
    int64_t commits[COMMITS_MAX];
    int commit_count;
    struct handout handout;
    int64_t next; /* the record that comes next */
};

static uint32_t draw(struct world *world, uint32_t below)
{
    world->chance = world->chance * 1664525 + 1013904223;
    return (world->chance >> 8) % below;
}

static void assert_promise(const struct world *world)
{
    if (world->kept != MARK_NONE && world->kept < world->handed)
        fail_msg("mark %lld, handed out up to %lld", (long long)world->kept,
                 (long long)world->handed);
}

static void send(struct world *world, int64_t mark)
{
    if (world->commit_count < COMMITS_MAX)
        world->commits[world->commit_count++] = mark;
}

/* Kafka carries out, or refuses, any of the commits. */
static void answer(struct world *world)
{
    uint32_t i;
    int64_t mark;

    if (world->commit_count == 0)
        return;
    i = draw(world, (uint32_t)world->commit_count);
    mark = world->commits[i];
    world->commits[i] = world->commits[--world->commit_count];
    if (draw(world, 5) == 0)
        return;
    world->kept = mark;
    assert_promise(world);
    handout_acknowledged(&world->handout, mark);
}

/* Another one gets the partition: the commits under way were carried out or are fenced. */
static void assign(struct world *world)
{
    while (world->commit_count > 0)
        answer(world);
    if (draw(world, 2) == 0 && draw(world, 8) != 0) { /* given back cleanly */
        world->kept = handout_final(&world->handout);
        assert_promise(world);
    }
    if (draw(world, 20) == 0)
        world->kept = MARK_NONE;              /* somebody without marks committed */
    world->next -= (int64_t)draw(world, 100); /* not all was finished */
    if (world->next < 0)
        world->next = 0;
    handout_init(&world->handout);
    if (world->kept != MARK_NONE)
        handout_found(&world->handout, world->kept);
}

static void step(struct world *world)
{
    switch (draw(world, 40)) {
    case 0:
        assign(world);
        return;
    case 1: /* the end was read: what there is, at least what comes next */
        if (world->handout.mark == MARK_NONE)
            handout_begin(&world->handout, world->handed + (int64_t)draw(world, 50));
        return;
    case 2:
        send(world, world->handout.mark);
        return;
    default:
        break;
    }
    if (draw(world, 3) == 0)
        answer(world);
    if (world->commit_count == 0 && handout_is_low(&world->handout, BLOCK)) {
        handout_raise(&world->handout, BLOCK);
        send(world, world->handout.mark);
    }
    if (!hand(&world->handout, world->next))
        return;
    world->next++;
    if (world->handed < world->next)
        world->handed = world->next;
    assert_promise(world);
}

static void test_no_record_beyond_the_mark_was_ever_handed_over(void **state)
{
    int64_t handed = 0;

    (void)state;
    for (uint32_t run = 1; run <= RUNS; run++) {
        struct world world = {.chance = run, .kept = MARK_NONE};

        handout_init(&world.handout);
        for (int i = 0; i < STEPS; i++)
            step(&world);
        handed += world.handed;
    }
    assert_true(handed > RUNS * STEPS / 20); /* it is no standstill that keeps the promise */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_the_mark_moves_and_by_how_much),
        cmocka_unit_test(test_nothing_goes_while_an_older_mark_may_stand_in_kafka),
        cmocka_unit_test(test_only_an_acknowledged_mark_lets_records_go),
        cmocka_unit_test(test_without_a_mark_nothing_waits_and_none_is_written),
        cmocka_unit_test(test_a_missing_mark_begins_at_the_end_of_the_partition),
        cmocka_unit_test(test_what_is_given_back_at_the_end),
        cmocka_unit_test(test_no_record_beyond_the_mark_was_ever_handed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
