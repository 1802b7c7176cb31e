/* turns.h - who of those that wait for the governor calls next. Stores take turns, so that one
 * store's crowd costs another store one call's wait and not the crowd's; of one store the work that
 * began first goes first. Of several lanes the first one goes first, whatever waits in the others. Pure: no lock, no clock.
 *
 * Source: start-time fair queueing (Goyal, Vin, Cheng 1996), where each call is one unit. */
#ifndef COMMON_TURNS_H
#define COMMON_TURNS_H

#include <stdint.h>

#include "record/topic.h"

enum { TURN_FLOWS = 1024 };

/* One that waits. It lives where its owner wants; no copy is made. */
struct turn {
    int64_t since_ms; /* when its work began */
    enum topic_lane lane;
    uint32_t flow; /* its store, as a number; those that are equal modulo TURN_FLOWS share turns */
    struct turn *next;
};

/* Embedded, zero-initialised. */
struct turns {
    struct turn *first; /* the one whose work began first, and so on */
    uint64_t now;       /* how many turns the flow of the last one had had */
    uint64_t had[TURN_FLOWS];
};

/** @brief Adds one. keeps: it has to stay until turns_take() returns it. */
void turns_add(struct turns *turns, struct turn *turn);

/** @brief Whether one of a lane before this one waits. */
int turns_has_before(const struct turns *turns, enum topic_lane lane);

/** @brief Takes out the one whose turn it is; NULL when nobody waits. */
struct turn *turns_take(struct turns *turns);

#endif
