/* option.h - the table of all settings. The files of settings/ use it, and tests that compare it
 * with the documentation. */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

enum option_type {
    OPTION_TEXT = 0, /* char *; range: the characters allowed, see option_text_allowed() */
    OPTION_INT,      /* int64_t; range: "1..4096" */
    OPTION_INTS,     /* int64_t[3], ascending; range is that of each number */
    OPTION_ENUM,     /* int: index of the word in the range "a|b|c" */
    OPTION_STATUSES, /* uint32_t: a comma list of status ids as bits */
    OPTION_START,    /* char *; the int64_t that follows it in the struct receives the instant */
    OPTION_SECRET,   /* char *: path of a file; the char * that follows it in the struct receives
                        the content */
};

struct config_option {
    const char *section; /* "kafka"; "store" and "infusionsoft" mean every section of that kind */
    const char *name;
    enum option_type type;
    size_t offset;             /* offset into struct config, config_store or config_account */
    const char *default_value; /* as text; NULL: must be given; "": may be left empty */
    const char *range;         /* checked by the programs, and shown to people as what is allowed */
    int programs;              /* who reads it */
    const char *help;
};

extern const struct config_option options[];
extern const size_t option_count;

/* One setting that is being checked: its value and, for messages, where it came from. */
struct setting {
    const struct config_option *option;
    const char *value;
    char where[192]; /* "FILE:12: [store main] code" or "environment BIGFUSION_STORE_MAIN_CODE" */
};

/**
 * @brief Checks one value and stores it.
 * @param base     the struct config, config_store or config_account that the row's offset refers to
 * @param program  the PROGRAM_ bit: secret files are read only by the programs that need them
 * @returns 0, or -1 with a permanent error that names the place, the value and what is allowed
 */
int option_apply(const struct setting *setting, char *base, int program, struct error *err);

/**
 * @brief Reads the file of a secret. content: new; it stays NULL on an error.
 * @returns 0, or -1 with a permanent error that names the file
 */
int option_read_secret(const char *path, char **content, struct error *err);
/** @brief The value as a message may show it: cut, and the secrets of a url masked. */
void option_shown(char *target, size_t size, const struct setting *setting);

/** @brief The text for people that says what a range allows. Static, or range itself. */
const char *option_range_text(const char *range);

/** @brief Opens a file for reading. A folder is refused with EISDIR. @returns NULL with errno set */
FILE *option_open(const char *path);

/** @brief Why option_open() failed, for people: the text of an errno. */
const char *option_open_why(int code);

/** @brief Whether a URL is http:// to another machine: neither localhost, 127.x.x.x nor ::1. */
int option_is_plain_http(const char *url);

/** @brief Whether text is 1 to 40 letters, digits, - and _. Names of sections, Store Codes and
 * prefixes must be. */
int option_is_name(const char *text);

/**
 * @brief Whether a text is "off" or the template of a name: 1 to 255 bytes without control characters,
 * with at least one {word}, and each {word} in braces stands in range, which lists those that there are.
 */
int option_is_template(const char *text, const char *range);

#endif
