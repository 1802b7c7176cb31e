/* console.h - asks bigfusion-console for its JSON answers. */
#ifndef INSPECTOR_CONSOLE_H
#define INSPECTOR_CONSOLE_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "base/mem.h"
#include "settings/config.h"

struct console;

/**
 * @brief New; free with console_free().
 * @param config      [console] url and token, and the authorities of [http]. Borrowed
 * @param timeout_ms  how long one answer may take
 * @param instead     what a person can do where no console answers: "`bigfusion trace ORDER` reads
 *                    the topics". Static
 */
struct console *console_new(const struct config *config, int64_t timeout_ms, const char *instead);
void console_free(struct console *console);

/**
 * @brief Asks one question.
 * @param path  "/api/v1/why?order=BC%2F1042"
 * @param body  of a POST, or NULL: GET. Borrowed
 * @returns the answer, an object in which every text is printable: see outside_json(). New; or
 * NULL with an error: a temporary one where no console answers or it cannot answer now, else a
 * permanent one with the console's own sentence
 */
json_t *console_ask(struct console *console, const char *path, const json_t *body,
                    struct error *err);

/** @brief The word of the last answer that was an error, such as "unknown_store"; "" where there was
 * none. Borrowed until the next question. */
const char *console_error_code(const struct console *console);

/** @brief Appends "&name=value", or "?name=value" as the first one, escaped. value NULL: nothing. */
void console_add_argument(struct buffer *path, const char *name, const char *value);

#endif
