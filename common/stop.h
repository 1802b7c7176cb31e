/* stop.h - the stop flag. TERM and INT set it; a second one ends the process at once with exit
 * status 111. PIPE is ignored. Loops look at the flag and wait 500 ms at most; handlers finish the
 * record in hand. */
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

#include <stdint.h>

/** @brief Installs the signal handlers. Call once, before threads are started. */
void stop_install(void);

/** @brief Whether the process was asked to stop. */
int stop_requested(void);

/** @brief Asks the process to stop, as TERM does: for a thread that met an error nobody can heal.
 */
void stop_request(void);

/** @brief Waits delay_ms or until a stop is asked for. @returns stop_requested() */
int stop_wait_ms(int64_t delay_ms);

#endif
