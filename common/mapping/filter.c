#include "mapping/filter.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "mapping/customer.h"
#include "mapping/rule.h"

void filter_init(struct filter *filter, const struct stage_settings *settings)
{
    *filter = (struct filter){.settings = settings};
    order_reader_init(&filter->reader);
}

void filter_clear(struct filter *filter) { order_reader_clear(&filter->reader); }

static int64_t start_from_ms(const struct event *in, const struct config_store *store)
{
    return event_header_int(in, HEADER_START_FROM,
                            store->start_from_ms > 0 ? store->start_from_ms : 0);
}

/* Writes one line for people: why the order is skipped. It holds nothing personal. */
static void describe(char *detail, size_t size, enum reason reason, const struct order *order,
                     int64_t start_from)
{
    char placed[DATE_ISO_BYTES], start[DATE_ISO_BYTES];

    switch (reason) {
    case REASON_STATUS:
        snprintf(detail, size, "status %lld %s", (long long)order->status_id,
                 order_status_name(order).data);
        break;
    case REASON_UNKNOWN_STATUS:
        snprintf(detail, size, "status %lld is not known", (long long)order->status_id);
        break;
    case REASON_BEFORE_START:
        if (order->placed_at_ms < start_from)
            snprintf(detail, size, "placed %s, the store starts from %s",
                     date_print_iso(placed, order->placed_at_ms),
                     date_print_iso(start, start_from));
        else
            snprintf(detail, size, "migrated from another shop system");
        break;
    default:
        snprintf(detail, size, "%s", reason_sentence(reason));
    }
}

/* The value of a record of `skipped`: reason, version and some facts, nothing personal. New. */
static struct buffer skipped_value(enum reason reason, const char *detail, int64_t modified_at_ms,
                                   struct text store, const struct order *order)
{
    struct buffer value = {0};

    buffer_printf(&value, "{\"reason\":\"%s\",\"detail\":", reason_name(reason));
    json_write_text(&value, text_of(detail), SIZE_MAX);
    buffer_printf(&value, ",\"modified_at\":%lld,\"status\":{\"id\":%lld,\"name\":",
                  (long long)modified_at_ms, (long long)order->status_id);
    json_write_text(&value, order_status_name(order), 100);
    buffer_printf(&value, "},\"placed_at\":%lld,\"store\":", (long long)order->placed_at_ms);
    json_write_text(&value, store, SIZE_MAX);
    json_write_literal(&value, ",\"total\":");
    json_write_text(&value, json_text(order->fields[ORDER_TOTAL_INC_TAX]), 40);
    json_write_literal(&value, ",\"currency\":");
    json_write_text(&value, json_text(order->fields[ORDER_CURRENCY]), 40);
    json_write_literal(&value, "}");
    return value;
}

static void pass_on(struct filter *filter, const struct event *in, struct text store,
                    const struct config_store *config, int64_t modified_at_ms, const char *kind,
                    struct result *out)
{
    struct output *output = &out->outputs[0];

    out->verdict = VERDICT_PASS;
    out->output_count = 1;
    *output = (struct output){.topic = filter->settings->topics->lanes[topic_lane_of(in)].eligible,
                              .key = in->key,
                              .value = in->value,
                              .partition_hash = event_hash(0, in->key)};
    memcpy(output->headers, in->headers, sizeof(output->headers));
    output->headers[HEADER_KIND] = text_of(kind);
    output->headers[HEADER_STORE] = store;
    output->headers[HEADER_ACCOUNT] = text_of(config->account);
    if (event_header_int(in, HEADER_MODIFIED_AT, -1) != modified_at_ms) {
        snprintf(filter->number, sizeof(filter->number), "%lld", (long long)modified_at_ms);
        output->headers[HEADER_MODIFIED_AT] = text_of(filter->number);
    }
}

