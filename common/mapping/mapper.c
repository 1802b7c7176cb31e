#include "mapping/mapper.h"

#include <stdio.h>
#include <string.h>

enum {
    /* Memory that is kept for payloads. One order in a million needs more; that memory is given
     * back. */
    PAYLOAD_KEPT_BYTES = 256 * 1024,
};

void mapper_init(struct mapper *mapper, const struct stage_settings *settings,
                 const struct regions *regions)
{
    *mapper = (struct mapper){.settings = settings, .regions = regions};
    order_reader_init(&mapper->reader);
    map_init(&mapper->map);
}

void mapper_clear(struct mapper *mapper)
{
    order_reader_clear(&mapper->reader);
    map_clear(&mapper->map);
    buffer_clear(&mapper->payload);
}

static void fill_output(struct mapper *mapper, const struct event *in,
                        const struct map_settings *map, const struct order *order,
                        int64_t modified_at_ms, struct result *out)
{
    struct output *output = &out->outputs[0];
    struct text account = text_of(map->account->name);

    out->verdict = VERDICT_PASS;
    out->output_count = 1;
    *output = (struct output){.topic = mapper->settings->topics->lanes[topic_lane_of(in)].payloads,
                              .key = in->key};
    output->partition_hash = event_hash_contact(account, order->billing.texts[ADDRESS_EMAIL]);
    output->owned_value = mem_strndup(mapper->payload.data, mapper->payload.length);
    output->value = (struct text){output->owned_value, mapper->payload.length};
    memcpy(output->headers, in->headers, sizeof(output->headers));
    output->headers[HEADER_KIND] = text_of(order_is_withdrawn(order) ? "withdrawn" : "order");
    output->headers[HEADER_STORE] = text_of(map->store->hash);
    output->headers[HEADER_ACCOUNT] = account;
    if (event_header_int(in, HEADER_MODIFIED_AT, -1) != modified_at_ms) {
        snprintf(mapper->number, sizeof(mapper->number), "%lld", (long long)modified_at_ms);
        output->headers[HEADER_MODIFIED_AT] = text_of(mapper->number);
    }
}

static void map_record(struct mapper *mapper, const struct event *in,
                       const struct config_store *store, const struct order *order,
                       struct result *out)
{
    struct map_settings map = {.store = store,
                               .account = &mapper->settings->config->accounts[store->account_index],
                               .regions = mapper->regions};
    int64_t modified_at_ms = order_version(order, in);
    struct error err = {0};
    enum reason reason;

    buffer_reset(&mapper->payload);
    if (modified_at_ms < 0) {
        error_set(&err, ERROR_PERMANENT, "the order has no date_modified");
        reason = REASON_MALFORMED;
    } else if (order_is_withdrawn(order)) {
        reason = map_withdrawn(&map, order, modified_at_ms, &mapper->payload, &err);
    } else {
        reason = map_order(&mapper->map, &map, &mapper->reader, order, modified_at_ms,
                           &mapper->payload, &err);
    }
    if (reason == REASON_NONE)
        fill_output(mapper, in, &map, order, modified_at_ms, out);
    else
        result_dead(out, mapper->settings, in, reason, err.text);
    if (mapper->payload.capacity > PAYLOAD_KEPT_BYTES)
        buffer_clear(&mapper->payload);
}

void mapper_handle(void *context, const struct event *in, struct result *out)
{
    struct mapper *mapper = context;
    const struct config_store *store;
    struct event_key key;
    struct order order;
    struct error err = {0};

    if (event_key_parse(in->key, &key) != 0 || !text_is(key.entity, "order")) {
        result_dead(out, mapper->settings, in, REASON_MALFORMED, "the key names no order");
        return;
    }
    store = config_store_by_hash(mapper->settings->config, key.store);
    if (store == NULL) {
        result_dead(out, mapper->settings, in, REASON_MALFORMED,
                    "no store of that hash is configured");
        return;
    }
    if (order_open(&mapper->reader, in->value, key.id, &order, &err) != 0) {
        result_dead(out, mapper->settings, in, REASON_MALFORMED, err.text);
        return;
    }
    map_record(mapper, in, store, &order, out);
    order_close(&order);
}
