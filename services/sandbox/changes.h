/* changes.h - changes the status of orders while the sandbox runs: 7 to 11, 11 to 2 and 11 to 4, in
 * turn. */
#ifndef SANDBOX_CHANGES_H
#define SANDBOX_CHANGES_H

#include "timers.h"
#include "world.h"

#define CHANGES_SPAN_MS 10000 /* all changes are made within this time */

struct changes {
    struct world *world;
    struct timers *timers;
    int64_t left;
    int64_t done;
};

/** @brief Plans count changes in every store. Keeps changes, world and timers. */
void changes_start(struct changes *changes, struct world *world, struct timers *timers,
                   int64_t count);

#endif
