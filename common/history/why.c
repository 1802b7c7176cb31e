#include "history/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "history/outside_text.h"

enum { LATE_MS = 30000 }; /* a poll that began no earlier than so long after its time is late */

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
    if (fate != NULL && fate->is_there && fate->order_id[0] == '\0' && fate->contact_id[0] != '\0')
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "%s was delivered without an order in Infusionsoft: its account has orders = off.",
                 facts->name);
    else if (fate == NULL || !fate->is_there || fate->order_id[0] == '\0')
        snprintf(answer->sentence, sizeof(answer->sentence), "%s is in Infusionsoft.", facts->name);
    else
        snprintf(answer->sentence, sizeof(answer->sentence),
                 "%s is in Infusionsoft%s%s as order %s%s.", facts->name,
                 fate->account[0] != '\0' ? " account " : "", fate->account, fate->order_id,
                 since(fate->created_ms >= 0 ? fate->created_ms : fate->time_ms, when));
}

/* Appends to the sentence. */
static void __attribute__((format(printf, 2, 3)))
add(struct why_answer *answer, const char *format, ...)
{
    size_t length = strlen(answer->sentence);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(answer->sentence + length, sizeof(answer->sentence) - length, format, arguments);
    va_end(arguments);
}

/* Ends the sentence, and adds a detail where that says more than the reason's own sentence. */
static void add_detail(struct why_answer *answer, enum reason reason, const char *detail)
{
    size_t length = strlen(answer->sentence);

    while (length > 0 && strchr(". ", answer->sentence[length - 1]) != NULL)
        answer->sentence[--length] = '\0';
    if (detail[0] != '\0' && strcmp(detail, reason_sentence(reason)) != 0)
        add(answer, " (%s)", detail);
    add(answer, ".");
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
    case REASON_DROPPED:
        return "Only a later change of the order in the store is sent.";
    default:
        return "";
    }
}

/* The name in the detail "status 7 Awaiting Payment", or NULL. */
static const char *status_name_of(const char *detail)
{
    int at = 0;

    if (sscanf(detail, "status %*[0-9] %n", &at) != 0 || at == 0 || detail[at] == '\0')
        return NULL;
    return detail + at;
}

/* Why the order is skipped, to stand behind "because"; NULL: the reason has no such words. */
static const char *because(enum reason reason)
{
    switch (reason) {
    case REASON_ARCHIVED:
        return "it was archived in the store";
    case REASON_STATUS:
        return "its status is one that is not synced";
    case REASON_BEFORE_START:
        return "it was placed before the store's start_from, or was migrated";
    case REASON_UNKNOWN_STATUS:
        return "its status id is not known";
    case REASON_NO_EMAIL:
        return "its billing address has no e-mail address";
    case REASON_INVALID_EMAIL:
        return "its e-mail address is not a usable one";
    case REASON_DROPPED:
        return "an operator dropped it, as the audit tells";
    default:
        return NULL;
    }
}

static void say_skipped(const struct why_facts *facts, enum reason reason, const char *detail,
                        struct why_answer *answer)
{
    const char *status = reason == REASON_STATUS ? status_name_of(detail) : NULL;

    settle(answer, WHY_VERDICT_SKIPPED, reason);
    add(answer, "%s is not sent to Infusionsoft", facts->name);
    if (status != NULL)
        add(answer, " because its status is %s.", status);
    else if (because(reason) != NULL)
        add(answer, " because %s", because(reason));
    else
        add(answer, ". %s", reason_sentence(reason));
    if (status == NULL)
        add_detail(answer, reason, detail);
    snprintf(answer->next, sizeof(answer->next), "%s",
             status != NULL && strcmp(status, "Awaiting Payment") == 0
                 ? "It is sent by itself as soon as it is paid."
                 : after_skip(reason));
}

