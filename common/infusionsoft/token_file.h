/* token_file.h - the file that holds an account's current pair of tokens; all pushers share it.
 * JSON: {"access_token", "refresh_token", "refresh_at_ms", "expires_at_ms", "begun"}. It is
 * replaced whole: written beside under a name that is this process' own, synced, renamed. */
#ifndef COMMON_TOKEN_FILE_H
#define COMMON_TOKEN_FILE_H

#include <stdint.h>

/* Zero-initialise; release with token_state_clear(). */
struct token_state {
    char *access;
    char *refresh;
    int64_t refresh_at_ms; /* 0 where it is not told: refreshed at once */
    int64_t expires_at_ms;
    char *begun; /* digests of the configured tokens that were used up, one a line */
};

/** @brief Wipes and frees the texts. */
void token_state_clear(struct token_state *state);

/** @brief Reads the file. @returns 1 read; 0 there is none; -1 it cannot be read or is not of that
 * form */
int token_file_read(struct token_state *state, const char *path);

/** @brief The name beside path that only this process writes. New. */
char *token_file_beside(const char *path);

/** @brief Makes sure that there is room for a pair. @returns 0, or -1 with errno set */
int token_file_reserve(const char *beside);

/**
 * @brief Replaces the file: durable when this returns 0. Files beside it that a process left behind
 * an hour ago or more are removed.
 * @returns 0, or -1 with errno set
 */
int token_file_save(const char *path, const char *beside, const struct token_state *state);

#endif