static void decide(struct filter *filter, const struct event *in, struct text store,
                   const struct config_store *config, const struct order *order, struct result *out)
{
    struct rule_facts facts = {
        .status_id = order->status_id,
        .placed_at_ms = order->placed_at_ms,
        .start_from_ms = start_from_ms(in, config),
        .statuses = config->statuses,
        .archived = order->archived,
        .migrated = text_is(json_text(order->fields[ORDER_EXTERNAL_SOURCE]), "M-MIG"),
        .asked_for = text_is(in->headers[HEADER_SOURCE], "backfill") ||
                     topic_lane_of(in) == TOPIC_LANE_HISTORY,
        .email = order->billing.texts[ADDRESS_EMAIL],
    };
    int64_t modified_at_ms = order_version(order, in);
    enum reason reason;
    enum rule_answer answer = rule_check(&facts, &reason);
    char detail[sizeof(out->detail)];
    struct buffer value;

    if (modified_at_ms < 0) {
        result_dead(out, filter->settings, in, REASON_MALFORMED, "the order has no date_modified");
        return;
    }
    if (answer != RULE_SKIP) {
        pass_on(filter, in, store, config, modified_at_ms,
                answer == RULE_WITHDRAWN ? "withdrawn" : "order", out);
        return;
    }
    describe(detail, sizeof(detail), reason, order, facts.start_from_ms);
    value = skipped_value(reason, detail, modified_at_ms, store, order);
    result_skip(out, filter->settings, in, reason, detail, value.data, value.length);
}

/* A customer is synced where the account can have a contact with its e-mail address. */
static void decide_customer(struct filter *filter, const struct event *in, struct text store,
                            const struct config_store *config, struct text id, struct result *out)
{
    enum email_fault fault;
    struct customer customer;
    struct error err = {0};
    struct buffer value = {0};
    enum reason reason;
    int64_t version;

    if (customer_open(&customer, in->value, id, &err) != 0) {
        result_dead(out, filter->settings, in, REASON_MALFORMED, err.text);
        return;
    }
    version = customer_version(&customer, in);
    fault = order_check_email(customer.person.billing.texts[ADDRESS_EMAIL]);
    customer_close(&customer);
    reason = fault == EMAIL_MISSING ? REASON_NO_EMAIL : REASON_INVALID_EMAIL;
    if (version < 0) {
        result_dead(out, filter->settings, in, REASON_MALFORMED,
                    "the customer has no date_modified");
    } else if (fault == EMAIL_USABLE) {
        pass_on(filter, in, store, config, version, "contact", out);
    } else {
        buffer_printf(&value,
                      "{\"reason\":\"%s\",\"detail\":\"%s\",\"modified_at\":%lld,\"store\":",
                      reason_name(reason), reason_sentence(reason), (long long)version);
        json_write_text(&value, store, SIZE_MAX);
        json_write_literal(&value, "}");
        result_skip(out, filter->settings, in, reason, reason_sentence(reason), value.data,
                    value.length);
    }
}

void filter_handle(void *context, const struct event *in, struct result *out)
{
    struct filter *filter = context;
    const struct config_store *store;
    struct event_key key;
    struct order order;
    struct error err = {0};

    if (event_key_parse(in->key, &key) != 0) {
        result_dead(out, filter->settings, in, REASON_MALFORMED,
                    "the key names no order, contact or product");
        return;
    }
    store = config_store_by_hash(filter->settings->config, key.store);
    if (store == NULL) {
        result_dead(out, filter->settings, in, REASON_MALFORMED,
                    "no store of that hash is configured");
        return;
    }
    if (text_is(key.entity, "product")) { /* every product of the store is synced */
        pass_on(filter, in, key.store, store, event_header_int(in, HEADER_MODIFIED_AT, -1),
                "product", out);
        return;
    }
    if (text_is(key.entity, "contact")) {
        decide_customer(filter, in, key.store, store, key.id, out);
        return;
    }
    if (order_open(&filter->reader, in->value, key.id, &order, &err) != 0) {
        result_dead(out, filter->settings, in, REASON_MALFORMED, err.text);
        return;
    }
    decide(filter, in, key.store, store, &order, out);
    order_close(&order);
}
