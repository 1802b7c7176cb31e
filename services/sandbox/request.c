#include "request.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "order_text.h"

char *url_decode(const char *text, size_t length, int plus)
{
    char *target = mem_alloc(length + 1);
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        char hex[3] = {0};
        if (text[i] == '%' && i + 2 < length + 0U && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2])) {
            memcpy(hex, text + i + 1, 2);
            target[n] = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            target[n] = plus && text[i] == '+' ? ' ' : text[i];
        }
        if (target[n] != '\0') /* a NUL byte is valid in no value here */
            n++;
    }
    target[n] = '\0';
    return target;
}

static void split_path(struct request *request)
{
    const char *start = request->path;

    while (*start != '\0' && request->segment_count < REQUEST_SEGMENTS) {
        size_t length = strcspn(start, "/");
        if (length > 0)
            request->segments[request->segment_count++] = url_decode(start, length, 0);
        start += length;
        while (*start == '/')
            start++;
    }
}

static void split_query(struct request *request)
{
    const char *start = request->query;

    while (*start != '\0' && request->parameter_count < REQUEST_PARAMETERS) {
        size_t length = strcspn(start, "&");
        const char *equals = memchr(start, '=', length);
        size_t name_length = equals == NULL ? length : (size_t)(equals - start);
        struct parameter *parameter = &request->parameters[request->parameter_count];
        if (length > 0) {
            parameter->name = url_decode(start, name_length, 1);
            parameter->value = equals == NULL ? mem_strdup("")
                                              : url_decode(equals + 1, length - name_length - 1, 1);
            request->parameter_count++;
        }
        start += length;
        if (*start == '&')
            start++;
    }
}

void request_open(struct request *request, const char *method, const char *uri)
{
    size_t length = strcspn(uri, "?");

    request->method = mem_strdup(method);
    request->path = mem_strndup(uri, length);
    request->query = mem_strdup(uri[length] == '?' ? uri + length + 1 : "");
    split_path(request);
    split_query(request);
}

void request_parse_body(struct request *request)
{
    json_error_t error;

    if (request->body.length == 0)
        return;
    request->json =
        json_loadb(request->body.data, request->body.length, JSON_REJECT_DUPLICATES, &error);
    if (request->json == NULL)
        snprintf(request->json_error, sizeof request->json_error, "%.100s", error.text);
}

void request_close(struct request *request)
{
    for (int i = 0; i < request->segment_count; i++)
        free(request->segments[i]);
    for (int i = 0; i < request->parameter_count; i++) {
        free(request->parameters[i].name);
        free(request->parameters[i].value);
    }
    free(request->method);
    free(request->path);
    free(request->query);
    buffer_clear(&request->body);
    json_decref(request->json);
    *request = (struct request){0};
}

const char *request_parameter(const struct request *request, const char *name)
{
    for (int i = 0; i < request->parameter_count; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return NULL;
}

const char *request_segment(const struct request *request, int i)
{
    return i < request->segment_count ? request->segments[i] : "";
}

int parse_integer(const char *text, int64_t *value)
{
    const char *digits = *text == '-' ? text + 1 : text;
    size_t length = strspn(digits, "0123456789");

    if (length == 0 || length > 18 || digits[length] != '\0')
        return -1;
    *value = strtoll(text, NULL, 10);
    return 0;
}

void reply_clear(struct reply *reply)
{
    for (int i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    buffer_clear(&reply->body);
    buffer_clear(&reply->effect);
    *reply = (struct reply){0};
}

char *json_text(const json_t *json)
{
    struct buffer buffer = {0};

    order_text_write(&buffer, json, 0); /* this takes half the time of json_dumps() */
    return buffer.data;
}

void reply_json(struct reply *reply, int status, json_t *json)
{
    char *text = json_text(json);

    reply_text(reply, status, text, strlen(text));
    free(text);
    json_decref(json);
}

void reply_text(struct reply *reply, int status, const char *data, size_t length)
{
    reply->status = status;
    buffer_reset(&reply->body);
    buffer_append(&reply->body, data, length);
}

void reply_header(struct reply *reply, const char *name, const char *format, ...)
{
    char value[512];
    va_list arguments;
    int i;

    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    for (i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->headers[i].name, name) == 0)
            break;
    if (i == REPLY_HEADERS)
        return;
    if (i == reply->header_count) {
        reply->headers[i].name = mem_strdup(name);
        reply->header_count++;
    }
    free(reply->headers[i].value);
    reply->headers[i].value = mem_strdup(value);
}

char *text_repair(char *text)
{
    json_t *json = json_string(text);

    if (json == NULL)
        for (char *c = text; *c != '\0'; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    json_decref(json);
    return text;
}

static const char *status_word(int status)
{
    switch (status) {
    case 400:
        return "INVALID_ARGUMENT";
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return "PERMISSION_DENIED";
    case 404:
        return "NOT_FOUND";
    case 409:
        return "ALREADY_EXISTS";
    default:
        return status >= 500 ? "INTERNAL" : "FAILED_PRECONDITION";
    }
}

int reply_is_error(struct reply *reply, int status, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reply_json(reply, status,
               mem_check(json_pack("{s:i,s:s,s:s,s:[{s:s,s:s}]}", "code", status, "message",
                                   text_repair(message), "status", status_word(status), "details",
                                   "domain", "crm", "resource", "rest/v2")));
    return -1;
}

void reply_fault(struct reply *reply, int status, const char *faultstring, const char *errorcode)
{
    reply_json(reply, status,
               mem_check(json_pack("{s:{s:s,s:{s:s}}}", "fault", "faultstring", faultstring,
                                   "detail", "errorcode", errorcode)));
}

int reply_bc_error(struct reply *reply, int status, const char *format, ...)
{
    char message[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reply_json(
        reply, status,
        mem_check(json_pack("[{s:i,s:s}]", "status", status, "message", text_repair(message))));
    return -1;
}

void reply_bc_title(struct reply *reply, int status, const char *title)
{
    reply_json(reply, status,
               mem_check(json_pack("{s:i,s:s,s:s}", "status", status, "title", title, "type",
                                   "/api-docs/getting-started/api-status-codes")));
}

void reply_effect(struct reply *reply, const char *verb, const char *kind, const char *object)
{
    buffer_reset(&reply->effect);
    buffer_printf(&reply->effect, "{\"%s\":\"%s\"%s", verb, kind, object[1] == '}' ? "" : ",");
    buffer_append(&reply->effect, object + 1, strlen(object) - 1);
}
