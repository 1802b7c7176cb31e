/* changes.h - orders that change status while the sandbox runs: 7 to 11, 11 to 2, 11 to 4 in turn.
 */
#ifndef SANDBOX_CHANGES_H
#define SANDBOX_CHANGES_H

#include "timers.h"
#include "world.h"

#define CHANGES_SPAN_MS 10000 /* all changes are made within that time */

struct changes {
    struct world *world;
    struct timers *timers;
    int64_t left;
    int64_t done;
};

/** @brief Starts count changes in every store. changes, world and timers are kept. */
void changes_start(struct changes *changes, struct world *world, struct timers *timers,
                   int64_t count);

#endif
