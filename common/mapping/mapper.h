/* mapper.h - the mapper's handler: turns one record of orders.eligible into one of orders.payloads.
 * It does no I/O and reads no clock. */
#ifndef COMMON_MAPPER_H
#define COMMON_MAPPER_H

#include "mapping/map.h"
#include "mapping/map_catalog.h"
#include "record/event.h"
#include "stage/stage.h"

/* What the handler works with. Embedded. */
struct mapper {
    const struct stage_settings *settings; /* keeps */
    const struct regions *regions;         /* keeps */
    struct order_reader reader;
    struct map map;
    struct map_catalog catalog;
    struct buffer payload; /* memory for the record in hand */
    char number[24];       /* modified_at as text, for its header */
};

void mapper_init(struct mapper *mapper, const struct stage_settings *settings,
                 const struct regions *regions);
void mapper_clear(struct mapper *mapper);

/**
 * @brief The handler of the stage (see stage_handler); context is a struct mapper.
 * PASS: the payload goes to orders.payloads, partitioned by account and e-mail address.
 * DEAD: the record cannot be mapped; reason and detail say why.
 * A customer of a store (record key `<store hash>/contact/<id>`) becomes a payload of kind `contact`.
 * A product of a store (record key `<store hash>/product/<id>`) becomes a payload of kind `product`.
 * An order whose status is one of ORDER_STATUSES_WITHDRAWN becomes a payload of kind `withdrawn`,
 * whatever the record's header says.
 */
void mapper_handle(void *context, const struct event *in, struct result *out);

#endif
