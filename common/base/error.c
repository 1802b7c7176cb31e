#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list args;

    if (err->kind != ERROR_NONE)
        return -1;
    err->kind = kind;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char cause[sizeof(err->text)];
    size_t used;
    va_list args;

    memcpy(cause, err->text, sizeof(cause));
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, "%s", cause);
    return -1;
}

void error_clear(struct error *err)
{
    err->kind = ERROR_NONE;
    err->text[0] = '\0';
}

int exit_status(const struct error *err)
{
    if (err->kind == ERROR_NONE)
        return 0;
    return err->kind == ERROR_PERMANENT ? 100 : 111;
}
