/* limits.h - how many open files the poller needs, which grows with the number of stores. */
#ifndef POLLER_LIMITS_H
#define POLLER_LIMITS_H

#include "base/error.h"

/** @brief Open files without which a poller of so many stores cannot work. Pure. */
long limits_files_needed(int store_count);

/**
 * @brief Raises the soft limit of open files as far as so many stores need it and the hard limit
 * allows.
 * @returns 0, or -1 with a permanent error where the hard limit is too low for them
 */
int limits_allow_files(int store_count, struct error *err);

#endif
