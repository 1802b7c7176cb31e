#include "routes.h"

static const struct serve_route table[ROUTE_COUNT] = {
    [ROUTE_WHY] = {"GET", "/api/v1/why", GUARD_READ, LANE_OUTSIDE, "|order|infusionsoft|account|",
                   NULL},
    [ROUTE_WHY_EMAIL] = {"POST", "/api/v1/why", GUARD_READ, LANE_INDEX, "", NULL},
    [ROUTE_ORDERS] = {"GET", "/api/v1/orders", GUARD_READ, LANE_INDEX,
                      "|list|store|reason|since|older|limit|after|", NULL},
    [ROUTE_STATUS] = {"GET", "/api/v1/status", GUARD_READ, LANE_INDEX, "", NULL},
    [ROUTE_SERIES] = {"GET", "/api/v1/series", GUARD_READ, LANE_INDEX, "|hours|", NULL},
    [ROUTE_RETRY] = {"POST", "/api/v1/retry", GUARD_ACT, LANE_ACT, "", NULL},
    [ROUTE_DROP] = {"POST", "/api/v1/drop", GUARD_ACT, LANE_ACT, "", NULL},
    [ROUTE_PAUSE] = {"POST", "/api/v1/pause", GUARD_ACT, LANE_ACT, "", NULL},
    [ROUTE_RESUME] = {"POST", "/api/v1/resume", GUARD_ACT, LANE_ACT, "", NULL},
    [ROUTE_SESSION] = {"GET", "/api/v1/session", GUARD_OPEN, LANE_INDEX, "", NULL},
    [ROUTE_SESSION_CHECK] = {"POST", "/api/v1/session", GUARD_ACT, LANE_INDEX, "", NULL},
};

void routes_make(struct serve_route routes[ROUTE_COUNT], const serve_answer answers[ROUTE_COUNT])
{
    for (int i = 0; i < ROUTE_COUNT; i++) {
        routes[i] = table[i];
        routes[i].answer = answers[i];
    }
}
