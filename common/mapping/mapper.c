#include "mapping/mapper.h"

#include "mapping/customer.h"

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
    map_catalog_clear(&mapper->catalog);
    buffer_clear(&mapper->payload);
}

/* @param partition_hash  of the payload's topic */
static void fill_output(struct mapper *mapper, const struct event *in,
                        const struct map_settings *map, const char *kind, uint32_t partition_hash,
                        int64_t modified_at_ms, struct result *out)
{
    struct output *output = &out->outputs[0];

    out->verdict = VERDICT_PASS;
    out->output_count = 1;
    *output = (struct output){.topic = mapper->settings->topics->lanes[topic_lane_of(in)].payloads,
                              .key = in->key,
                              .partition_hash = partition_hash};
    output->owned_value = mem_strndup(mapper->payload.data, mapper->payload.length);
    output->value = (struct text){output->owned_value, mapper->payload.length};
    memcpy(output->headers, in->headers, sizeof(output->headers));
    output->headers[HEADER_KIND] = text_of(kind);
    output->headers[HEADER_STORE] = text_of(map->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(map->account->name);
    if (event_header_int(in, HEADER_MODIFIED_AT, -1) != modified_at_ms) {
        snprintf(mapper->number, sizeof(mapper->number), "%lld", (long long)modified_at_ms);
        output->headers[HEADER_MODIFIED_AT] = text_of(mapper->number);
    }
}

/* Gives memory back that only a very large payload needs. */
static void shrink(struct mapper *mapper)
{
    if (mapper->payload.capacity > PAYLOAD_KEPT_BYTES)
        buffer_clear(&mapper->payload);
}

/* A product has no date that tells of its variants, so its version is when the poller saw it. */
static void map_product(struct mapper *mapper, const struct event *in,
                        const struct map_settings *map, struct text id, struct result *out)
{
    int64_t modified_at_ms = event_header_int(in, HEADER_MODIFIED_AT, -1);
    enum reason reason = REASON_MALFORMED;
    struct error err = {0};

    buffer_reset(&mapper->payload);
    if (modified_at_ms < ORDER_EARLIEST_MS)
        error_set(&err, ERROR_PERMANENT, "the header modified_at does not tell the version");
    else if (map_catalog_open(&mapper->catalog, in->value, id, &err) == 0)
        reason = map_catalog_write(&mapper->catalog, map, modified_at_ms, &mapper->payload, &err);
    map_catalog_close(&mapper->catalog);
    if (reason == REASON_NONE)
        fill_output(mapper, in, map, "product", event_hash(0, in->key), modified_at_ms, out);
    else
        result_dead(out, mapper->settings, in, reason, err.text);
    shrink(mapper);
}

static void map_contact(struct mapper *mapper, const struct event *in,
                        const struct map_settings *map, struct text id, struct result *out)
{
    struct customer customer = {0};
    struct error err = {0};
    struct text email = {0};
    int64_t version = -1;

    buffer_reset(&mapper->payload);
    if (customer_open(&customer, in->value, id, &err) == 0) {
        version = customer_version(&customer, in);
        email = customer.person.billing.texts[ADDRESS_EMAIL];
        if (version < 0)
            error_set(&err, ERROR_PERMANENT, "the customer has no date_modified");
        else if (order_check_email(email) != EMAIL_USABLE)
            error_set(&err, ERROR_PERMANENT, "the customer has no usable e-mail address");
    }
    if (err.kind == ERROR_NONE) {
        map_customer(&mapper->map, map, &customer, version, &mapper->payload);
        fill_output(mapper, in, map, "contact",
                    event_hash_contact(text_of(map->account->name), email), version, out);
    } else {
        result_dead(out, mapper->settings, in, REASON_MALFORMED, err.text);
    }
    customer_close(&customer);
    shrink(mapper);
}

static void map_record(struct mapper *mapper, const struct event *in,
                       const struct map_settings *map, const struct order *order,
                       struct result *out)
{
    int64_t modified_at_ms = order_version(order, in);
    struct error err = {0};
    enum reason reason;

    buffer_reset(&mapper->payload);
    if (modified_at_ms < 0) {
        error_set(&err, ERROR_PERMANENT, "the order has no date_modified");
        reason = REASON_MALFORMED;
    } else if (order_is_withdrawn(order)) {
        reason = map_withdrawn(&mapper->map, map, order, modified_at_ms, &mapper->payload, &err);
    } else {
        reason = map_order(&mapper->map, map, &mapper->reader, order, modified_at_ms,
                           &mapper->payload, &err);
    }
    if (reason == REASON_NONE)
        fill_output(
            mapper, in, map, order_is_withdrawn(order) ? "withdrawn" : "order",
            event_hash_contact(text_of(map->account->name), order->billing.texts[ADDRESS_EMAIL]),
            modified_at_ms, out);
    else
        result_dead(out, mapper->settings, in, reason, err.text);
    shrink(mapper);
}

void mapper_handle(void *context, const struct event *in, struct result *out)
{
    struct mapper *mapper = context;
    struct map_settings map = {.regions = mapper->regions,
                               .leave_out = map_leave_out(in->headers[HEADER_LEAVE_OUT])};
    struct event_key key;
    struct order order;
    struct error err = {0};

    if (event_key_parse(in->key, &key) != 0) {
        result_dead(out, mapper->settings, in, REASON_MALFORMED,
                    "the key names no order, contact or product");
        return;
    }
    map.store = config_store_by_hash(mapper->settings->config, key.store);
    if (map.store == NULL) {
        result_dead(out, mapper->settings, in, REASON_MALFORMED,
                    "no store of that hash is configured");
        return;
    }
    map.account = &mapper->settings->config->accounts[map.store->account_index];
    if (text_is(key.entity, "product")) {
        map_product(mapper, in, &map, key.id, out);
        return;
    }
    if (text_is(key.entity, "contact")) {
        map_contact(mapper, in, &map, key.id, out);
        return;
    }
    if (order_open(&mapper->reader, in->value, key.id, &order, &err) != 0) {
        result_dead(out, mapper->settings, in, REASON_MALFORMED, err.text);
        return;
    }
    map_record(mapper, in, &map, &order, out);
    order_close(&order);
}
