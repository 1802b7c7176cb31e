/* api.h - the answers of answer.h under /api/v1, beside the page. */
#ifndef CONSOLE_API_H
#define CONSOLE_API_H

#include "base/error.h"
#include "settings/config.h"

#include "answer.h"
#include "serve.h"

/** @brief Starts the server at [console] listen. config and answers are kept. New; end it with
 * serve_stop(). @returns NULL with an error */
struct serve *api_start(const struct config *config, struct answers *answers, struct error *err);

#endif
