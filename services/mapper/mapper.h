/* mapper.h - one record of orders.eligible becomes one of orders.payloads. No I/O, no clock. */
#ifndef MAPPER_MAPPER_H
#define MAPPER_MAPPER_H

#include "record/event.h"
#include "stage/stage.h"
#include "map.h"

/* What the handler works with; embedded. */
struct mapper {
    const struct stage_settings *settings; /* keeps */
    const struct regions *regions;         /* keeps */
    struct order_reader reader;
    struct map map;
    struct buffer payload; /* memory for the record in hand */
    char number[24];       /* modified_at as text, for its header */
};

void mapper_init(struct mapper *mapper, const struct stage_settings *settings,
                 const struct regions *regions);
void mapper_clear(struct mapper *mapper);

/**
 * @brief stage_handler, context is a struct mapper. PASS: the payload to orders.payloads,
 * partitioned by account and e-mail address. DEAD: what cannot be mapped, with reason and detail.
 * An order in one of the statuses that mean it was taken back becomes a payload of kind
 * `withdrawn`, whatever the record's header says.
 */
void mapper_handle(void *context, const struct event *in, struct result *out);

#endif
