/* request.h - one HTTP request as the console's handlers see it, and their answer. */
#ifndef CONSOLE_REQUEST_H
#define CONSOLE_REQUEST_H

#include "base/mem.h"

enum { REQUEST_ARGUMENTS_MAX = 16, REQUEST_ARGUMENT_BYTES_MAX = 512 };

struct request_argument {
    const char *name;
    const char *value;
};

/* Everything is borrowed and valid while the request is being answered. */
struct request {
    const char *path;
    struct request_argument arguments[REQUEST_ARGUMENTS_MAX]; /* of the query, decoded */
    int argument_count;
    struct text body; /* valid for POST */
};

/* What goes back: JSON, if nothing else is said. Embedded, zero-initialised. */
struct reply {
    int status; /* 0: 200 */
    struct buffer body;
    const char *type; /* static; NULL: application/json */
};

/** @brief The value of a query argument, or NULL when it is not there. */
const char *request_argument(const struct request *request, const char *name);

/**
 * @brief Takes one argument of the query.
 * @param length  of the value, which may hold any bytes
 * @returns 0, or -1 when it is refused: it was given before, it has a NUL, a control character or
 * invalid UTF-8, it is too long, or there are too many. why: a sentence, static
 */
int request_add_argument(struct request *request, const char *name, const char *value,
                         size_t length, const char **why);

/** @brief Makes the reply an error: {"error": sentence, "code": code}. What was in the body before is
 * gone. */
void reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
