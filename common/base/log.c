#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *service_name = "bigfusion";
static enum log_level most_talkative = LOG_INFO;

void log_open(const char *service)
{
    const char *wanted = getenv("BIGFUSION_LOG_LEVEL");

    service_name = service;
    for (size_t i = 0; wanted != NULL && i < sizeof(level_names) / sizeof(*level_names); i++)
        if (strcmp(wanted, level_names[i]) == 0)
            most_talkative = (enum log_level)i;
}

void log_set_level(enum log_level level) { most_talkative = level; }

int log_enabled(enum log_level level) { return level <= most_talkative; }

void log_write(enum log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char line[2048];
    size_t used;
    int length;
    struct timespec now;
    struct tm utc;
    va_list args;

    if (!log_enabled(level))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
    length = snprintf(line + used, sizeof(line) - used, ".%03ldZ %s %s ", now.tv_nsec / 1000000,
                      level_names[level], service_name);
    used += (size_t)length;
    va_start(args, format);
    length = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    if (length > 0)
        used += (size_t)length;
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    line[used++] = '\n';
    /* A failure is ignored: without stderr there is nobody to tell. */
    if (write(STDERR_FILENO, line, used) < 0)
        errno = 0;
    errno = saved_errno;
}

const char *log_escape(char *target, size_t size, const char *data, size_t length)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 5 <= size; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            target[used++] = (char)c;
        else
            used += (size_t)snprintf(target + used, size - used, "\\x%02x", c);
    }
    if (size > 0)
        target[used] = '\0';
    return target;
}
