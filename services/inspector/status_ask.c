/* status_ask.c - `bigfusion status`: from the console, or from the topics where no console answers. */
#include "command.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

#include "answer_print.h"
#include "console.h"

enum { TIMEOUT_MS = 10000 };

static void print(const struct config *config, json_t *answer, int is_json)
{
    struct buffer text = {0};

    if (is_json) {
        json_object_set_new(answer, "source", json_string("console"));
        json_dumpf(answer, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
        printf("\n");
        return;
    }
    status_answer_print(answer, clock_now_ms(), &text);
    printf("%sfrom the console at %s\n", text.data, config->console.url);
    buffer_clear(&text);
}

int status_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct console *console;
    struct error why = {0};
    json_t *answer;

    if (command_line_has(line, COMMAND_OPTION_SCAN))
        return status_scan(config, line, err);
    console = console_new(config, TIMEOUT_MS, "the topics are read instead");
    answer = console_ask(console, "/api/v1/status", NULL, &why);
    console_free(console);
    if (answer == NULL) {
        fprintf(stderr, "bigfusion: %s\n", why.text);
        return status_scan(config, line, err);
    }
    print(config, answer, line->json);
    json_decref(answer);
    return 0;
}
