/* NAME
 *     bigfusion - command line for operators
 * SYNOPSIS
 *     bigfusion COMMAND [ARGUMENTS] [--config FILE]
 *     bigfusion help [COMMAND]
 * READS, WRITES
 *     What the command says: `bigfusion help COMMAND`.
 * GUARANTEES
 *     Each command can be repeated; what is done already stays as it is.
 * SIGNALS
 *     TERM, INT: stop at the next safe place.
 * EXIT STATUS
 *     0 done; 100 a person must fix something (also: no such command); 111 not now, try again.
 *     Others are a command's own: `bigfusion help COMMAND`.
 */
#include <stdio.h>

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

static int run(const struct command *command, const struct command_line *line, struct error *err)
{
    struct config_program reader = program;
    struct config config = {0};
    int rc;

    if (command->programs != 0)
        reader.program = command->programs;
    rc = config_load(&config, &reader, line->common_count, line->common, err);
    if (rc != 0 && command->run_refused != NULL)
        rc = command->run_refused(line, err);
    if (rc == 0) {
        stop_install();
        rc = http_global_init(err);
    }
    if (rc == 0) {
        rc = command->run(&config, line, err);
        http_global_cleanup();
    }
    config_free(&config);
    return rc;
}

/* Without a command, --version and --check print something and end the process. */
static int run_without(const struct command_line *line, struct error *err)
{
    struct config config = {0};

    if (line->common_count > 1 &&
        config_load(&config, &program, line->common_count, line->common, err) != 0)
        return -1;
    config_free(&config);
    return error_set(err, ERROR_PERMANENT, "no command given; `bigfusion help` lists them");
}

/* A command that is about the table of commands. */
static int tell(const struct command *command, const struct command_line *line, struct error *err)
{
    struct buffer text = {0};
    int rc = 0;

    if (command->about == COMMAND_ABOUT_COMPLETION) {
        if (command_complete(line->words[0], &text) != 0)
            rc = error_set(err, ERROR_PERMANENT, "%.40s: allowed: bash, zsh", line->words[0]);
    } else if (command_line_has(line, COMMAND_OPTION_MAN)) {
        command_man(&text);
    } else if (command_help(line->words, line->word_count) != 0) {
        rc = error_set(err, ERROR_PERMANENT, "no such command; `bigfusion help` lists them");
    }
    if (text.data != NULL)
        fputs(text.data, stdout);
    buffer_clear(&text);
    return rc;
}

/* @returns 0, another exit status of the command, or -1 with an error */
static int answer(struct command_line *line, struct error *err)
{
    int used = 0;
    const struct command *command = command_find(line->words, line->word_count, &used);

    if (line->help && command_help(line->words, line->word_count) == 0)
        return 0;
    if (!line->help && line->word_count == 0)
        return run_without(line, err);
    if (command == NULL)
        return error_set(err, ERROR_PERMANENT, "no such command; `bigfusion help` lists them");
    if (command_check(command, used, line, err) != 0)
        return -1;
    return command->about != COMMAND_ABOUT_NONE ? tell(command, line, err)
                                                : run(command, line, err);
}

/* An answer that could not be written whole is none: the disk is full, or the reader has gone. */
static void check_output(struct error *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        error_set(err, ERROR_TEMPORARY, "the answer cannot be written to standard output");
}

int main(int argc, char **argv)
{
    struct command_line line = {0};
    struct error err = {0};
    int rc = 0;

    log_open("bigfusion");
    if (command_line_read(&line, argc, argv, &err) == 0)
        rc = answer(&line, &err);
    check_output(&err);
    if (err.kind != ERROR_NONE)
        fprintf(stderr, "bigfusion: %s\n", err.text);
    command_line_clear(&line);
    return err.kind == ERROR_NONE && rc > 0 ? rc : exit_status(&err);
}
