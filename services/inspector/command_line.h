/* command_line.h - splits the command line of `bigfusion` into words and options. Pure.
 * All options of all commands are read here, so that each is spelled and means the same
 * everywhere; command.h says which command takes which. */
#ifndef INSPECTOR_COMMAND_LINE_H
#define INSPECTOR_COMMAND_LINE_H

#include <stdint.h>

#include "base/error.h"

enum {
    COMMAND_OPTION_JSON = 1 << 0,  /* --json */
    COMMAND_OPTION_OLDER = 1 << 1, /* --older DURATION */
};

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
    int help; /* --help, -h, or the word help in front */
    /* allocated; only for command_line_clear() */
    char **all_words;
};

/**
 * @brief Reads argv. Options may stand anywhere; the value of one may follow it, or an equals sign.
 * @returns 0, or -1 with a permanent error that names the option. The line is to be cleared in both
 * cases
 */
int command_line_read(struct command_line *line, int argc, char **argv, struct error *err);
void command_line_clear(struct command_line *line);

/** @brief Appends the spelling of the options in this set, "--json, --older DURATION". */
struct buffer;
void command_options_print(unsigned options, struct buffer *target);

#endif
