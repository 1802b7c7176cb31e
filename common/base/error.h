/* error.h - says what went wrong, and whether it helps to try again.
 * The caller allocates a zeroed struct error. The first cause is kept; callers further up only add
 * context in front of it. */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

enum error_kind {
    ERROR_NONE = 0,
    ERROR_TEMPORARY, /* the same call may work later: network, timeout, 429, 5xx */
    ERROR_PERMANENT, /* the same call will never work: malformed data, bad setting, most other
                        4xx */
};

struct error {
    enum error_kind kind;
    char text[256]; /* one line for a person; never a secret, an e-mail or a name */
};

/**
 * @brief Records the cause of a failure, unless there is one already.
 * @returns -1 always, so that `return error_set(err, ...)` is one statement.
 */
int error_set(struct error *err, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * @brief Puts context in front of the recorded cause: "push order 118: " + text. The result is cut
 * to the size of the buffer.
 * @returns -1 always.
 */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** @brief Forgets the error, so that the struct can be used again. */
void error_clear(struct error *err);

/**
 * @brief Exit status of a program that stopped with this error.
 * @returns 0 no error; 100 permanent: a person must fix something; 111 temporary: start me again.
 * Source: the convention of s6-supervise(8) and similar programs for these two numbers.
 */
int exit_status(const struct error *err);

#endif
