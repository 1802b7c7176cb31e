#include "goal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call.h"
#include "contact.h"
#include "decide.h"
#include "entry.h"

const char *const goal_results[GOAL_RESULT_COUNT] = {"sent", "in_doubt", "refused", "not_achieved",
                                                     "gave_up"};

static int is_plain_number(const char *text)
{
    size_t length = strspn(text, "0123456789");

    return length > 0 && text[length] == '\0' && (text[0] != '0' || length == 1);
}

struct text goal_body(const struct delivery *d, const struct goal *goal)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    size_t length;
    char *body;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "integration", goal->integration);
    yyjson_mut_obj_add_str(doc, root, "call_name", goal->call_name);
    /* This call wants the id as a number. All ids that infusionsoft_id() reads are numbers, but the
     * ledger may hold an id that another program wrote. */
    yyjson_mut_obj_add_val(doc, root, "contact_id",
                           is_plain_number(d->contact_id) ? yyjson_mut_raw(doc, d->contact_id)
                                                          : yyjson_mut_str(doc, d->contact_id));
    body = mem_check(yyjson_mut_write(doc, 0, &length));
    yyjson_mut_doc_free(doc);
    return (struct text){body, length};
}

/* The account refused a goal whose contact's id came from the ledger: somebody may have deleted
 * that contact. Looks the contact up, so that the goal can be sent once more. */
static enum progress refresh_contact(struct delivery *d, const char *goal)
{
    enum progress progress = entry_end(d, d->grant, goal, NULL, NULL, 0);

    if (progress == PROGRESS_OK)
        progress = contact_refresh(d);
    d->failed_step = "goal";
    return progress;
}

/* Keeps what became of a goal: in the entry, in the metric and, if it was not sent, in the log. */
static enum progress record_goal(struct delivery *d, const char *name, enum goal_result result)
{
    if (result == GOAL_REFUSED || result == GOAL_NOT_ACHIEVED) {
        call_keep_answer(d);
        delivery_add_incomplete(d, name, NULL);
    }
    if (result != GOAL_SENT)
        log_warn("goal_%s step=%s error=\"%s\"", goal_results[result], name,
                 infusionsoft_answer(d->client)->error.text);
    metric_add(d->pusher->goals[result], 1);
    delivery_set_pending(d, name, goal_results[result]);
    return PROGRESS_OK;
}

/* The account may answer 200 and say that nothing was achieved. The goal is not sent again:
 * either the call had its effect, or it never will have one. */
static enum goal_result read_achieved(const struct delivery *d)
{
    switch (decide_achieved(infusionsoft_answer(d->client)->root)) {
    case ACHIEVED_YES:
        return GOAL_SENT;
    case ACHIEVED_NO:
        return GOAL_NOT_ACHIEVED;
    default:
        return GOAL_IN_DOUBT;
    }
}

/* Sends one goal, at most once: a goal in doubt is recorded as such and never sent again. */
static enum progress send_goal(struct delivery *d, const struct goal *goal, const char *name,
                               int begun)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    struct text body = goal_body(d, goal);
    enum progress progress =
        call_write(d, d->grant, name, begun, "/automations/goals/achieve", NULL, body, &outcome);

    free((void *)(uintptr_t)body.data);
    if (progress != PROGRESS_OK)
        return progress;
    switch (outcome) {
    case INFUSIONSOFT_OK:
        return record_goal(d, name, read_achieved(d));
    case INFUSIONSOFT_IN_DOUBT:
        return record_goal(d, name, GOAL_IN_DOUBT);
    case INFUSIONSOFT_REFUSED:
        if (d->contact_cached) {
            progress = refresh_contact(d, name);
            return progress != PROGRESS_OK ? progress : send_goal(d, goal, name, 0);
        }
        return record_goal(d, name, GOAL_REFUSED);
    default: /* the call certainly had no effect, so it may be sent another time */
        progress = entry_end(d, d->grant, name, NULL, NULL, 0);
        if (progress != PROGRESS_OK)
            return progress;
        return outcome == INFUSIONSOFT_FORBIDDEN ? call_forbidden(d) : call_failed(d, outcome);
    }
}

/* With its last attempt a goal that fails for now is given up, so that those behind it are not lost
 * with it. */
static enum progress send_or_give_up(struct delivery *d, const struct goal *goal, const char *name,
                                     int begun)
{
    enum progress progress = send_goal(d, goal, name, begun);

    if (progress != PROGRESS_FAILED ||
        d->payload.attempt + 1 < d->pusher->config->pusher.max_attempts)
        return progress;
    delivery_add_incomplete(d, name, d->detail);
    log_warn("goal_%s step=%s error=\"%s\"", goal_results[GOAL_GAVE_UP], name, d->detail);
    metric_add(d->pusher->goals[GOAL_GAVE_UP], 1);
    delivery_set_pending(d, name, goal_results[GOAL_GAVE_UP]);
    return PROGRESS_OK;
}

enum progress goal_step(struct delivery *d)
{
    enum progress progress;
    int begun;

    d->failed_step = "goal";
    for (int i = 0; i < d->payload.goal_count; i++) {
        const struct goal *goal = &d->payload.goals[i];

        buffer_reset(&d->texts.goal);
        buffer_printf(&d->texts.goal, "goal:%s/%s", goal->integration, goal->call_name);
        if (entry_result(d, d->texts.goal.data) != NULL)
            continue;
        if (d->grant->goals_in_doubt) { /* the ledger cannot tell whether the goal was sent */
            progress = entry_end_pending(d, NULL, &begun);
            metric_add(d->pusher->goals[GOAL_IN_DOUBT], 1);
            delivery_set_pending(d, d->texts.goal.data, goal_results[GOAL_IN_DOUBT]);
        } else {
            progress = entry_end_pending(d, d->texts.goal.data, &begun);
            if (progress == PROGRESS_OK)
                progress = send_or_give_up(d, goal, d->texts.goal.data, begun);
        }
        if (progress != PROGRESS_OK)
            return progress;
    }
    return PROGRESS_OK; /* the end of the last one is recorded when the entry is given back */
}
