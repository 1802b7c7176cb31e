#include "control.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

int control_error(struct reply *reply, int status, const char *format, ...)
{
    char message[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reply_json(reply, status, mem_check(json_pack("{s:s}", "error", text_repair(message))));
    return -1;
}
