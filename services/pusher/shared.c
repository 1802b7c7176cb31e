#include "shared.h"

#include <stdio.h>
#include "entry.h"

enum step shared_take(struct delivery *d, const struct ledger_request *request,
                      const char *step_name, struct ledger_grant *grant, char id[64])
{
    enum step step;

    d->wait_ms = claims_take(d->pusher->claims, request);
    if (d->wait_ms > 0)
        return STEP_LATER;
    step = entry_acquire(d, request, grant, NULL, 0);
    if (step == STEP_OK && grant->answer == LEDGER_BUSY) {
        d->wait_ms = grant->wait_ms;
        step = STEP_LATER;
    } else if (step == STEP_OK && grant->answer == LEDGER_DONE) {
        const char *known = ledger_grant_step(grant, step_name);

        snprintf(id, 64, "%s", known != NULL ? known : "");
        step = id[0] != '\0' ? STEP_OK : STEP_AGAIN;
    } else if (step == STEP_OK) {
        return STEP_OK; /* ours until shared_release() */
    }
    claims_drop(d->pusher->claims, request);
    return step;
}

enum step shared_wait_until_visible(struct delivery *d, struct ledger_grant *grant,
                                    const char *step_name)
{
    if (grant->doubt == NULL)
        return STEP_OK;
    if (grant->doubt_visible_in_ms > 0) {
        d->wait_ms = grant->doubt_visible_in_ms;
        return STEP_LATER;
    }
    return entry_end(d, grant, step_name, NULL, NULL, 0);
}

enum step shared_release(struct delivery *d, const struct ledger_request *request,
                         struct ledger_grant *grant, const char *step_name, enum step settled,
                         const char *id)
{
    /* The step stays in doubt, and the process keeps the lease until it can be looked up. */
    if (settled == STEP_LATER) {
        claims_pause(d->pusher->claims, request, grant, d->wait_ms);
        return settled;
    }
    if (settled == STEP_OK)
        settled = delivery_finish(d, grant, LEDGER_FINISH_DONE, step_name, id, NULL, 0);
    else if (settled != STEP_AGAIN)
        (void)delivery_finish(d, grant, LEDGER_FINISH_RETRY, NULL, NULL, NULL, 0);
    claims_drop(d->pusher->claims, request);
    return settled;
}
