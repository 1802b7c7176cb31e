/* clock.h - the two clocks, read in one place. Pure modules take the time as an argument instead.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/** @brief Wall clock: ms since 1970-01-01 UTC. For records and people; may jump. */
int64_t clock_now_ms(void);

/** @brief Monotonic clock in ms, for delays and deadlines; unrelated to the wall clock. */
int64_t clock_monotonic_ms(void);

#endif
