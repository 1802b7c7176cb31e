/* progress.h - tells on stderr how far a long reading is: several times a second on a terminal,
 * elsewhere a line every five seconds, the first one after two. */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stdint.h>

/* Embedded, zero-initialised. */
struct progress {
    const char *what; /* "reading unread records" */
    int64_t total;    /* how many records there are at most */
    int64_t done;
    int64_t next_ms; /* monotonic: when the next line is due */
    int is_terminal;
    int is_shown; /* the terminal shows a line that is not ended */
};

/** @brief Begins; what is kept. */
void progress_begin(struct progress *progress, const char *what, int64_t total);

/** @brief Counts one record. It is cheap. */
void progress_step(struct progress *progress);

/** @brief Ends; the terminal's line is cleared. */
void progress_end(struct progress *progress);

#endif
