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
static _Thread_local const struct log_about *subject;

enum { LINE_BYTES = 2048, ABOUT_BYTES = 240, KEY_BYTES = 160 };

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

const struct log_about *log_set_about(const struct log_about *about)
{
    const struct log_about *before = subject;

    subject = about;
    return before;
}

/* The first " name=" of a line's text, or its end. */
static char *find_first_value(char *text)
{
    for (char *blank = strchr(text, ' '); blank != NULL; blank = strchr(blank + 1, ' ')) {
        size_t name = strspn(blank + 1, "abcdefghijklmnopqrstuvwxyz_");

        if (name > 0 && blank[1 + name] == '=')
            return blank;
    }
    return text + strlen(text);
}

/* Inserts what the line is about. A line that becomes too long loses its end, not its key. */
static size_t insert_about(char *line, size_t text_at, size_t used)
{
    char about[ABOUT_BYTES] = "", key[KEY_BYTES];
    char *target = find_first_value(line + text_at);
    size_t at = (size_t)(target - line), length, rest = used - at;

    if (subject->key.length > 0) {
        log_escape(key, sizeof(key), subject->key.data, subject->key.length);
        for (char *blank = strchr(key, ' '); blank != NULL; blank = strchr(blank, ' '))
            *blank = '_'; /* a hostile key must not look like several words */
        snprintf(about, sizeof(about), " key=%s", key);
    }
    length = strlen(about);
    if (subject->trace.length > 0)
        snprintf(about + length, sizeof(about) - length, " trace=%.*s", (int)subject->trace.length,
                 subject->trace.data);
    length = strlen(about);
    if (at + length > LINE_BYTES - 2)
        return used;
    if (at + length + rest > LINE_BYTES - 2)
        rest = LINE_BYTES - 2 - at - length;
    memmove(target + length, target, rest);
    memcpy(target, about, length);
    return at + length + rest;
}

void log_write(enum log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char line[LINE_BYTES];
    size_t text_at;
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
    text_at = used;
    va_start(args, format);
    length = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    if (length > 0)
        used += (size_t)length;
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    if (subject != NULL)
        used = insert_about(line, text_at, used);
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