static void say_dead(const struct why_facts *facts, const struct order_fate *fate,
                     struct why_answer *answer)
{
    settle(answer, WHY_VERDICT_DEAD, fate->reason);
    add(answer, "%s could not be sent and waits for a person. %s", facts->name,
        reason_sentence(fate->reason));
    add_detail(answer, fate->reason, fate->detail);
    snprintf(answer->next, sizeof(answer->next),
             "Nothing happens by itself. Mend the cause, then: bigfusion retry.");
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

    add(answer, "%s%s is on its way%s and waits for %s.",
        progress->is_withdrawn ? "The cancellation of " : "", facts->name,
        since(facts->state->since_ms, when), service_of(progress->kind));
    snprintf(answer->next, sizeof(answer->next),
             "It goes on as soon as %s comes to it; `bigfusion status` shows whether that runs.",
             service_of(progress->kind));
}

static void say_retrying(const struct why_facts *facts, const struct order_progress *progress,
                         struct why_answer *answer)
{
    if (progress->attempt > 0)
        add(answer, "%s is tried again: %lld %s failed", facts->name, (long long)progress->attempt,
            progress->attempt == 1 ? "attempt has" : "attempts have");
    else
        add(answer, "%s is tried again", facts->name);
    add_detail(answer, REASON_RETRYING, progress->detail);
    answer->next_at_ms = progress->next_try_ms;
    snprintf(answer->next, sizeof(answer->next), "It is tried again by itself.");
}

static void say_in_doubt(const struct why_facts *facts, const struct order_progress *progress,
                         struct why_answer *answer)
{
    const char *doubt = facts->doubt != NULL ? facts->doubt : "";

    add(answer, "%s is being delivered, but the answer to a call%s%s%s was lost. %s", facts->name,
        doubt[0] != '\0' ? " (step " : "", doubt, doubt[0] != '\0' ? ")" : "",
        reason_sentence(REASON_IN_DOUBT));
    answer->next_at_ms = progress->next_try_ms;
    snprintf(answer->next, sizeof(answer->next),
             "What became of the call is looked up by itself, then the delivery goes on.");
}

static const char *account_of(const struct why_facts *facts)
{
    if (facts->state != NULL && facts->state->progress.account[0] != '\0')
        return facts->state->progress.account;
    return facts->account != NULL && facts->account[0] != '\0' ? facts->account : "of its store";
}

static void say_waits_for_account(const struct why_facts *facts, enum reason reason,
                                  struct why_answer *answer)
{
    add(answer, "%s waits for account %s.", facts->name, account_of(facts));
    if (facts->is_account_paused && reason == REASON_ACCOUNT_CLOSED)
        return; /* a paused account may be in good order */
    add(answer, " %s", reason_sentence(reason));
    add_detail(answer, reason, facts->state->progress.detail);
    snprintf(answer->next, sizeof(answer->next), "%s",
             reason == REASON_ECOMMERCE_UNAVAILABLE
                 ? "It goes on by itself once the account has the e-commerce module."
                 : "It goes on by itself once the account answers again.");
}

/* An operator's pause of what (its "store" or "account") is what the order waits for. */
static void say_paused(const char *what, struct why_answer *answer)
{
    add(answer, " An operator paused its %s.", what);
    snprintf(answer->next, sizeof(answer->next), "It goes on after `bigfusion resume`.");
    answer->next_at_ms = -1;
}

static void say_under_way(const struct why_facts *facts, struct why_answer *answer)
{
    const struct order_progress *progress = &facts->state->progress;
    int has_doubt = facts->doubt != NULL && facts->doubt[0] != '\0';
    enum reason reason = order_state_reason(facts->state);

    if (has_doubt && (reason == REASON_QUEUED || reason == REASON_RETRYING))
        reason = REASON_IN_DOUBT;
    switch (reason) {
    case REASON_RETRYING:
        settle(answer, WHY_VERDICT_RETRYING, reason);
        say_retrying(facts, progress, answer);
        break;
    case REASON_IN_DOUBT:
        settle(answer, WHY_VERDICT_WAITING, reason);
        say_in_doubt(facts, progress, answer);
        break;
    case REASON_ACCOUNT_CLOSED:
    case REASON_ECOMMERCE_UNAVAILABLE:
        settle(answer, WHY_VERDICT_WAITING, reason);
        say_waits_for_account(facts, reason, answer);
        break;
    default: /* a record that says something else was not written by the pusher */
        settle(answer, WHY_VERDICT_WAITING, REASON_QUEUED);
        say_queued(facts, progress, answer);
    }
    if (facts->is_account_paused)
        say_paused("account", answer);
}

