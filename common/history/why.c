#include "history/why.h"

#include <stdio.h>
#include <string.h>

#include "history/outside_text.h"

static const char *const verdicts[WHY_VERDICT_COUNT] = {
    "unknown", "synced", "waiting", "skipped", "retrying", "dead",
};

const char *why_verdict_name(enum why_verdict verdict) { return verdicts[verdict]; }

static void settle(struct why_answer *answer, enum why_verdict verdict, enum reason reason)
{
    answer->verdict = verdict;
    answer->reason = reason;
}

/* " since 2026-01-02T03:04:05Z", or nothing. */
static const char *since(int64_t at_ms, char text[DATE_ISO_BYTES + 8])
{
    char date[DATE_ISO_BYTES];

    text[0] = '\0';
    if (at_ms >= 0)
        snprintf(text, DATE_ISO_BYTES + 8, " since %s", date_print_iso(date, at_ms));
    return text;
}

static void say_synced(const struct why_facts *facts, struct why_answer *answer)
{
    const struct order_fate *fate = facts->state != NULL ? &facts->state->delivered : NULL;
    char when[DATE_ISO_BYTES + 8];

    settle(answer, WHY_VERDICT_SYNCED, REASON_NONE);
    if (fate == NULL || !fate->is_there || fate->order_id[0] == '\0')
        snprintf(answer->sentence, sizeof(answer->sentence), "%s is in Infusionsoft.", facts->name);
    else
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "%s is in Infusionsoft%s%s as order %s%s.", facts->name,
                 fate->account[0] != '\0' ? " account " : "", fate->account, fate->order_id,
                 since(fate->created_ms >= 0 ? fate->created_ms : fate->time_ms, when));
}

/* What would bring a skipped order in. */
static const char *after_skip(enum reason reason)
{
    switch (reason) {
    case REASON_STATUS:
    case REASON_UNKNOWN_STATUS:
        return "It is sent by itself as soon as its status in the store is one that is synced.";
    case REASON_NO_EMAIL:
    case REASON_INVALID_EMAIL:
        return "It is sent by itself when it has a usable e-mail address in the store.";
    default:
        return "";
    }
}

/* A detail that says more than the reason's own sentence. */
static void add_detail(struct why_answer *answer, size_t length, const char *detail)
{
    if (detail[0] != '\0' && length < sizeof(answer->sentence))
        snprintf(answer->sentence + length, sizeof(answer->sentence) - length, " (%s)", detail);
}

static void say_fate(const struct why_facts *facts, const struct order_fate *fate, int is_dead,
                     struct why_answer *answer)
{
    const char *because = reason_sentence(fate->reason);
    int length;

    settle(answer, is_dead ? WHY_VERDICT_DEAD : WHY_VERDICT_SKIPPED, fate->reason);
    length = snprintf(answer->sentence, sizeof(answer->sentence), "%s %s%s%s", facts->name,
                      is_dead ? "could not be sent and waits for a person."
                              : "is not sent to Infusionsoft.",
                      because[0] != '\0' ? " " : "", because);
    add_detail(answer, (size_t)length, fate->detail);
    snprintf(answer->next, sizeof(answer->next), "%s",
             is_dead ? "Nothing happens by itself. Mend the cause, then: bigfusion retry."
                     : after_skip(fate->reason));
}

/* Which service has a queued order before itself. */
static const char *service_of(enum spot_kind kind)
{
    switch (kind) {
    case SPOT_RAW:
        return "the filter";
    case SPOT_ELIGIBLE:
        return "the mapper";
    default:
        return "the pusher";
    }
}

static void say_queued(const struct why_facts *facts, const struct order_progress *progress,
                       struct why_answer *answer)
{
    char when[DATE_ISO_BYTES + 8];

    snprintf(answer->sentence, sizeof(answer->sentence), "%s%s is on its way%s and waits for %s.",
             progress->is_withdrawn ? "The cancellation of " : "", facts->name,
             since(facts->state->since_ms, when), service_of(progress->kind));
    snprintf(answer->next, sizeof(answer->next),
             "It goes on as soon as %s comes to it; `bigfusion status` shows whether that runs.",
             service_of(progress->kind));
}

static void say_retrying(const struct why_facts *facts, const struct order_progress *progress,
                         struct why_answer *answer)
{
    char text[OUTSIDE_TIME_BYTES] = "";
    int length =
        snprintf(answer->sentence, sizeof(answer->sentence), "%s is tried again: %lld %s failed",
                 facts->name, (long long)progress->attempt,
                 progress->attempt == 1 ? "attempt has" : "attempts have");

    add_detail(answer, (size_t)length, progress->detail);
    answer->next_at_ms = progress->next_try_ms;
    if (progress->next_try_ms >= 0)
        outside_time_print(text, progress->next_try_ms);
    snprintf(answer->next, sizeof(answer->next), "The next try is at %s.",
             text[0] != '\0' ? text : "its time");
}

