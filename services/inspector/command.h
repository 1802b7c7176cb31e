/* command.h - the subcommands of `bigfusion`: one table, one file per subcommand. */
#ifndef INSPECTOR_COMMAND_H
#define INSPECTOR_COMMAND_H

#include "base/error.h"
#include "settings/config.h"

struct command {
    const char *words;   /* "topics create" */
    const char *summary; /* one line for --help */
    const char *help;    /* what `bigfusion help WORDS` prints below the summary */
    int (*run)(const struct config *config, struct error *err); /* 0, or -1 with err */
};

/** @brief The command that these words name, or NULL. */
const struct command *command_find(char **words, int count);

/**
 * @brief Prints the list of commands, or, where words are given, the manual of that command.
 * @returns 0, or -1 when there is no such command
 */
int command_help(char **words, int count);

/* setup.c */
int setup_run(const struct config *config, struct error *err);
/* topics.c */
int topics_create_run(const struct config *config, struct error *err);
/* ledger.c */
int ledger_distrust_run(const struct config *config, struct error *err);

#endif
