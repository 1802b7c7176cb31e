/* limits.h - how many open files a program needs, and the limit that the kernel sets to them. */
#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

#include <stdint.h>

#include "base/error.h"

/* A handle of curl has its connection and, with curl before 8.10, two descriptors by which it is
 * woken; later ones need one. */
enum {
    LIMITS_FILES_BESIDE = 64,     /* Kafka's connections, the log, /healthz */
    LIMITS_FILES_PER_STORE = 4,   /* in a poller: curl, Redis */
    LIMITS_FILES_PER_WORKER = 5,  /* in a pusher: curl, Redis, a second connection for a moment */
    LIMITS_FILES_PER_ACCOUNT = 8, /* in a pusher: the probe, the quota, the tokens */
};

/** @brief Open files without which a poller of so many stores cannot work. Pure. */
int64_t limits_of_poller(int64_t stores);

/** @brief The same for a pusher. Pure. */
int64_t limits_of_pusher(int64_t workers, int64_t accounts);

/**
 * @brief Raises the soft limit of open files as far as the hard limit allows, to what is needed
 * and as much again, where it is lower.
 * @param needed  open files without which the program cannot work
 * @param what    for the error: "300 stores"
 * @returns 0, or -1 with a permanent error where the hard limit is lower than what is needed
 */
int limits_allow_files(int64_t needed, const char *what, struct error *err);

#endif
