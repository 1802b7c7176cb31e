/* token_file.h - the file that holds the current pair of tokens of an account; all pushers share
 * it.
 * It is JSON: {"access_token", "refresh_token", "refresh_at_ms", "expires_at_ms", "begun"}. It is
 * replaced as a whole: the new file is written beside it under a name that only this process uses,
 * synced and renamed. Only its owner can read it (mode 0600, whatever the umask), and nothing that
 * somebody else put under that name is written to. */
#ifndef COMMON_TOKEN_FILE_H
#define COMMON_TOKEN_FILE_H

#include <stdint.h>

/* Zero-initialise; release with token_state_clear(). */
struct token_state {
    char *access;
    char *refresh;
    int64_t refresh_at_ms; /* 0 where the file does not say: the token is refreshed at once */
    int64_t expires_at_ms;
    char *begun; /* digests of the configured tokens that were used already, one per line */
};

/** @brief Wipes and frees the texts. */
void token_state_clear(struct token_state *state);

/** @brief Reads the file. @returns 1: it was read; 0: there is none; -1: it cannot be read or has
 * another form */
int token_file_read(struct token_state *state, const char *path);

/** @brief A path beside path that only this process writes. New. */
char *token_file_beside(const char *path);

/** @brief Makes sure that a pair can be written. @returns 0, or -1 with errno set */
int token_file_reserve(const char *beside);

/**
 * @brief Replaces the file. When this returns 0, the new content is on disk. Temporary files that
 * other processes left behind an hour ago or more are removed.
 * @returns 0, or -1 with errno set
 */
int token_file_save(const char *path, const char *beside, const struct token_state *state);

#endif