static void say_waiting(const struct why_facts *facts, enum reason reason, const char *account,
                        const char *doubt, struct why_answer *answer)
{
    if (reason == REASON_IN_DOUBT) {
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "%s is being delivered, but the answer to a call%s%s was lost. %s", facts->name,
                 doubt[0] != '\0' ? ", step " : "", doubt, reason_sentence(reason));
        snprintf(answer->next, sizeof(answer->next),
                 "What became of the call is looked up by itself, then the delivery goes on.");
        return;
    }
    /* a paused account may be in good order */
    if (facts->is_account_paused && reason == REASON_ACCOUNT_CLOSED)
        snprintf(answer->sentence, sizeof(answer->sentence), "%s waits for account %s.",
                 facts->name, account[0] != '\0' ? account : "of its store");
    else
        snprintf(answer->sentence, sizeof(answer->sentence), "%s waits for account %s. %s",
                 facts->name, account[0] != '\0' ? account : "of its store",
                 reason_sentence(reason));
    snprintf(answer->next, sizeof(answer->next), "%s",
             reason == REASON_ECOMMERCE_UNAVAILABLE
                 ? "It goes on by itself once the account has the e-commerce module."
                 : "It goes on by itself once the account answers again.");
}

/* An operator's pause of what (its "store" or "account") is what the order waits for. */
static void say_paused(const char *what, struct why_answer *answer)
{
    size_t length = strlen(answer->sentence);

    snprintf(answer->sentence + length, sizeof(answer->sentence) - length,
             " An operator paused its %s.", what);
    snprintf(answer->next, sizeof(answer->next), "It goes on after `bigfusion resume`.");
    answer->next_at_ms = -1;
}

static void say_under_way(const struct why_facts *facts, struct why_answer *answer)
{
    const struct order_progress *progress = &facts->state->progress;
    const char *doubt = facts->doubt != NULL ? facts->doubt : "";
    enum reason reason = order_state_reason(facts->state);

    if (doubt[0] != '\0' && (reason == REASON_QUEUED || reason == REASON_RETRYING))
        reason = REASON_IN_DOUBT;
    if (reason == REASON_NONE)
        reason = REASON_QUEUED;
    settle(answer, reason == REASON_RETRYING ? WHY_VERDICT_RETRYING : WHY_VERDICT_WAITING, reason);
    if (reason == REASON_QUEUED)
        say_queued(facts, progress, answer);
    else if (reason == REASON_RETRYING)
        say_retrying(facts, progress, answer);
    else
        say_waiting(facts, reason, progress->account, doubt, answer);
    if (reason == REASON_IN_DOUBT)
        answer->next_at_ms = progress->next_try_ms;
    if (facts->is_account_paused)
        say_paused("account", answer);
}

static void say_next_poll(const struct why_facts *facts, struct why_answer *answer)
{
    settle(answer, WHY_VERDICT_WAITING, REASON_NEXT_POLL);
    answer->next_at_ms = facts->next_poll_ms;
    if (facts->is_store_paused) {
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "The store has %s, and no poll has seen it yet.", facts->name);
    } else if (facts->next_poll_ms < 0) {
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "The store has %s, and no poll has seen it yet. When the next poll is, is not "
                 "known.",
                 facts->name);
        snprintf(answer->next, sizeof(answer->next), "The next poll of the store sees it.");
    } else {
        int64_t left_ms = facts->next_poll_ms - facts->now_ms;

        snprintf(answer->sentence, sizeof(answer->sentence),
                 "The store has %s, and no poll has seen it yet. The next poll is %s%lld s%s.",
                 facts->name, left_ms < 0 ? "late by " : "in ",
                 (long long)((left_ms < 0 ? -left_ms : left_ms) / 1000),
                 left_ms < 0 ? ": see whether a poller runs" : "");
        snprintf(answer->next, sizeof(answer->next), "The next poll of the store sees it.");
    }
    if (facts->is_store_paused)
        say_paused("store", answer);
}

/* The pipeline never saw the order. */
static void say_unseen(const struct why_facts *facts, struct why_answer *answer)
{
    const char *behind =
        facts->is_behind ? " The console has not read everything yet; ask again later." : "";

    switch (facts->store) {
    case WHY_STORE_HAS:
        say_next_poll(facts, answer);
        return;
    case WHY_STORE_BEFORE_START:
        settle(answer, WHY_VERDICT_SKIPPED, REASON_BEFORE_START);
        snprintf(
            answer->sentence, sizeof(answer->sentence),
            "%s is not sent to Infusionsoft. It last changed before the store's start_from, so "
            "no poll sees it.",
            facts->name);
        return;
    case WHY_STORE_HAS_NOT:
        snprintf(answer->sentence, sizeof(answer->sentence), "The store does not know %s.%s",
                 facts->name, behind);
        return;
    case WHY_STORE_NONE:
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "No store is configured that could have %s.%s", facts->name, behind);
        return;
    default:
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "%s was never seen here, and its store could not be asked%s%s.%s", facts->name,
                 facts->store_error != NULL ? ": " : "",
                 facts->store_error != NULL ? facts->store_error : "", behind);
        snprintf(answer->next, sizeof(answer->next), "Ask again when the store answers.");
    }
}

void why_decide(const struct why_facts *facts, struct why_answer *answer)
{
    enum order_list list = facts->state != NULL ? order_state_list(facts->state) : ORDER_LIST_NONE;

    *answer = (struct why_answer){.verdict = WHY_VERDICT_UNKNOWN, .next_at_ms = -1};
    if (facts->is_done || list == ORDER_LIST_DELIVERED)
        say_synced(facts, answer);
    else if (list == ORDER_LIST_SKIPPED || list == ORDER_LIST_DEAD)
        say_fate(facts, order_state_fate(facts->state), list == ORDER_LIST_DEAD, answer);
    else if (list != ORDER_LIST_NONE)
        say_under_way(facts, answer);
    else
        say_unseen(facts, answer);
}
