/* log.h - one line per event on stderr: time, level, service, event words, then key=value.
 *
 *     2026-01-02T03:04:05.678Z info pusher delivered key=abc123/order/118 trace=4bf9..36 contact=42
 *
 * error  a person must act
 * warn   the trouble is over, or will be retried
 * info   one line per fate, start and stop
 * debug  everything else
 *
 * Every line about one order says so in the same form, key=<record key> trace=<W3C trace id>, because
 * it is written while log_set_about() names the order. No format string names the two.
 *
 * A line never holds a secret, an e-mail address or a name. It is written by one write(), so
 * several threads may log at once. errno is kept. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stddef.h>

#include "base/mem.h"

enum log_level { LOG_ERROR = 0, LOG_WARN, LOG_INFO, LOG_DEBUG };

/** @brief Sets the name of the service (kept) that each line carries. The level is info, or what
 * BIGFUSION_LOG_LEVEL says. */
void log_open(const char *service);

/** @brief Sets the level: lines that are less important are not printed. */
void log_set_level(enum log_level level);

/** @brief Whether a line of that level would be printed. */
int log_enabled(enum log_level level);

/* What a thread works on. */
struct log_about {
    struct text key;   /* escaped when it is printed; absent: not known */
    struct text trace; /* a trace id, which is hex digits; absent: not known */
};

/**
 * @brief From now on each line of this thread that is written with it says key= and trace=, before
 * its first name=value. Lines of other threads are not touched.
 * @param about  kept until the next call; NULL: the lines are about no order
 * @returns what was set before, so that a caller can set it again
 */
const struct log_about *log_set_about(const struct log_about *about);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_enabled(LOG_DEBUG))                                                                \
            log_write(LOG_DEBUG, __VA_ARGS__);                                                     \
    } while (0)

/**
 * @brief Makes outside text safe for a log line: printable ASCII stays, apart from `"` and `\`;
 * every other byte becomes \xHH.
 * @param target  receives at most size bytes with the final NUL; cut when too long
 * @returns target
 */
const char *log_escape(char *target, size_t size, const char *data, size_t length);

#endif
