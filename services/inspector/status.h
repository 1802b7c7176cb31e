/* status.h - what `bigfusion status --scan` found, and its two forms. */
#ifndef INSPECTOR_STATUS_H
#define INSPECTOR_STATUS_H

#include "history/flow.h"
#include "history/store_position.h"
#include "history/survey.h"

#include "fate_count.h"

struct status {
    struct survey survey;
    struct flow flow;
    struct fate_count fates;       /* of orders */
    struct fate_count nameless;    /* of records that name no order */
    struct store_position *stores; /* one for each store, in the order of the configuration */
    int64_t now_ms;
};

/* status_print.c */
void status_print_text(const struct status *status);
void status_print_json(const struct status *status);

#endif
