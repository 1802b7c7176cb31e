/* NAME
 *     bigfusion - command line for operators
 * SYNOPSIS
 *     bigfusion COMMAND [--config FILE]
 *     bigfusion help [COMMAND]
 * READS, WRITES
 *     What the command says: `bigfusion help COMMAND`.
 * GUARANTEES
 *     Each command can be repeated; what is done already stays as it is.
 * SIGNALS
 *     TERM, INT: stop at the next safe place.
 * EXIT STATUS
 *     0 done; 100 a person must fix something (also: no such command); 111 not now, try again
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "net/http.h"
#include "settings/config.h"

#include "command.h"

static const struct config_program program = {
    .program = PROGRAM_INSPECTOR,
    .name = "bigfusion",
    .summary = "Command line for operators.",
};

/* The command line, split into the words of the command and the options. config_load() reads the
 * options. */
struct line {
    char **words;
    int word_count;
    char **options; /* begins with the program's name */
    int option_count;
    int help;
};

static void split(struct line *line, int argc, char **argv)
{
    line->words = mem_alloc((size_t)argc * sizeof(char *));
    line->options = mem_alloc(((size_t)argc + 1) * sizeof(char *));
    line->options[line->option_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            line->help = 1;
        } else if (argv[i][0] == '-') {
            line->options[line->option_count++] = argv[i];
            if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
                line->options[line->option_count++] = argv[++i];
        } else {
            line->words[line->word_count++] = argv[i];
        }
    }
    if (line->word_count > 0 && strcmp(line->words[0], "help") == 0) {
        line->help = 1;
        memmove(line->words, line->words + 1, (size_t)--line->word_count * sizeof(char *));
    }
}

static int run(const struct command *command, struct line *line, struct error *err)
{
    struct config config = {0};
    int rc = config_load(&config, &program, line->option_count, line->options, err);

    if (rc == 0) {
        stop_install();
        rc = http_global_init(err);
    }
    if (rc == 0) {
        rc = command->run(&config, err);
        http_global_cleanup();
    }
    config_free(&config);
    return rc;
}

int main(int argc, char **argv)
{
    struct line line = {0};
    struct error err = {0};
    const struct command *command;

    log_open("bigfusion");
    split(&line, argc, argv);
    command = command_find(line.words, line.word_count);
    if (line.help) {
        if (command_help(line.words, line.word_count) != 0)
            error_set(&err, ERROR_PERMANENT, "no such command; `bigfusion help` lists them");
    } else if (line.word_count == 0 && line.option_count > 1) {
        struct config config = {0};

        /* --version and --check print something and end the process */
        if (config_load(&config, &program, line.option_count, line.options, &err) == 0)
            error_set(&err, ERROR_PERMANENT, "no command given; `bigfusion help` lists them");
        config_free(&config);
    } else if (command == NULL) {
        error_set(&err, ERROR_PERMANENT, "no such command; `bigfusion help` lists them");
    } else {
        run(command, &line, &err);
    }
    if (err.kind != ERROR_NONE)
        fprintf(stderr, "bigfusion: %s\n", err.text);
    free(line.words);
    free(line.options);
    return exit_status(&err);
}
