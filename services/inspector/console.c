#include "console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history/outside_text.h"
#include "net/http.h"

enum { ANSWER_MAX_BYTES = 32 * 1024 * 1024, CODE_BYTES = 40 };

struct console {
    const struct config *config;
    struct http_settings settings; /* borrowed from config; a proxy has no business here */
    struct http *http;
    int64_t timeout_ms;
    const char *instead;
    char code[CODE_BYTES];
};

struct console *console_new(const struct config *config, int64_t timeout_ms, const char *instead)
{
    struct console *console = mem_alloc(sizeof(*console));

    console->config = config;
    console->settings = config->http;
    console->settings.proxy = "";
    console->http = http_new("bigfusion", &console->settings);
    console->timeout_ms = timeout_ms;
    console->instead = instead;
    return console;
}

void console_free(struct console *console)
{
    if (console == NULL)
        return;
    http_free(console->http);
    free(console);
}

const char *console_error_code(const struct console *console) { return console->code; }

void console_add_argument(struct buffer *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buffer_printf(path, "%c%s=", strchr(path->data, '?') == NULL ? '?' : '&', name);
    http_append_escaped(path, text_of(value));
}

/* Which kind of error a status of HTTP is: some pass by themselves. */
static enum error_kind kind_of(int status)
{
    return status == 429 || status >= 500 ? ERROR_TEMPORARY : ERROR_PERMANENT;
}

/* An answer that is an error: {"error": "sentence", "code": "word"}. */
static void take_error(struct console *console, int status, const json_t *answer, struct error *err)
{
    const char *url = console->config->console.url;
    const char *sentence = json_string_value(json_object_get(answer, "error"));
    const char *code = json_string_value(json_object_get(answer, "code"));

    if (code != NULL)
        snprintf(console->code, sizeof(console->code), "%s", code);
    if (status == 401 || status == 403)
        error_set(err, ERROR_PERMANENT,
                  "the console at %s refuses this user (HTTP %d: %.100s); see [console] token_file",
                  url, status, sentence != NULL ? sentence : "no reason told");
    else if (sentence != NULL)
        error_set(err, kind_of(status), "%s", sentence);
    else
        error_set(err, kind_of(status), "%s: HTTP %d; is it bigfusion-console?", url, status);
}

/* @returns the answer, or NULL with an error */
static json_t *read_answer(struct console *console, const struct http_answer *answer,
                           struct error *err)
{
    json_t *read = answer->body.data != NULL
                       ? json_loadb(answer->body.data, answer->body.length, JSON_ALLOW_NUL, NULL)
                       : NULL;
    json_t *printable = json_is_object(read) ? outside_json(read) : NULL;

    if (answer->status != 200)
        take_error(console, answer->status, printable, err);
    else if (printable == NULL)
        error_set(err, ERROR_PERMANENT,
                  "%s: the answer is no JSON object; is it bigfusion-console?",
                  console->config->console.url);
    json_decref(read);
    if (answer->status == 200)
        return printable;
    json_decref(printable);
    return NULL;
}

json_t *console_ask(struct console *console, const char *path, const json_t *body,
                    struct error *err)
{
    char *url = mem_printf("%s%s", console->config->console.url, path);
    char *sent = body != NULL ? mem_check(json_dumps(body, JSON_COMPACT)) : NULL;
    char *bearer = mem_printf(
        "Bearer %s", console->config->console.token != NULL ? console->config->console.token : "");
    const struct http_header header = {"Authorization", bearer};
    const struct http_request request = {.method = body != NULL ? "POST" : "GET",
                                         .url = url,
                                         .headers = &header,
                                         .header_count = console->config->console.token != NULL,
                                         .body = text_of(sent),
                                         .timeout_ms = console->timeout_ms,
                                         .max_answer_bytes = ANSWER_MAX_BYTES};
    struct http_answer answer = {0};
    struct error cause = {0};
    json_t *read = NULL;

    console->code[0] = '\0';
    if (http_perform(console->http, &request, &answer, &cause) == 0)
        read = read_answer(console, &answer, err);
    else
        error_set(err, ERROR_TEMPORARY, "no console answers at %s (%.80s); %s",
                  console->config->console.url, cause.text, console->instead);
    http_answer_clear(&answer);
    free(bearer);
    free(sent);
    free(url);
    return read;
}
