#include "keeper.h"

int keeper_start(struct keeper *keeper, void *(*keep)(void *context), void *context,
                 const char *what, struct error *err)
{
    if (pthread_create(&keeper->thread, NULL, keep, context) != 0)
        return error_set(err, ERROR_TEMPORARY, "%s cannot be started", what);
    keeper->started = 1;
    return 0;
}

int keeper_is_ending(struct keeper *keeper) { return atomic_load(&keeper->ending); }

void keeper_end(struct keeper *keeper)
{
    atomic_store(&keeper->ending, 1);
    if (keeper->started)
        pthread_join(keeper->thread, NULL);
    keeper->started = 0;
}
