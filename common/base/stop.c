#include "base/stop.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A second signal that comes sooner than this is the first one once more: timeout(1), for example,
 * signals its child and then the group that the child belongs to. */
enum { ONE_SIGNAL_MS = 500 };

/* Set by a signal handler and by threads, read by all threads. C11 allows a lock-free atomic in
 * both cases; volatile sig_atomic_t would be allowed in a handler only. */
static atomic_int stop_flag;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "the stop flag is set by a signal's handler");

static atomic_uint limit_s = STOP_LIMIT_S;

static atomic_llong first_signal_ms; /* monotonic; when the first signal came */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the time is set by a signal's handler");

/* Ends the process when the limit has passed, even if a library call still waits. */
static void set_flag(void)
{
    if (atomic_exchange(&stop_flag, 1) == 0)
        alarm(atomic_load(&limit_s));
}

/* POSIX allows clock_gettime() in a signal's handler. */
static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_signal(int signal_number)
{
    long long none = 0, at_ms = now_ms();

    (void)signal_number;
    if (!atomic_compare_exchange_strong(&first_signal_ms, &none, at_ms) &&
        at_ms - none >= ONE_SIGNAL_MS)
        _exit(111);
    set_flag();
}

static void on_limit(int signal_number)
{
    static const char line[] = "stop: not everything ended within its limit, leaving\n";

    (void)signal_number;
    (void)!write(STDERR_FILENO, line, sizeof(line) - 1);
    _exit(111);
}

void stop_install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = on_limit;
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

void stop_set_limit(unsigned seconds) { atomic_store(&limit_s, seconds); }

int stop_requested(void) { return atomic_load(&stop_flag); }

void stop_request(void) { set_flag(); }

int stop_wait_ms(int64_t delay_ms)
{
    /* The wait is cut into pieces, because the signal may be delivered to another thread and then
     * does not end this sleep. */
    while (delay_ms > 0 && !stop_requested()) {
        int piece_ms = delay_ms > 250 ? 250 : (int)delay_ms;

        poll(NULL, 0, piece_ms);
        delay_ms -= piece_ms;
    }
    return stop_requested();
}
