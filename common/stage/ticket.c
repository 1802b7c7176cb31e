#include "stage/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ticket_is_stale(const struct ticket *ticket)
{
    return ticket->partition->revoked || ticket->generation != ticket->partition->window.generation;
}

/* From here on the record has the trace that it came with, or a new one where that cannot be read.
 * All its outputs copy the header, with the span id of this stage. */
static void set_trace(struct ticket *ticket)
{
    struct event *event = &ticket->event;
    struct text *header = &event->headers[HEADER_TRACEPARENT];

    if (trace_continue(ticket->trace, *header, text_of(ticket->stage->settings.service)) != 0) {
        char place[320];
        struct text parts[2] = {event->key, {NULL, 0}};

        snprintf(place, sizeof(place), "%s/%d/%lld", event->topic, event->partition,
                 (long long)event->offset);
        parts[1] = text_of(place);
        trace_begin(ticket->trace, parts, 2);
    }
    *header = (struct text){ticket->trace, TRACE_LENGTH};
}

struct ticket *ticket_new(struct stage *stage, struct partition *partition,
                          rd_kafka_message_t *message)
{
    struct ticket *ticket = stage->pool;

    if (ticket != NULL) {
        stage->pool = ticket->next;
    } else {
        ticket = mem_alloc(sizeof(*ticket));
        ticket->stage = stage;
        ticket->all_next = stage->all;
        stage->all = ticket;
    }
    kafka_event_of(message, &ticket->event);
    ticket->event.topic = stage->settings.inputs[partition->input];
    set_trace(ticket);
    ticket->message = message;
    ticket->copy = NULL;
    ticket->partition = partition;
    ticket->bytes = message->len + message->key_len + ticket->event.header_bytes;
    ticket->handed = ticket->abandoned = ticket->is_too_large = 0;
    ticket->deaths = ticket->offered = 0;
    window_add(&partition->window, message->offset);
    ticket->generation = partition->window.generation;
    partition->ticket_count++;
    metric_add(stage->bytes, (int64_t)ticket->bytes);
    return ticket;
}

static void drop_bytes(struct ticket *ticket)
{
    if (ticket->message != NULL)
        rd_kafka_message_destroy(ticket->message);
    free(ticket->copy);
    ticket->message = NULL;
    ticket->copy = NULL;
}

static char *copy_text(char *target, struct text *text)
{
    if (text->data == NULL)
        return target;
    if (text->length > 0)
        memcpy(target, text->data, text->length);
    text->data = target;
    return target + text->length;
}

/* Copies the bytes of a ticket. A message keeps the whole answer of the broker in memory that it
 * came in, up to 2 MB, so the bytes of a message that stays longer are copied. */
void ticket_own_bytes(struct ticket *ticket)
{
    struct event *event = &ticket->event;
    size_t size = event->key.length + event->value.length + 1;
    char *target;

    if (ticket->message == NULL)
        return;
    for (int i = 0; i < HEADER_COUNT; i++)
        size += event->headers[i].length;
    target = mem_check(malloc(size));
    ticket->copy = target;
    target = copy_text(target, &event->key);
    target = copy_text(target, &event->value);
    for (int i = 0; i < HEADER_COUNT; i++)
        target = copy_text(target, &event->headers[i]);
    rd_kafka_message_destroy(ticket->message);
    ticket->message = NULL;
}

void ticket_release(struct stage *stage, struct ticket *ticket)
{
    drop_bytes(ticket);
    if (ticket->deaths > 0) {
        stage->suspects--;
        atomic_store(&stage->is_alone, 0);
    }
    if (ticket->handed) {
        stage->inflight--;
        stage->inflight_bytes -= (int64_t)ticket->bytes;
    }
    if (--ticket->partition->ticket_count == 0 && ticket->partition->revoked)
        partition_release(ticket->partition);
    ticket->partition = NULL;
    ticket->next = stage->pool;
    stage->pool = ticket;
}

void ticket_free_all(struct stage *stage)
{
    while (stage->all != NULL) {
        struct ticket *ticket = stage->all;

        stage->all = ticket->all_next;
        drop_bytes(ticket);
        if (ticket->partition != NULL && --ticket->partition->ticket_count == 0 &&
            ticket->partition->revoked)
            partition_release(ticket->partition);
        free(ticket);
    }
    stage->pool = NULL;
    free(stage->due);
    stage->due = NULL;
    stage->due_count = stage->due_capacity = 0;
}

const struct event *ticket_event(const struct ticket *ticket) { return &ticket->event; }
