/* why_states.h - states of an order, of which the tests ask why. */
#ifndef TEST_WHY_STATES_H
#define TEST_WHY_STATES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history/why.h"

static const int64_t now_ms = INT64_C(1790000000000); /* 2026-09-21T14:13:20Z */

static struct order_state empty_state(void)
{
    struct order_state state;

    order_state_init(&state);
    return state;
}

static struct order_fate fate_of(enum reason reason, const char *detail)
{
    struct order_fate fate = {.is_there = 1,
                              .time_ms = now_ms - 1000,
                              .version = 5,
                              .reason = reason,
                              .placed_ms = -1,
                              .created_ms = now_ms - 1500};

    snprintf(fate.detail, sizeof(fate.detail), "%s", detail);
    return fate;
}

static struct order_state under_way(enum spot_kind kind, enum reason reason)
{
    struct order_state state = empty_state();

    state.progress =
        (struct order_progress){.kind = kind,
                                .time_ms = now_ms - 9000,
                                .version = 5,
                                .next_try_ms = kind == SPOT_RETRY ? now_ms + 51000 : -1,
                                .attempt = 1,
                                .reason = reason};
    snprintf(state.progress.account, sizeof(state.progress.account), "main");
    snprintf(state.progress.detail, sizeof(state.progress.detail), "contact: HTTP 500");
    state.since_ms = now_ms - 9000;
    state.since_version = 5;
    return state;
}

#endif
