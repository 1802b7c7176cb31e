/* health_ask.h - the other side of health.h: asks the server of another process, for --health. */
#ifndef COMMON_HEALTH_ASK_H
#define COMMON_HEALTH_ASK_H

#include "base/error.h"
#include "settings/config.h"

/**
 * @brief Asks the program that runs with these settings for /healthz, at [health] listen. Where it
 * listens on every address, it is asked on this machine's own.
 * @returns 0 when it answers with 200 within a few seconds; -1 with an error that says what is wrong
 */
int health_ask(const struct config *config, struct error *err);

#endif
