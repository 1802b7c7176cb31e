#include "infusionsoft/turns.h"

#include <stddef.h>

void turns_add(struct turns *turns, struct turn *turn)
{
    struct turn **link = &turns->first;

    while (*link != NULL && (*link)->since_ms <= turn->since_ms)
        link = &(*link)->next;
    turn->next = *link;
    *link = turn;
}

/* A flow that did not wait for a while saves no turns up: it goes on from where the others are. */
static uint64_t had(const struct turns *turns, const struct turn *turn)
{
    uint64_t count = turns->had[turn->flow % TURN_FLOWS];

    return count > turns->now ? count : turns->now;
}

int turns_has_before(const struct turns *turns, enum topic_lane lane)
{
    for (const struct turn *turn = turns->first; turn != NULL; turn = turn->next)
        if (turn->lane < lane)
            return 1;
    return 0;
}

static int goes_before(const struct turns *turns, const struct turn *a, const struct turn *b)
{
    return a->lane != b->lane ? a->lane < b->lane : had(turns, a) < had(turns, b);
}

struct turn *turns_take(struct turns *turns)
{
    struct turn **best = &turns->first;
    struct turn *turn;

    if (turns->first == NULL)
        return NULL;
    for (struct turn **link = &turns->first->next; *link != NULL; link = &(*link)->next)
        if (goes_before(turns, *link, *best))
            best = link;
    turn = *best;
    turns->now = had(turns, turn);
    turns->had[turn->flow % TURN_FLOWS] = turns->now + 1;
    *best = turn->next;
    return turn;
}
