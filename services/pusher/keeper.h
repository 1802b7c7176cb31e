/* keeper.h - a thread that runs beside the workers until its owner ends it: the one of an account,
 * of the publisher, of the ledger. Embedded in its owner: zero-initialise, end with keeper_end().
 * */
#ifndef PUSHER_KEEPER_H
#define PUSHER_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"

struct keeper {
    pthread_t thread;
    int started;
    atomic_int ending;
};

/**
 * @brief Starts the thread.
 * @param keep  runs in it and returns soon after keeper_is_ending() says so
 * @param what  whose thread it is, for the error
 */
int keeper_start(struct keeper *keeper, void *(*keep)(void *context), void *context,
                 const char *what, struct error *err);

/** @brief Whether the thread has to return. */
int keeper_is_ending(struct keeper *keeper);

/** @brief Has the thread return and joins it; does nothing where none was started. */
void keeper_end(struct keeper *keeper);

#endif
