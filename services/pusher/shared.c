#include "shared.h"

#include <stdio.h>
#include <string.h>

#include "entry.h"

enum progress shared_take(struct delivery *d, const struct ledger_request *request,
                          const char *step_name, struct ledger_grant *grant, char id[64])
{
    enum progress progress;
    const char *known;

    d->wait_ms = claims_take(d->pusher->claims, request);
    if (d->wait_ms > 0)
        return PROGRESS_LATER;
    progress = entry_acquire(d, request, grant, NULL, 0);
    known = ledger_grant_step(grant, step_name);
    if (progress == PROGRESS_OK && grant->answer == LEDGER_BUSY) {
        d->wait_ms = grant->wait_ms;
        progress = PROGRESS_LATER;
    } else if (progress == PROGRESS_OK && known != NULL &&
               !infusionsoft_is_id(known, strlen(known))) {
        /* Others wrote it, and it cannot be an id: it is looked up instead. While it is there, no
         * create can be begun. */
        progress = entry_forget(d, request->kind, request->id.data, known);
        progress = progress == PROGRESS_OK ? PROGRESS_AGAIN : progress;
    } else if (progress == PROGRESS_OK &&
               (grant->answer == LEDGER_GRANT || grant->answer == LEDGER_RECONCILE)) {
        return PROGRESS_OK; /* ours until shared_release() */
    } else if (progress == PROGRESS_OK && grant->answer == LEDGER_DONE && known != NULL) {
        snprintf(id, 64, "%s", known);
    } else if (progress == PROGRESS_OK) {
        /* Others wrote it. To ask again would bring the same answer for ever. */
        d->failed_step = "ledger";
        snprintf(d->detail, sizeof(d->detail), "DAMAGED: the entry of a %s has an end and no id",
                 step_name);
        progress = PROGRESS_FAILED;
    }
    claims_drop(d->pusher->claims, request);
    return progress;
}

enum progress shared_wait_until_visible(struct delivery *d, struct ledger_grant *grant,
                                        const char *step_name)
{
    if (grant->doubt == NULL)
        return PROGRESS_OK;
    if (grant->doubt_visible_in_ms > 0) {
        d->wait_ms = grant->doubt_visible_in_ms;
        return PROGRESS_LATER;
    }
    return entry_end(d, grant, step_name, NULL, NULL, 0);
}

enum progress shared_release(struct delivery *d, const struct ledger_request *request,
                             struct ledger_grant *grant, const char *step_name,
                             enum progress settled, const char *id)
{
    /* An earlier create may not be visible yet, so its step stays in doubt. The process keeps the
     * lease until a look-up can decide, and no longer: with another wait, as for its lane's part of
     * the day's quota, it goes back, because a lane before it may go on with the thing. */
    if (settled == PROGRESS_LATER && grant->doubt != NULL) {
        claims_pause(d->pusher->claims, request, grant,
                     d->wait_ms < grant->doubt_visible_in_ms ? d->wait_ms
                                                             : grant->doubt_visible_in_ms);
        return settled;
    }
    if (settled == PROGRESS_OK)
        settled = entry_finish(d, grant, LEDGER_FINISH_DONE, step_name, id, NULL, 0);
    else if (settled != PROGRESS_AGAIN)
        (void)entry_finish(d, grant, LEDGER_FINISH_RETRY, NULL, NULL, NULL, 0);
    claims_drop(d->pusher->claims, request);
    return settled;
}
