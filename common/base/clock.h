/* clock.h - reads the two clocks. Pure modules do not use it: they get the time as an argument. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/** @brief Wall clock: ms since 1970-01-01 UTC. For records and people. It may jump. */
int64_t clock_now_ms(void);

/** @brief Monotonic clock in ms, for delays and deadlines. It has no relation to the wall clock. */
int64_t clock_monotonic_ms(void);

#endif
