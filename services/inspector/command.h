/* command.h - the subcommands of `bigfusion`: one table, one file per subcommand. The help texts,
 * the completion scripts and the man page are made from the table. */
#ifndef INSPECTOR_COMMAND_H
#define INSPECTOR_COMMAND_H

#include "base/error.h"
#include "settings/config.h"

#include "command_line.h"

enum command_about { COMMAND_ABOUT_NONE = 0, COMMAND_ABOUT_HELP, COMMAND_ABOUT_COMPLETION };

struct command {
    const char *words;     /* "topics create" */
    const char *arguments; /* what may stand behind the words: "ORDER", "[TOPIC]"; "": nothing */
    const char *summary;   /* one line for --help */
    /* What it does: whole sentences without line ends; a blank line separates paragraphs. */
    const char *help;
    const char *examples; /* lines of a shell; NULL: none */
    const char *choices;  /* what its first argument can be, for completion; NULL: anything */
    const char *exits;    /* its own exit statuses beside 100 and 111, a line; NULL: 0 done */
    int arguments_min;    /* how many words may stand behind the command's own */
    int arguments_max;
    unsigned options; /* the COMMAND_OPTION_ bits that it takes */
    /* Carries it out. The line is borrowed. Returns 0, another exit status of its own below 100, or
     * -1 with an error. */
    int (*run)(const struct config *config, const struct command_line *line, struct error *err);
    int programs; /* whose settings it reads; 0: those of PROGRAM_INSPECTOR */
    /* NULL, or what it does where the settings are refused; err holds why and is to be replaced. */
    int (*run_refused)(const struct command_line *line, struct error *err);
    /* Of a command that is about this table and needs no settings; run is NULL then, see main.c. */
    enum command_about about;
};

/* command_table.c */
extern const struct command commands[];
extern const int command_count;

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

/** @brief Appends how the command is called: "stuck [--older DURATION] [--json]". */
void command_usage(const struct command *command, struct buffer *target);

/**
 * @brief Prints the list of commands, or, where words are given, the manual of that command.
 * @returns 0, or -1 when there is no such command
 */
int command_help(char **words, int count);

/** @brief Appends the man page of all commands, as roff with the macros of man(7). Pure. */
void command_man(struct buffer *target);

/** @brief Appends the completion script for a shell. Pure. @returns 0, or -1 when the shell is
 * neither "bash" nor "zsh" */
int command_complete(const char *shell, struct buffer *target);

/* up_front.c */
int up_front_run(const struct config *config, const struct command_line *line, struct error *err);
/* setup.c */
int setup_run(const struct config *config, const struct command_line *line, struct error *err);
/* topics.c */
int topics_create_run(const struct config *config, const struct command_line *line,
                      struct error *err);
/* topics_acl.c */
int topics_acl_run(const struct config *config, const struct command_line *line, struct error *err);
/* ledger.c */
int ledger_distrust_run(const struct config *config, const struct command_line *line,
                        struct error *err);

/* doctor.c */
int doctor_run(const struct config *config, const struct command_line *line, struct error *err);
int doctor_run_refused(const struct command_line *line, struct error *err);
/* status.c: what status_run() does with --scan */
int status_scan(const struct config *config, const struct command_line *line, struct error *err);
/* status_ask.c */
int status_run(const struct config *config, const struct command_line *line, struct error *err);
/* stuck.c: what stuck_run() does with --scan */
int stuck_scan(const struct config *config, const struct command_line *line, struct error *err);
/* orders.c */
int stuck_run(const struct config *config, const struct command_line *line, struct error *err);
int skipped_run(const struct config *config, const struct command_line *line, struct error *err);
int dead_run(const struct config *config, const struct command_line *line, struct error *err);
int waiting_run(const struct config *config, const struct command_line *line, struct error *err);
int retrying_run(const struct config *config, const struct command_line *line, struct error *err);
/* peek.c */
int peek_run(const struct config *config, const struct command_line *line, struct error *err);
/* tail.c */
int tail_run(const struct config *config, const struct command_line *line, struct error *err);
/* retry.c */
int retry_run(const struct config *config, const struct command_line *line, struct error *err);
/* drop.c */
int drop_run(const struct config *config, const struct command_line *line, struct error *err);
/* pause.c */
int pause_run(const struct config *config, const struct command_line *line, struct error *err);
int resume_run(const struct config *config, const struct command_line *line, struct error *err);
/* forget.c */
int forget_run(const struct config *config, const struct command_line *line, struct error *err);
/* audit.c */
int audit_run(const struct config *config, const struct command_line *line, struct error *err);
int audit_verify_run(const struct config *config, const struct command_line *line,
                     struct error *err);
/* backfill.c */
int backfill_run(const struct config *config, const struct command_line *line, struct error *err);
/* preview.c */
int preview_run(const struct config *config, const struct command_line *line, struct error *err);
/* why.c */
int why_run(const struct config *config, const struct command_line *line, struct error *err);
/* trace.c */
int trace_run(const struct config *config, const struct command_line *line, struct error *err);

#endif
