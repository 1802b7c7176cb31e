#include "backfill_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "history/duration.h"

enum { BAR_WIDTH = 20, TERMINAL_MS = 200, LINE_MS = 5000 };

static void print_bar(int64_t percent, struct buffer *target)
{
    buffer_printf(target, "[");
    for (int i = 0; i < BAR_WIDTH; i++)
        buffer_printf(target, i < percent * BAR_WIDTH / 100 ? "#" : ".");
    buffer_printf(target, "] %" PRId64 " %%, ", percent);
}

/* How long the rest will take, if the ids go on as fast as in this run; -1: not known. */
static int64_t left_ms(const struct backfill_way *way)
{
    int64_t from = way->begun_id >= 0 ? way->begun_id : way->first_id;
    int64_t done = way->at_id - from;

    if (from < 0 || way->at_id < 0 || done <= 0 || way->run_ms <= 0 || way->end_id < way->at_id)
        return -1;
    return (int64_t)((double)way->run_ms * (double)(way->end_id - way->at_id) / (double)done);
}

void backfill_way_print(const struct backfill_way *way, struct buffer *target)
{
    char left[DURATION_TEXT_BYTES];
    int64_t whole = way->end_id - way->first_id, rest_ms = left_ms(way);

    if (way->first_id >= 0 && way->at_id >= 0 && whole >= 0) {
        int64_t percent = whole > 0 ? (way->at_id - way->first_id) * 100 / whole : 100;

        print_bar(percent < 0 ? 0 : percent > 100 ? 100 : percent, target);
    }
    buffer_printf(target, "%" PRId64 " orders", way->orders);
    if (way->run_ms > 0)
        buffer_printf(target, ", %" PRId64 " a second", way->run_orders * 1000 / way->run_ms);
    if (rest_ms >= 0)
        buffer_printf(target, ", %s left", duration_print(rest_ms, left));
    if (way->in_front > 0)
        buffer_printf(target, "; waits, %" PRId64 " of them are not delivered yet", way->in_front);
}

void backfill_progress_begin(struct backfill_progress *progress, const char *what)
{
    *progress = (struct backfill_progress){.what = what, .is_terminal = isatty(STDERR_FILENO)};
    progress->next_ms = clock_monotonic_ms() + (progress->is_terminal ? TERMINAL_MS : LINE_MS);
}

void backfill_progress_show(struct backfill_progress *progress, const struct backfill_way *way)
{
    struct buffer line = {0};
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < progress->next_ms)
        return;
    progress->next_ms = now_ms + (progress->is_terminal ? TERMINAL_MS : LINE_MS);
    backfill_way_print(way, &line);
    fprintf(stderr, progress->is_terminal ? "\r%s %.*s\033[K" : "%s %.*s\n", progress->what,
            (int)line.length, line.data);
    progress->is_shown = progress->is_terminal;
    buffer_clear(&line);
}

void backfill_progress_end(struct backfill_progress *progress)
{
    if (progress->is_shown)
        fprintf(stderr, "\r\033[K");
    progress->is_shown = 0;
}
