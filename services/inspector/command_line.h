/* command_line.h - splits the command line of `bigfusion` into words and options. Pure.
 * All options of all commands are read here; see command_option.h. */
#ifndef INSPECTOR_COMMAND_LINE_H
#define INSPECTOR_COMMAND_LINE_H

#include <stdint.h>

#include "base/error.h"

#include "command_option.h"

/* Embedded, zero-initialised; release with command_line_clear(). The strings are borrowed from
 * argv. */
struct command_line {
    char **words; /* all words; command_check() leaves the arguments behind the command */
    int word_count;
    unsigned options; /* the COMMAND_OPTION_ bits that were given */
    int json;
    int64_t older_ms; /* --older; 0 where it is not given */
    char **common; /* argv of config_load(): the program's name and the options of all programs */
    int common_count;
    int help; /* --help or -h */
    /* for command_line_value() and command_line_clear() */
    const char *values[COMMAND_OPTIONS_MAX]; /* values[i] belongs to command_options[i] */
    char **all_words;
};

/**
 * @brief Reads argv. Options may stand anywhere; the value of one may follow it, or an equals sign.
 * What follows the word -- is no option.
 * @returns 0, or -1 with a permanent error that names the option. The line is to be cleared in both
 * cases
 */
int command_line_read(struct command_line *line, int argc, char **argv, struct error *err);
void command_line_clear(struct command_line *line);

/** @brief The value of an option, or NULL where it was not given. @param bit one COMMAND_OPTION_ bit
 * of an option that has a value */
const char *command_line_value(const struct command_line *line, unsigned bit);

/** @brief Whether an option was given. */
int command_line_has(const struct command_line *line, unsigned bit);

#endif
