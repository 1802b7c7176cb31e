/* The window of offsets under way: what may be committed after each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stage/window.h"

enum { STEPS_MAX = 12 };

enum step_kind { END = 0, ADD, FINISH, REFUSED, RESTART };

struct step {
    enum step_kind kind;
    int64_t offset;
    int64_t committable; /* after the step */
};

struct window_case {
    const char *name;
    int64_t start;
    struct step steps[STEPS_MAX];
};

static const struct window_case cases[] = {
    {"nothing was added", -1, {{END, 0, 0}}},
    {"the first one under way holds the commit at itself",
     -1,
     {{ADD, 7, 7}, {ADD, 8, 7}, {FINISH, 8, 7}, {FINISH, 7, 9}}},
    {"finished in order", -1, {{ADD, 0, 0}, {FINISH, 0, 1}, {ADD, 1, 1}, {FINISH, 1, 2}}},
    {"finished in reverse",
     -1,
     {{ADD, 0, 0}, {ADD, 1, 0}, {ADD, 2, 0}, {FINISH, 2, 0}, {FINISH, 1, 0}, {FINISH, 0, 3}}},
    {"the lowest unfinished one counts",
     -1,
     {{ADD, 0, 0}, {ADD, 1, 0}, {ADD, 2, 0}, {FINISH, 0, 1}, {FINISH, 2, 1}, {FINISH, 1, 3}}},
    {"a known start is committable before anything came", 5, {{ADD, 5, 5}, {FINISH, 5, 6}}},
    {"a gap is passed when all around it is finished",
     -1,
     {{ADD, 3, 3}, {ADD, 9, 3}, {FINISH, 3, 9}, {FINISH, 9, 10}}},
    {"a gap right after the lowest one",
     -1,
     {{ADD, 3, 3}, {ADD, 9, 3}, {ADD, 10, 3}, {FINISH, 10, 3}, {FINISH, 9, 3}, {FINISH, 3, 11}}},
    {"an offset inside a gap was never under way",
     -1,
     {{ADD, 3, 3}, {ADD, 9, 3}, {REFUSED, 5, 3}, {FINISH, 3, 9}}},
    {"finished twice", -1, {{ADD, 1, 1}, {ADD, 2, 1}, {FINISH, 2, 1}, {REFUSED, 2, 1}}},
    {"finished twice after the commit passed it",
     -1,
     {{ADD, 1, 1}, {FINISH, 1, 2}, {REFUSED, 1, 2}}},
    {"never added", -1, {{REFUSED, 4, -1}, {ADD, 4, 4}, {REFUSED, 5, 4}, {REFUSED, 3, 4}}},
    {"reading again from further back begins anew",
     -1,
     {{ADD, 8, 8}, {ADD, 9, 8}, {FINISH, 8, 9}, {ADD, 2, 2}, {FINISH, 2, 3}, {REFUSED, 9, 3}}},
    {"the same offset again is done again", -1, {{ADD, 4, 4}, {ADD, 4, 4}, {FINISH, 4, 5}}},
    {"a revocation forgets what was under way",
     -1,
     {{ADD, 4, 4},
      {ADD, 5, 4},
      {RESTART, -1, -1},
      {REFUSED, 4, -1},
      {ADD, 20, 20},
      {FINISH, 20, 21}}},
};

static void run_case(const struct window_case *one)
{
    struct window window;

    window_init(&window, one->start);
    for (const struct step *step = one->steps; step->kind != END; step++) {
        int answer = 0, wanted = 0;

        if (step->kind == ADD) {
            window_add(&window, step->offset);
        } else if (step->kind == RESTART) {
            window_restart(&window, step->offset);
        } else {
            answer = window_finish(&window, window.generation, step->offset);
            wanted = step->kind == REFUSED ? -1 : 0;
        }
        if (answer != wanted || window_committable(&window) != step->committable)
            fail_msg("%s: step %d: answer %d, committable %lld", one->name,
                     (int)(step - one->steps), answer, (long long)window_committable(&window));
    }
    window_clear(&window);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        run_case(&cases[i]);
}

static void test_expects(void **state)
{
    struct window window;

    (void)state;
    window_init(&window, -1);
    assert_int_equal(window_expects(&window, 100), WINDOW_NEXT);
    assert_int_equal(window_add(&window, 100), WINDOW_NEXT);
    assert_int_equal(window_expects(&window, 101), WINDOW_NEXT);
    assert_int_equal(window_expects(&window, 102), WINDOW_GAP);
    assert_int_equal(window_expects(&window, 100), WINDOW_REWOUND);
    assert_int_equal(window_add(&window, 200), WINDOW_GAP);
    assert_int_equal(window_add(&window, 3), WINDOW_REWOUND);
    window_clear(&window);
}

static void test_late_completion_of_an_earlier_generation(void **state)
{
    struct window window;
    uint32_t generation;

    (void)state;
    window_init(&window, -1);
    window_add(&window, 10);
    generation = window.generation;
    window_restart(&window, -1);
    window_add(&window, 10);
    assert_int_equal(window_finish(&window, generation, 10), -1);
    assert_int_equal(window_committable(&window), 10);
    window_clear(&window);
}

/* Thousands under way with gaps, finished in a random order: compared with the plain definition
 * after every step. */
static void test_against_the_definition(void **state)
{
    enum { COUNT = 3000 };
    static int64_t offsets[COUNT];
    static int open[COUNT];
    struct window window;
    int order[COUNT], lowest = 0;
    unsigned seed = 1;

    (void)state;
    window_init(&window, -1);
    for (int i = 0; i < COUNT; i++) {
        offsets[i] = i == 0 ? 50 : offsets[i - 1] + 1 + (i % 97 == 0 ? 13 : 0);
        open[i] = 1;
        order[i] = i;
        window_add(&window, offsets[i]);
    }
    for (int i = COUNT - 1; i > 0; i--) {
        int j, swap = order[i];

        seed = seed * 1103515245u + 12345u;
        j = (int)((seed >> 8) % (unsigned)(i + 1));
        order[i] = order[j];
        order[j] = swap;
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(window_finish(&window, window.generation, offsets[order[i]]), 0);
        open[order[i]] = 0;
        while (lowest < COUNT && !open[lowest])
            lowest++;
        assert_int_equal(window_committable(&window),
                         lowest < COUNT ? offsets[lowest] : offsets[COUNT - 1] + 1);
    }
    window_clear(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_expects),
        cmocka_unit_test(test_late_completion_of_an_earlier_generation),
        cmocka_unit_test(test_against_the_definition),
    };

    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
