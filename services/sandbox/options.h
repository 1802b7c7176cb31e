/* options.h - the command line of the sandbox. */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdint.h>

#include "base/error.h"

struct sandbox_options {
    const char *listen; /* HOST:PORT; port 0: a free one */
    const char *journal;
    int64_t stores;
    int64_t orders;   /* in each store, including the vendor's sample orders */
    int64_t products; /* in each store's catalogue */
    int64_t seed;
    const char *quota;    /* off, key, oauth */
    const char *currency; /* currency of the account and of the generated orders */
    int64_t visibility_delay_ms;
    int64_t answer_delay_ms;
    int64_t history_s; /* generated orders were placed in the last so many seconds before the
                          start */
    int64_t changes;   /* how many orders of each store change status after the start */
};

enum options_answer { OPTIONS_RUN = 0, OPTIONS_DONE, OPTIONS_WRONG };

/**
 * @brief Reads the command line; --help and --version are answered on stdout.
 * @returns OPTIONS_RUN, OPTIONS_DONE (exit 0), or OPTIONS_WRONG with err set
 */
enum options_answer options_read(struct sandbox_options *options, int argc, char **argv,
                                 struct error *err);

#endif
