/* retry.h - the parts of `bigfusion retry`. */
#ifndef INSPECTOR_RETRY_H
#define INSPECTOR_RETRY_H

#include "act/retry.h"

#include "command_line.h"

/** @brief Sends one order again with a value that the operator edited (edit.c). key: the order's.
 * @returns 0, also where nothing was changed; -1 with an error */
int retry_edit(const struct config *config, const struct command_line *line,
               const struct retry_choice *choice, struct error *err);

#endif
