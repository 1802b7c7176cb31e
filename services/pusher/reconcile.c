#include "reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "entry.h"
#include "order.h"
#include "payment.h"

static enum progress reconcile_order(struct delivery *d)
{
    char id[64];
    int count;
    enum progress progress;

    d->failed_step = "reconcile";
    if (account_config(d->account)->orders == ORDERS_OFF) /* there is no list to look into */
        return entry_end(d, d->grant, "order", ORDER_OFF, NULL, 0);
    progress = order_find(d, id, &count);
    if (progress != PROGRESS_OK)
        return progress;
    CRASH_POINT("looked_up", "order");
    if (id[0] != '\0') {
        log_info("adopted order=%s", id);
        return entry_end(d, d->grant, "order", id, NULL, 0);
    }
    if (d->grant->doubt_visible_in_ms > 0)
        return delivery_look_later(d);
    d->job->look_later = 1;
    /* From now on the entry stands for the version in hand. If that is an older one, the ledger
     * answers FENCED and the order is acquired again. */
    d->grant->modified_at = d->payload.modified_at;
    return entry_end(d, d->grant, "order", NULL, NULL, 0);
}

enum progress reconcile_step(struct delivery *d)
{
    enum progress progress = PROGRESS_OK;

    while (progress == PROGRESS_OK && d->grant->doubt != NULL) {
        if (strcmp(d->grant->doubt, "order") == 0 && payload_is_order(&d->payload)) {
            progress = reconcile_order(d);
        } else if (strcmp(d->grant->doubt, "payment") == 0 && payload_is_order(&d->payload)) {
            progress = payment_reconcile(d);
        } else {
            char *name = mem_strdup(d->grant->doubt); /* entry_end() frees grant->doubt */
            int goal = strncmp(name, "goal:", 5) == 0;

            /* The account cannot be asked whether a goal was achieved, so it stays in doubt and is
             * not sent again. Any other step ends without a result and may be begun again. */
            progress = entry_end(d, d->grant, name, goal ? "in_doubt" : NULL, NULL, 0);
            free(name);
        }
    }
    return progress;
}
