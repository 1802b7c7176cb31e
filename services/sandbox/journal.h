/* journal.h - the journal: JSON lines that say what the sandbox was asked and what it did. Lines
 * are only appended; a line is written before the answer is sent. */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <stdint.h>

#include "base/error.h"
#include "faults.h"
#include "request.h"

/* Zero-initialised. fd is 0 or -1 while no file is open. */
struct journal {
    int fd;
    int64_t lines;
    struct buffer line;
};

/** @brief Opens the file for appending and continues its numbering. @returns 0 or -1 */
int journal_open(struct journal *journal, const char *path, struct error *err);
void journal_close(struct journal *journal);

/**
 * @brief Writes a line for a request to one of the two APIs.
 * @param status  of the answer, 0 where the connection was ended instead
 * @param fault   its name, or NULL
 */
void journal_request(struct journal *journal, enum side side, const struct request *request,
                     int status, const struct buffer *effect, const char *fault);

/** @brief Writes a line for a change in a store: method PLACE, CHANGE or REMOVE. effect is JSON
 * text. */
void journal_store(struct journal *journal, const char *method, const char *path,
                   const char *effect);

#endif
