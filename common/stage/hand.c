#include "stage/internal.h"

#include "base/clock.h"

static void offer(struct stage *stage, struct ticket *ticket)
{
    enum stage_answer answer = stage->suspects > 0
                                   ? claim_offer(stage, ticket)
                                   : stage->offer(stage->context, ticket, &ticket->event);

    stage->held = answer == STAGE_FULL ? ticket : NULL;
    if (answer == STAGE_FULL)
        return;
    stage->held_wait_ms = 1;
    if (answer == STAGE_TAKEN)
        measure_handed(stage, ticket);
    else
        ticket_put_back(stage, ticket);
}

void ticket_offer_held(struct stage *stage)
{
    if (stage->held != NULL)
        offer(stage, stage->held);
}

/* Whether a record of this partition's topic may be handed over. For the one record of
 * stage_take_one() the topic is paused again at once, so that no second one follows. */
static int is_read(struct stage *stage, const struct partition *partition)
{
    int how = TOPIC_ONE;

    if (!atomic_compare_exchange_strong(&stage->topic_paused[partition->input], &how, TOPIC_PAUSED))
        return how != TOPIC_PAUSED;
    partitions_pause_topics(stage);
    return 1;
}

static void hand_over(struct stage *stage, struct ticket *ticket)
{
    struct partition *partition = ticket->partition;
    enum claim_verdict verdict = CLAIM_HAND;
    struct result result = {0};
    int is_allowed = handout_allows(&partition->handout, ticket->event.offset);

    if (partition->is_watched) {
        verdict = claim_first(stage, ticket, &result);
        is_allowed = handout_allows(&partition->handout, ticket->event.offset);
    }
    if (verdict != CLAIM_POISON && !is_allowed) {
        ticket_put_behind(stage, ticket);
        return;
    }
    ticket->handed = 1;
    if (verdict == CLAIM_POISON || stage->offer == NULL)
        measure_handed(stage, ticket);
    stage->inflight++;
    stage->inflight_bytes += (int64_t)ticket->bytes;
    if (stage->ramp > 0)
        stage->ramp_left--;
    if (verdict == CLAIM_POISON) {
        ticket_send(stage, ticket, &result);
        return;
    }
    handout_note(&partition->handout, ticket->event.offset);
    stage->is_mark_low |= handout_is_low(&partition->handout, stage->settings.mark_block);
    if (stage->offer != NULL) {
        ticket_own_bytes(ticket);
        offer(stage, ticket);
    } else {
        if (ticket->deaths > 0)
            claim_as(stage, ticket, CLAIM_ALONE);
        stage->handler(stage->context, &ticket->event, &result);
        ticket_send(stage, ticket, &result);
    }
}

void ticket_hand(struct stage *stage, struct ticket *ticket, int is_due)
{
    int64_t wait_ms = is_due ? 0 : ticket_due_in_ms(stage, &ticket->event);

    if (wait_ms == 0 && !is_read(stage, ticket->partition))
        wait_ms = TICKET_REDO_MS;
    if (wait_ms > 0) {
        ticket_park(stage, ticket, clock_monotonic_ms() + wait_ms);
        return;
    }
    if (ticket->partition->behind_count > 0)
        ticket_put_behind(stage, ticket);
    else
        hand_over(stage, ticket);
}

void ticket_hand_due(struct stage *stage)
{
    int64_t now_ms;
    struct ticket *ticket;

    if (stage->due_count == 0)
        return;
    now_ms = clock_monotonic_ms();
    while (stage_has_room(stage) && (ticket = ticket_take_due(stage, now_ms)) != NULL) {
        if (ticket_is_stale(ticket))
            ticket_release(stage, ticket);
        else if (ticket->partition->pause & PAUSE_TOPIC)
            ticket_park(stage, ticket, now_ms + TICKET_REDO_MS);
        else
            ticket_hand(stage, ticket, 1);
    }
}

/* Whether a ticket of the queue has to wait longer. What is refused meanwhile is to be offered later than
 * now_ms, so each partition has one refusal at most. */
static int stays_behind(struct ticket *ticket, int64_t now_ms)
{
    struct partition *partition = ticket->partition;

    return !ticket_is_stale(ticket) && (partition->offer_ms > now_ms ||
                                        !handout_allows(&partition->handout, ticket->event.offset));
}

void ticket_hand_behind(struct stage *stage)
{
    struct ticket **link = &stage->behind;
    int64_t now_ms;

    if (stage->behind == NULL)
        return;
    now_ms = clock_monotonic_ms();
    while (*link != NULL && stage_has_room(stage)) {
        struct ticket *ticket = *link;

        if (stays_behind(ticket, now_ms)) {
            link = &ticket->next;
            continue;
        }
        ticket_take_behind(stage, link);
        if (ticket_is_stale(ticket)) {
            ticket_release(stage, ticket);
        } else {
            hand_over(stage, ticket);
            link = &stage->behind; /* the partitions may have been revoked meanwhile */
        }
    }
}
