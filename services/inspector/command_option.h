/* command_option.h - the options of `bigfusion`: one table. The parser, the help texts, the
 * completion scripts and the man page are made from it, so each option is spelled and means the same
 * everywhere; command_table.c says which command takes which. Pure. */
#ifndef INSPECTOR_COMMAND_OPTION_H
#define INSPECTOR_COMMAND_OPTION_H

#include "base/error.h"
#include "base/mem.h"

/* One bit for each option, so that a command's options are a set. */
enum {
    COMMAND_OPTION_JSON = 1 << 0,
    COMMAND_OPTION_OLDER = 1 << 1,
    COMMAND_OPTION_MAN = 1 << 2,
    COMMAND_OPTION_SCAN = 1 << 3,
    COMMAND_OPTION_STORE = 1 << 4,
    COMMAND_OPTION_REASON = 1 << 5,
    COMMAND_OPTION_SINCE = 1 << 6,
    COMMAND_OPTION_LIMIT = 1 << 7,
    COMMAND_OPTION_EMAIL = 1 << 8,
    COMMAND_OPTION_INFUSIONSOFT = 1 << 9,
    COMMAND_OPTION_ACCOUNT = 1 << 10,
    COMMAND_OPTION_SHOW_PERSONAL = 1 << 11,
    COMMAND_OPTION_WHY = 1 << 12,
    COMMAND_OPTION_DRY_RUN = 1 << 13,
    COMMAND_OPTION_EDIT = 1 << 14,
    COMMAND_OPTION_RETRYING = 1 << 15,
    COMMAND_OPTION_WAITING = 1 << 16,
    COMMAND_OPTION_LAST = 1 << 17,
    COMMAND_OPTION_AGAINST = 1 << 18,
    COMMAND_OPTION_PRINCIPAL = 1 << 19,
    COMMAND_OPTION_FROM = 1 << 20,
    COMMAND_OPTION_TO = 1 << 21,
    COMMAND_OPTION_GOALS = 1 << 22,
    COMMAND_OPTION_TAGS = 1 << 23,
};

/* What the value of an option must be; it is checked while the command line is read. */
enum command_value {
    COMMAND_VALUE_NONE = 0, /* there is no value */
    COMMAND_VALUE_TEXT,     /* any text that is not empty */
    COMMAND_VALUE_FILE,     /* the same; the shell completes names of files */
    COMMAND_VALUE_DURATION, /* see duration_parse() */
    COMMAND_VALUE_SINCE,  /* a duration, a date or an instant: 2h, 2026-01-31, 2026-01-31T10:00Z */
    COMMAND_VALUE_DATE,   /* a date or an instant: 2026-01-31, 2026-01-31T10:00Z */
    COMMAND_VALUE_COUNT,  /* a whole number above 0 */
    COMMAND_VALUE_REASON, /* a word of the list in record/reason.h */
};

struct command_option {
    unsigned bit;     /* 0: an option of all programs, which config_load() reads */
    const char *name; /* "--older" */
    const char *word; /* what its value is called, such as DURATION; NULL: it has none */
    enum command_value value;
    const char *help; /* a line */
};

enum { COMMAND_OPTIONS_MAX = 32 };
extern const struct command_option command_options[];
extern const int command_option_count; /* at most COMMAND_OPTIONS_MAX */

/** @brief The row of an option by its word on a command line, "--older" or "--older=5m"; NULL: there
 * is no such option. */
const struct command_option *command_option_find(const char *word);

/** @brief Checks a value. @returns 0, or -1 with a permanent error that names option and value */
int command_option_check(const struct command_option *option, const char *value, struct error *err);

/** @brief Appends the spelling of the options in this set with separator between them: "--json,
 * --older DURATION". */
void command_options_print(unsigned set, const char *separator, struct buffer *target);

/** @brief Appends the words that the value can be, with blanks between them; nothing where it is not
 * one of a list. */
void command_option_words(const struct command_option *option, struct buffer *target);

#endif
