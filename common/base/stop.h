/* stop.h - the stop flag. The signals TERM and INT set it; another one that comes half a second
 * later or more ends the process at once with exit status 111. PIPE is ignored.
 *
 * Loops look at the flag and wait 500 ms at most; handlers finish the record in hand. Every wait
 * for another program has a limit of its own. There is also a limit for everything together: a
 * process that was asked to stop and has not ended within it leaves with 111. */
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

#include <stdint.h>

enum { STOP_LIMIT_S = 25 };

/** @brief Installs the signal handlers. Call once, before threads are started. */
void stop_install(void);

/** @brief Sets another limit than STOP_LIMIT_S, for a program whose single calls may take
 * longer. */
void stop_set_limit(unsigned seconds);

/** @brief Whether the process was asked to stop. */
int stop_requested(void);

/** @brief Asks the process to stop, as TERM does. For a thread that met an error which it cannot
 * handle. */
void stop_request(void);

/** @brief Waits delay_ms or until a stop is asked for. @returns stop_requested() */
int stop_wait_ms(int64_t delay_ms);

#endif
