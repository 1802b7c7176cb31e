#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const char *request_argument(const struct request *request, const char *name)
{
    for (int i = 0; i < request->argument_count; i++)
        if (strcmp(request->arguments[i].name, name) == 0)
            return request->arguments[i].value;
    return NULL;
}

/* The length of the UTF-8 sequence that starts at data, or 0 when it is none. */
static size_t sequence_length(const unsigned char *data, size_t left)
{
    size_t length = data[0] < 0x80                      ? 1
                    : data[0] >= 0xc2 && data[0] < 0xe0 ? 2
                    : data[0] >= 0xe0 && data[0] < 0xf0 ? 3
                    : data[0] >= 0xf0 && data[0] < 0xf5 ? 4
                                                        : 0;

    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((data[i] & 0xc0) != 0x80)
            return 0;
    if ((data[0] == 0xe0 && data[1] < 0xa0) || (data[0] == 0xed && data[1] > 0x9f) ||
        (data[0] == 0xf0 && data[1] < 0x90) || (data[0] == 0xf4 && data[1] > 0x8f))
        return 0;
    return length;
}

static int is_plain_text(const char *value, size_t length)
{
    const unsigned char *data = (const unsigned char *)value;

    for (size_t i = 0, step; i < length; i += step) {
        step = sequence_length(data + i, length - i);
        if (step == 0 || data[i] < 0x20 || data[i] == 0x7f)
            return 0;
    }
    return 1;
}

int request_add_argument(struct request *request, const char *name, const char *value,
                         size_t length, const char **why)
{
    *why = NULL;
    if (request->argument_count == REQUEST_ARGUMENTS_MAX)
        *why = "The query has too many arguments.";
    else if (request_argument(request, name) != NULL)
        *why = "An argument of the query is given twice.";
    else if (length > REQUEST_ARGUMENT_BYTES_MAX)
        *why = "An argument of the query is too long.";
    else if (!is_plain_text(value, length) || !is_plain_text(name, strlen(name)))
        *why = "An argument of the query has a control character or is not UTF-8.";
    if (*why != NULL)
        return -1;
    request->arguments[request->argument_count++] =
        (struct request_argument){name, value == NULL ? "" : value};
    return 0;
}

/* A sentence may have been cut inside a character. */
static void mend_text(char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0, step; i < length; i += step) {
        step = sequence_length((const unsigned char *)text + i, length - i);
        if (step == 0) {
            text[i] = '?';
            step = 1;
        }
    }
}

void reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
{
    char sentence[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    mend_text(sentence);
    buffer_reset(&reply->body);
    reply->status = status;
    reply->type = NULL;
    json_write_literal(&reply->body, "{\"error\":");
    json_write_text(&reply->body, text_of(sentence), sizeof(sentence));
    buffer_printf(&reply->body, ",\"code\":\"%s\"}\n", code);
}
