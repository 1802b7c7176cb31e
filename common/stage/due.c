#include "stage/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/retry.h"

enum {
    /* A pause costs a new fetch. So records that are due soon are kept here instead, up to a
     * number. */
    DUE_SOON_MS = 1000,
    DUE_KEPT_MAX = 64,
    /* A record that was refused alone: when it is offered again, and how many of its partition are kept
     * meanwhile. That may last for hours, in all partitions of many accounts, so they are few. */
    REFUSED_WAIT_MS = 200,
    REFUSED_KEPT_MAX = 8,
};

static int due_before(const struct due *a, const struct due *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->sequence < b->sequence);
}

static void due_push(struct stage *stage, struct due due)
{
    int i = stage->due_count++;

    if (stage->due_count > stage->due_capacity) {
        stage->due_capacity = stage->due_capacity > 0 ? 2 * stage->due_capacity : 64;
        stage->due = mem_realloc(stage->due, (size_t)stage->due_capacity * sizeof(due));
    }
    for (; i > 0 && due_before(&due, &stage->due[(i - 1) / 2]); i = (i - 1) / 2)
        stage->due[i] = stage->due[(i - 1) / 2];
    stage->due[i] = due;
}

static struct ticket *due_pop(struct stage *stage)
{
    struct ticket *first = stage->due[0].ticket;
    struct due last = stage->due[--stage->due_count];
    int i = 0;

    for (;;) {
        int child = 2 * i + 1;

        if (child + 1 < stage->due_count && due_before(&stage->due[child + 1], &stage->due[child]))
            child++;
        if (child >= stage->due_count || !due_before(&stage->due[child], &last))
            break;
        stage->due[i] = stage->due[child];
        i = child;
    }
    if (stage->due_count > 0)
        stage->due[i] = last;
    return first;
}

static int kept_max(const struct partition *partition)
{
    return partition->offer_ms > 0 ? REFUSED_KEPT_MAX : DUE_KEPT_MAX;
}

void ticket_park(struct stage *stage, struct ticket *ticket, int64_t at_ms)
{
    struct partition *partition = ticket->partition;

    ticket_own_bytes(ticket);
    if (ticket->handed) {
        stage->inflight--;
        stage->inflight_bytes -= (int64_t)ticket->bytes;
        ticket->handed = 0;
    }
    due_push(stage, (struct due){at_ms, stage->due_sequence++, ticket});
    partition->parked_count++;
    if (partition->parked_count >= kept_max(partition) ||
        at_ms - clock_monotonic_ms() > DUE_SOON_MS) {
        partition->pause |= PAUSE_DUE;
        partitions_apply_pauses(stage);
    }
}

static void count_behind(struct stage *stage, struct partition *partition)
{
    partition->behind_count++;
    partition->parked_count++;
    stage->is_mark_low |= handout_is_low(&partition->handout, stage->settings.mark_block);
    if (partition->parked_count >= kept_max(partition)) {
        partition->pause |= PAUSE_DUE;
        partitions_apply_pauses(stage);
    }
}

/* As ticket_park(), but for records beyond the hand-out mark, and for those behind one that was refused:
 * they are handed over in the order in which they came. */
void ticket_put_behind(struct stage *stage, struct ticket *ticket)
{
    ticket_own_bytes(ticket);
    ticket->next = NULL;
    *stage->behind_end = ticket;
    stage->behind_end = &ticket->next;
    count_behind(stage, ticket->partition);
}

void ticket_put_back(struct stage *stage, struct ticket *ticket)
{
    stage->inflight--;
    stage->inflight_bytes -= (int64_t)ticket->bytes;
    ticket->handed = 0;
    ticket->next = stage->behind;
    if (stage->behind == NULL)
        stage->behind_end = &ticket->next;
    stage->behind = ticket;
    ticket->partition->offer_ms = clock_monotonic_ms() + REFUSED_WAIT_MS;
    count_behind(stage, ticket->partition);
}

static void unpark(struct stage *stage, struct ticket *ticket)
{
    struct partition *partition = ticket->partition;

    if (--partition->parked_count > kept_max(partition) / 2 || !(partition->pause & PAUSE_DUE))
        return;
    partition->pause &= ~PAUSE_DUE;
    partitions_apply_pauses(stage);
}

struct ticket *ticket_take_due(struct stage *stage, int64_t now_ms)
{
    struct ticket *ticket;

    if (stage->due_count == 0 || stage->due[0].at_ms > now_ms)
        return NULL;
    ticket = due_pop(stage);
    unpark(stage, ticket);
    return ticket;
}

struct ticket *ticket_take_behind(struct stage *stage, struct ticket **link)
{
    struct ticket *ticket = *link;

    *link = ticket->next;
    if (*link == NULL)
        stage->behind_end = link;
    if (--ticket->partition->behind_count == 0)
        ticket->partition->offer_ms = 0;
    unpark(stage, ticket);
    return ticket;
}

void ticket_drop_parked(struct stage *stage)
{
    if (stage->held != NULL)
        ticket_release(stage, stage->held);
    stage->held = NULL;
    while (stage->behind != NULL)
        ticket_release(stage, ticket_take_behind(stage, &stage->behind));
    while (stage->due_count > 0) {
        struct ticket *ticket = due_pop(stage);

        ticket->partition->parked_count--;
        ticket_release(stage, ticket);
    }
}

int64_t ticket_due_in_ms(const struct stage *stage, const struct event *event)
{
    const struct topics *topics = stage->settings.topics;
    struct retry_due due = {.produced_ms = -1, .delay_ms = -1};

    if (event->headers[HEADER_NOT_BEFORE].data == NULL)
        return 0;
    due.now_ms = clock_now_ms();
    due.not_before_ms = event_header_int(event, HEADER_NOT_BEFORE, 0);
    if (event->is_broker_time)
        due.produced_ms = event->timestamp_ms;
    for (int i = 0; i < TOPIC_RETRY_COUNT; i++)
        if (strcmp(topics->retry[i], event->topic) == 0)
            due.delay_ms = stage->settings.config->pusher.retry_delays_s[i] * 1000;
    return retry_due_in_ms(&due);
}
