#include "history/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { FIRST_MS = 2000, LINE_MS = 5000, TERMINAL_MS = 200, STEPS_BETWEEN = 256 };

void progress_begin(struct progress *progress, const char *what, int64_t total)
{
    int is_terminal = isatty(STDERR_FILENO);

    *progress = (struct progress){.what = what, .total = total, .is_terminal = is_terminal};
    progress->next_ms = clock_monotonic_ms() + (is_terminal ? TERMINAL_MS : FIRST_MS);
}

static void show(struct progress *progress)
{
    int64_t total = progress->total > 0 ? progress->total : 1;
    int64_t percent = progress->done < total ? progress->done * 100 / total : 100;

    fprintf(stderr, "%s%s: %" PRId64 " of at most %" PRId64 " records (%" PRId64 " %%)%s",
            progress->is_terminal ? "\r" : "", progress->what, progress->done, progress->total,
            percent, progress->is_terminal ? "\033[K" : "\n");
    progress->is_shown = progress->is_terminal;
}

void progress_step(struct progress *progress)
{
    int64_t now_ms;

    if (++progress->done % STEPS_BETWEEN != 0)
        return;
    now_ms = clock_monotonic_ms();
    if (now_ms < progress->next_ms)
        return;
    progress->next_ms = now_ms + (progress->is_terminal ? TERMINAL_MS : LINE_MS);
    show(progress);
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown)
        fprintf(stderr, "\r\033[K");
    progress->is_shown = 0;
}
