/* crash.h - places where a fault run may end the process at once, as kill -9 would.
 * CRASH_POINT("called", "order") is the place `called-order`. Only a build with
 * -DBIGFUSION_CRASH_POINTS has these places; in a usual build the macro is empty.
 * docs/testing-faults.md lists them. */
#ifndef COMMON_CRASH_H
#define COMMON_CRASH_H

#ifdef BIGFUSION_CRASH_POINTS
/**
 * @brief Ends the process with SIGKILL when the environment variable BIGFUSION_CRASH_AT names this
 * place: `called-order`, or `called-order:3` for the third time that it is reached.
 * @param place  what was just done, or is about to be done
 * @param step   step of the delivery, or ""; a colon and what follows it are ignored:
 * `goal:BCSKU/A` is `goal`
 */
void crash_point(const char *place, const char *step);
#define CRASH_POINT(place, step) crash_point(place, step)
#else
#define CRASH_POINT(place, step) ((void)0)
#endif

#endif
