/* crash.h - places where a fault run may end the process at once, as kill -9 would.
 * CRASH_POINT("called", "order") is the place `called-order`. Nothing of it is in a program that
 * was built without -DBIGFUSION_CRASH_POINTS; docs/testing-faults.md lists the places. */
#ifndef COMMON_CRASH_H
#define COMMON_CRASH_H

#ifdef BIGFUSION_CRASH_POINTS
/**
 * @brief Ends the process with SIGKILL when the environment's BIGFUSION_CRASH_AT asks for this
 * place: `called-order`, or `called-order:3` for the third passage.
 * @param place  what was just done, or is about to be
 * @param step   of the delivery, "" for none; what follows a colon does not count: `goal:BCSKU/A`
 */
void crash_point(const char *place, const char *step);
#define CRASH_POINT(place, step) crash_point(place, step)
#else
#define CRASH_POINT(place, step) ((void)0)
#endif

#endif
