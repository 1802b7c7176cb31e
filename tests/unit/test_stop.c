/* What signals do: the first one asks for a stop, a later one ends the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stop.h"

enum { LATER_US = 600 * 1000 };

/* Runs what in a process of its own. @returns its exit status */
static int status_of(void (*what)(void))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        stop_install();
        what();
        _exit(stop_requested() ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void once(void) { raise(SIGTERM); }

static void twice_at_once(void)
{
    raise(SIGINT);
    raise(SIGINT);
    raise(SIGTERM);
}

static void twice(void)
{
    raise(SIGTERM);
    usleep(LATER_US);
    raise(SIGTERM);
}

static void by_itself_first(void)
{
    stop_request();
    raise(SIGTERM);
}

static void test_signals(void **state)
{
    (void)state;
    assert_int_equal(status_of(once), 0);
    assert_int_equal(status_of(twice_at_once), 0);
    assert_int_equal(status_of(twice), 111);
    assert_int_equal(status_of(by_itself_first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