/* When the next poll is. A poll that is due begins within a moment, and takes one. */
static void say_when(const struct why_facts *facts, struct why_answer *answer)
{
    int64_t left_ms = facts->next_poll_ms - facts->now_ms;

    answer->next_at_ms = facts->next_poll_ms;
    if (facts->next_poll_ms < 0)
        add(answer, " When the next poll is, is not known.");
    else if (left_ms >= 1000)
        add(answer, " The next poll is in %lld s.", (long long)(left_ms / 1000));
    else if (left_ms > -LATE_MS)
        add(answer, " The next poll is due now.");
    else
        add(answer, " The next poll is late by %lld s: see whether a poller runs.",
            (long long)(-left_ms / 1000));
    if (facts->poll_trouble != NULL && facts->poll_trouble[0] != '\0')
        add(answer, " The last poll failed: %s.", facts->poll_trouble);
}

static void say_next_poll(const struct why_facts *facts, struct why_answer *answer)
{
    settle(answer, WHY_VERDICT_WAITING, REASON_NEXT_POLL);
    add(answer, "The store has %s, and no poll has seen it yet.", facts->name);
    if (facts->is_store_paused) {
        say_paused("store", answer);
    } else if (facts->store == WHY_STORE_HISTORY) {
        add(answer, " Older orders are read piece by piece, behind the new ones.");
        snprintf(answer->next, sizeof(answer->next), "One of the next polls of the store sees it.");
    } else {
        say_when(facts, answer);
        snprintf(answer->next, sizeof(answer->next), "The next poll of the store sees it.");
    }
}

/* The pipeline never saw the order. */
static void say_unseen(const struct why_facts *facts, struct why_answer *answer)
{
    switch (facts->store) {
    case WHY_STORE_HAS:
    case WHY_STORE_HISTORY:
        say_next_poll(facts, answer);
        break;
    case WHY_STORE_BEFORE_START:
        say_skipped(facts, REASON_BEFORE_START,
                    "it last changed before start_from, so no poll sees it", answer);
        break;
    case WHY_STORE_ARCHIVED:
        say_skipped(facts, REASON_ARCHIVED, "", answer);
        break;
    case WHY_STORE_HAS_NOT:
        add(answer, "The store does not know %s.", facts->name);
        break;
    case WHY_STORE_NONE:
        add(answer, "No store is configured that could have %s.", facts->name);
        break;
    default:
        add(answer, "%s was never seen here, and its store could not be asked%s%s.", facts->name,
            facts->store_error != NULL ? ": " : "",
            facts->store_error != NULL ? facts->store_error : "");
        snprintf(answer->next, sizeof(answer->next), "Ask again when the store answers.");
    }
    if (facts->is_behind)
        add(answer, " The console has not read everything yet, so this may change; ask again "
                    "later.");
}

void why_decide(const struct why_facts *facts, struct why_answer *answer)
{
    enum order_list list = facts->state != NULL ? order_state_list(facts->state) : ORDER_LIST_NONE;
    const struct order_fate *fate = facts->state != NULL ? order_state_fate(facts->state) : NULL;

    *answer = (struct why_answer){.verdict = WHY_VERDICT_UNKNOWN, .next_at_ms = -1};
    if (facts->is_done || list == ORDER_LIST_DELIVERED)
        say_synced(facts, answer);
    else if (list == ORDER_LIST_SKIPPED)
        say_skipped(facts, fate->reason, fate->detail, answer);
    else if (list == ORDER_LIST_DEAD)
        say_dead(facts, fate, answer);
    else if (list != ORDER_LIST_NONE)
        say_under_way(facts, answer);
    else
        say_unseen(facts, answer);
}
