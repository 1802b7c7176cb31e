#include "changes.h"

#include "base/mem.h"

static const struct {
    int from, to;
} steps[] = {{7, 11}, {11, 2}, {11, 4}};

/* Changes in each store the next order that has the right status. */
static void change_next(struct world *world, int64_t number)
{
    size_t step = (size_t)number % (sizeof steps / sizeof steps[0]);
    json_t *members = mem_check(json_pack("{s:i}", "status_id", steps[step].to));

    for (size_t i = 0; i < world->shop_count; i++) {
        struct shop *shop = world->shops[i];
        for (size_t k = 0; k < shop->count; k++) {
            const struct shop_order *order = shop->by_id[(k + (size_t)number) % shop->count];
            struct error err = {0};
            if (order->status_id != steps[step].from || order->id < 1000)
                continue;
            world_change_order(world, shop, order->id, members, &err);
            break;
        }
    }
    json_decref(members);
}

static void act(void *argument)
{
    struct changes *changes = argument;

    pthread_mutex_lock(&changes->world->lock);
    change_next(changes->world, changes->done++);
    pthread_mutex_unlock(&changes->world->lock);
    if (--changes->left > 0 && !changes->timers->stopping)
        timers_add(changes->timers, CHANGES_SPAN_MS / (changes->left + changes->done), act,
                   changes);
}

void changes_start(struct changes *changes, struct world *world, struct timers *timers,
                   int64_t count)
{
    *changes = (struct changes){world, timers, count, 0};
    if (count > 0)
        timers_add(timers, CHANGES_SPAN_MS / count, act, changes);
}
