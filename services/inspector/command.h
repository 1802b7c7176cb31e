/* command.h - the subcommands of `bigfusion`: one table, one file per subcommand. */
#ifndef INSPECTOR_COMMAND_H
#define INSPECTOR_COMMAND_H

#include "base/error.h"
#include "settings/config.h"

#include "command_line.h"

struct command {
    const char *words; /* "topics create" */
    /* What may stand behind the words, such as "[--older DURATION] [--json]"; "": nothing. */
    const char *usage;
    const char *summary; /* one line for --help */
    const char *help;    /* what `bigfusion help WORDS` prints below the summary, with examples */
    int arguments_min;   /* how many words may stand behind the command's own */
    int arguments_max;
    unsigned options; /* the COMMAND_OPTION_ bits that it takes */
    /* Carries it out. The line is borrowed. Returns 0, or -1 with an error. */
    int (*run)(const struct config *config, const struct command_line *line, struct error *err);
    int programs; /* whose settings it reads; 0: those of PROGRAM_INSPECTOR */
    /* NULL, or what it does where the settings are refused; err holds why and is to be replaced. */
    int (*run_refused)(const struct command_line *line, struct error *err);
};

/**
 * @brief The command whose words the given words begin with, or NULL. The longest one counts.
 * @param used  out, or NULL: how many of the words are the command's own
 */
const struct command *command_find(char **words, int count, int *used);

/**
 * @brief Takes the words of the command off the line and checks that the command takes what is
 * left: its arguments and options.
 * @returns 0, or -1 with a permanent error
 */
int command_check(const struct command *command, int used, struct command_line *line,
                  struct error *err);

/**
 * @brief Prints the list of commands, or, where words are given, the manual of that command.
 * @returns 0, or -1 when there is no such command
 */
int command_help(char **words, int count);

/* up_front.c */
int up_front_run(const struct config *config, const struct command_line *line, struct error *err);
/* setup.c */
int setup_run(const struct config *config, const struct command_line *line, struct error *err);
/* topics.c */
int topics_create_run(const struct config *config, const struct command_line *line,
                      struct error *err);
/* ledger.c */
int ledger_distrust_run(const struct config *config, const struct command_line *line,
                        struct error *err);

/* doctor.c */
int doctor_run(const struct config *config, const struct command_line *line, struct error *err);
int doctor_run_refused(const struct command_line *line, struct error *err);
/* status.c */
int status_run(const struct config *config, const struct command_line *line, struct error *err);
/* stuck.c */
int stuck_run(const struct config *config, const struct command_line *line, struct error *err);
/* trace.c */
int trace_run(const struct config *config, const struct command_line *line, struct error *err);

#endif
