#include "held.h"

#include <stdio.h>
#include <string.h>

#include "base/retry.h"

enum { RECORD_REST_BYTES = 1024, LEAST_ALLOWANCE_MS = 1000 };

void held_copy(struct held *held, const struct held *from)
{
    held->count = from->count;
    held->changed = from->changed;
    memcpy(held->orders, from->orders, (size_t)from->count * sizeof(held->orders[0]));
}

int held_room(int64_t max_record_bytes)
{
    /* max_record_bytes is what the raw topic takes; the other topics take twice as much. */
    int64_t room = (max_record_bytes * 2 - RECORD_REST_BYTES) / HELD_BYTES;

    return room > HELD_MAX ? HELD_MAX : room < 1 ? 1 : (int)room;
}

struct held_order *held_find(struct held *held, int64_t id)
{
    for (int i = 0; i < held->count; i++)
        if (held->orders[i].id == id)
            return &held->orders[i];
    return NULL;
}

int held_add(struct held *held, int room, int64_t id, int64_t modified_ms, const char *digest,
             int64_t now_ms)
{
    struct held_order *order = held_find(held, id);

    if (order == NULL) {
        if (held->count >= room || held->count >= HELD_MAX)
            return -1;
        order = &held->orders[held->count++];
        *order = (struct held_order){.id = id, .due_ms = now_ms, .modified_ms = -1};
    }
    if (order->modified_ms != modified_ms)
        held->changed = 1;
    order->modified_ms = modified_ms;
    snprintf(order->digest, sizeof(order->digest), "%s", digest);
    return 0;
}

void held_remove(struct held *held, int64_t id)
{
    struct held_order *order = held_find(held, id);

    if (order == NULL)
        return;
    *order = held->orders[--held->count];
    held->changed = 1;
}

static int is_before(const struct held_order *left, const struct held_order *right)
{
    if (left->failures != right->failures)
        return left->failures < right->failures;
    return left->modified_ms > right->modified_ms;
}

struct held_order *held_next(struct held *held, int64_t now_ms, int64_t longest_ms)
{
    struct held_order *next = NULL;

    for (int i = 0; i < held->count; i++) {
        struct held_order *order = &held->orders[i];
        int due = order->due_ms <= now_ms || order->due_ms > now_ms + longest_ms;

        if (due && (next == NULL || is_before(order, next)))
            next = order;
    }
    return next;
}

int held_fail(struct held *held, struct held_order *order, const int64_t delays_s[3],
              int64_t max_attempts, int64_t now_ms)
{
    order->failures++;
    order->due_ms = now_ms + delays_s[retry_delay_index(order->failures)] * 1000;
    held->changed = 1;
    return order->failures >= max_attempts;
}

int64_t held_allowance_ms(const struct held_order *order, const int64_t delays_s[3],
                          int64_t interval_ms, int64_t limit_ms)
{
    int64_t allowance_ms = interval_ms / 6, waited_ms = 0;

    if (order->failures > 0)
        waited_ms = delays_s[retry_delay_index(order->failures)] * 1000;
    if (allowance_ms < waited_ms / 10)
        allowance_ms = waited_ms / 10;
    if (allowance_ms < LEAST_ALLOWANCE_MS)
        allowance_ms = LEAST_ALLOWANCE_MS;
    return allowance_ms < limit_ms ? allowance_ms : limit_ms;
}
