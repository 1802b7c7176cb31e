/* act_line.h - what the commands that act have in common. */
#ifndef INSPECTOR_ACT_LINE_H
#define INSPECTOR_ACT_LINE_H

#include "act/act.h"

#include "command_line.h"

/** @brief The act of this command line: by the user of this process, with the reason of --why. From
 * here on signals break the act off (act_catch_signals()). New: act_free(). NULL with an error */
struct act *act_line_new(const struct config *config, const struct command_line *line,
                         struct error *err);

/** @brief Reads a line from standard input: --email -. text: out, without its line end.
 * @returns 0, or -1 with a permanent error */
int act_line_read(char *text, size_t size, struct error *err);

#endif
