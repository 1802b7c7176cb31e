#include "stop.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_flag;

static void on_signal(int signal_number)
{
    (void)signal_number;
    if (stop_flag)
        _exit(111);
    stop_flag = 1;
}

void stop_install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

int stop_requested(void) { return stop_flag; }

void stop_request(void) { stop_flag = 1; }

int stop_wait_ms(int64_t delay_ms)
{
    /* Signals may be delivered to another thread, so the wait is cut into pieces. */
    while (delay_ms > 0 && !stop_flag) {
        int piece_ms = delay_ms > 250 ? 250 : (int)delay_ms;

        poll(NULL, 0, piece_ms);
        delay_ms -= piece_ms;
    }
    return stop_flag;
}
