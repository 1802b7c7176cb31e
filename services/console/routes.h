/* routes.h - the paths of /api/v1, in one table: what each needs, which arguments its query may have,
 * and which threads answer it. services/console/page/openapi.json describes them for programs; a
 * test compares the two. */
#ifndef CONSOLE_ROUTES_H
#define CONSOLE_ROUTES_H

#include "serve.h"

enum route {
    ROUTE_WHY = 0,
    ROUTE_WHY_EMAIL, /* POST, because an address never stands in a url */
    ROUTE_ORDERS,
    ROUTE_STATUS,
    ROUTE_SERIES,
    ROUTE_RETRY,
    ROUTE_DROP,
    ROUTE_PAUSE,
    ROUTE_RESUME,
    ROUTE_SESSION,
    ROUTE_SESSION_CHECK,
    ROUTE_COUNT
};

/** @brief Fills the table. answers: who answers which route; those of the session are left out,
 * because the server answers them itself. */
void routes_make(struct serve_route routes[ROUTE_COUNT], const serve_answer answers[ROUTE_COUNT]);

#endif
