#include "after_sync.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call.h"
#include "contact.h"
#include "contact_note.h"
#include "entry.h"
#include "tag.h"

int after_sync_applies(const struct delivery *d)
{
    /* A store tells seconds, so an order may be delivered and taken back in one version. */
    return d->store != NULL && d->store->after_sync != AFTER_SYNC_IGNORE &&
           (d->payload.kind == PAYLOAD_WITHDRAWN ||
            (d->payload.kind == PAYLOAD_ORDER && d->grant->newer));
}

/* The contact of the order: its entry has it. Where the order was adopted, the contact is looked up
 * by the e-mail address. */
static enum progress find_contact(struct delivery *d)
{
    const char *known = entry_result(d, "contact");

    if (known != NULL && infusionsoft_is_id(known, strlen(known))) {
        snprintf(d->contact_id, sizeof(d->contact_id), "%s", known);
        d->contact_cached = 1;
        return PROGRESS_OK;
    }
    return contact_step(d);
}

/* What the account does not take is listed, and does not come back. */
static void record_refused(struct delivery *d, const char *step)
{
    call_keep_answer(d);
    delivery_add_incomplete(d, step, NULL);
    delivery_set_pending(d, step, "refused");
    log_warn("after_sync_refused step=%s error=\"%s\"", step, d->detail);
    d->answer[0] = d->detail[0] = '\0'; /* a later failure has a cause of its own */
}

/* Its lease is ours. */
static enum progress leave(struct delivery *d)
{
    struct after *after = &d->payload.after;
    enum progress progress = PROGRESS_OK;

    while (progress == PROGRESS_OK && d->grant->doubt != NULL)
        progress = contact_note_reconcile(d);
    if (progress != PROGRESS_OK)
        return progress;
    if (after->tag.name.length > 0)
        return tag_give(d, &after->tag);
    if (after->title.length == 0)
        return PROGRESS_OK;
    buffer_reset(&d->texts.note_step);
    buffer_printf(&d->texts.note_step, NOTE_STEP "%.*s", (int)after->title.length,
                  after->title.data);
    progress = contact_note_step(d, after->text);
    if (progress != PROGRESS_REFUSED)
        return progress;
    record_refused(d, d->texts.note_step.data);
    return PROGRESS_OK;
}

/* Gives the entry back.
 * @param progress  how it went */
static enum progress give_back(struct delivery *d, struct ledger_grant *own, enum progress progress)
{
    int made = progress == PROGRESS_OK && d->pending.step.length > 0;
    enum progress ended;

    if (made)
        log_info("after_sync status=%lld step=\"%s\" id=%s", (long long)d->payload.status_id,
                 d->pending.step.data, d->pending.result);
    ended = entry_finish(d, own, progress == PROGRESS_OK ? LEDGER_FINISH_DONE : LEDGER_FINISH_RETRY,
                         made ? d->pending.step.data : NULL, made ? d->pending.result : NULL, NULL,
                         made);
    buffer_reset(&d->pending.step);
    return progress == PROGRESS_OK || ended == PROGRESS_STOPPED ? ended : progress;
}

enum progress after_sync_step(struct delivery *d)
{
    struct ledger_request request = {.kind = LEDGER_AFTER,
                                     .account = d->job->head.account,
                                     .id = d->job->event->key,
                                     .modified_at = d->payload.modified_at,
                                     .digest = d->payload.after.digest,
                                     .owner = d->job->owner};
    struct ledger_grant *order = d->grant, own = {0};
    enum progress progress;

    d->failed_step = "after_sync";
    progress = find_contact(d);
    if (progress == PROGRESS_OK)
        progress = entry_acquire(d, &request, &own, NULL, 0);
    if (progress == PROGRESS_OK && own.answer == LEDGER_BUSY) {
        d->wait_ms = own.wait_ms;
        progress = PROGRESS_LATER;
    } else if (progress == PROGRESS_OK &&
               (own.answer == LEDGER_GRANT || own.answer == LEDGER_RECONCILE)) {
        d->grant = &own;
        progress = leave(d);
        d->grant = order;
        progress = give_back(d, &own, progress);
    } /* else DONE: it was left before; OLD: a newer version counts */
    ledger_grant_clear(&own);
    return progress;
}
