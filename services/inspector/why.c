/* why.c - `bigfusion why`: the one answer to where an order is. The console gives it. */
#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#include "answer_print.h"
#include "console.h"

enum { TIMEOUT_MS = 60000 }; /* the console may have to ask the store */

static const char instead[] = "start bigfusion-console, or read the topics: bigfusion trace ORDER";

static int is_number(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && strspn(text, "0123456789") == length;
}

/* Asks for an order by its name in the store, or in an account of Infusionsoft. */
static json_t *ask_for(struct console *console, const char *argument, const char *value,
                       const char *account, struct error *err)
{
    struct buffer path = {0};
    json_t *answer;

    buffer_printf(&path, "/api/v1/why");
    console_add_argument(&path, argument, value);
    console_add_argument(&path, "account", account);
    answer = console_ask(console, path.data, NULL, err);
    buffer_clear(&path);
    return answer;
}

/* The address stands in the body of a POST: urls are logged on their way, bodies are not. */
static json_t *ask_for_email(struct console *console, const char *address, struct error *err)
{
    json_t *body = json_pack("{s:s}", "email", address);
    json_t *answer;

    if (body == NULL) {
        error_set(err, ERROR_PERMANENT, "the e-mail address is no UTF-8");
        return NULL;
    }
    answer = console_ask(console, "/api/v1/why", body, err);
    json_decref(body);
    return answer;
}

/* @returns the first line of standard input without blanks around it; new, or NULL with an error */
static char *read_address(struct error *err)
{
    char *line = NULL, *address = NULL;
    size_t size = 0;
    ssize_t length;
    struct text trimmed;

    if (isatty(STDIN_FILENO))
        fprintf(stderr, "e-mail address: ");
    length = getline(&line, &size, stdin);
    trimmed = (struct text){line, length > 0 ? (size_t)length : 0};
    while (trimmed.length > 0 && isspace((unsigned char)trimmed.data[trimmed.length - 1]))
        trimmed.length--;
    while (trimmed.length > 0 && isspace((unsigned char)*trimmed.data)) {
        trimmed.data++;
        trimmed.length--;
    }
    if (trimmed.length > 0)
        address = mem_strndup(trimmed.data, trimmed.length);
    else
        error_set(err, ERROR_PERMANENT, "--email -: there is no address on standard input");
    free(line);
    return address;
}

static json_t *ask_by_email(struct console *console, const char *value, struct error *err)
{
    char *address = strcmp(value, "-") == 0 ? read_address(err) : mem_strdup(value);
    json_t *answer = address != NULL ? ask_for_email(console, address, err) : NULL;

    free(address);
    return answer;
}

/* A number is an order of the store, and where no store has it, perhaps one of Infusionsoft. */
static json_t *ask_by_name(struct console *console, const struct command_line *line,
                           struct error *err)
{
    char *name = line->word_count > 1 ? mem_printf("%s %s", line->words[0], line->words[1])
                                      : mem_strdup(line->words[0]);
    json_t *answer = ask_for(console, "order", name, NULL, err);
    json_t *other = NULL;
    struct error other_err = {0};

    if (is_number(name) &&
        (answer != NULL ? why_status(answer) == WHY_UNKNOWN : err->kind == ERROR_PERMANENT))
        other = ask_for(console, "infusionsoft", name, NULL, &other_err);
    if (json_array_size(json_object_get(other, "orders")) > 0 && why_status(other) != WHY_UNKNOWN) {
        fprintf(stderr, "bigfusion: no store has an order %s; this is Infusionsoft's order %s\n",
                name, name);
        json_decref(answer);
        answer = json_incref(other);
        error_clear(err);
    }
    json_decref(other);
    free(name);
    return answer;
}

/* Exactly one of the three ways to name an order. */
static int check(const struct command_line *line, struct error *err)
{
    int ways = (line->word_count > 0) + command_line_has(line, COMMAND_OPTION_EMAIL) +
               command_line_has(line, COMMAND_OPTION_INFUSIONSOFT);

    if (ways != 1)
        return error_set(err, ERROR_PERMANENT,
                         "%s; give one of: ORDER, --infusionsoft ID, --email ADDRESS",
                         ways == 0 ? "which order?" : "that is more than one question");
    if (command_line_has(line, COMMAND_OPTION_ACCOUNT) &&
        !command_line_has(line, COMMAND_OPTION_INFUSIONSOFT))
        return error_set(err, ERROR_PERMANENT, "--account belongs to --infusionsoft ID");
    return 0;
}

int why_run(const struct config *config, const struct command_line *line, struct error *err)
{
    const char *email = command_line_value(line, COMMAND_OPTION_EMAIL);
    const char *id = command_line_value(line, COMMAND_OPTION_INFUSIONSOFT);
    struct buffer text = {0};
    struct console *console;
    json_t *answer;
    int rc = -1;

    if (check(line, err) != 0)
        return -1;
    console = console_new(config, TIMEOUT_MS, instead);
    if (email != NULL)
        answer = ask_by_email(console, email, err);
    else if (id != NULL)
        answer = ask_for(console, "infusionsoft", id,
                         command_line_value(line, COMMAND_OPTION_ACCOUNT), err);
    else
        answer = ask_by_name(console, line, err);
    if (answer != NULL) {
        rc = why_status(answer);
        if (line->json)
            json_dumpf(answer, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
        else
            why_print(answer, clock_now_ms(), &text);
        printf("%s", text.data != NULL ? text.data : "\n");
    }
    buffer_clear(&text);
    json_decref(answer);
    console_free(console);
    return rc;
}
