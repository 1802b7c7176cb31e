/* map_after.c - what a refund or cancellation leaves on the contact of an order that was synced
 * before (D2): a note or a tag, by the store's setting after_sync. Whether the order was synced, only
 * the pusher knows. */
#include <string.h>

#include "base/currency.h"
#include "base/date.h"
#include "base/text.h"
#include "mapping/map.h"

/* The statuses that leave something: those that take an order back, and a refund in part. */
#define STATUSES_AFTER (ORDER_STATUSES_WITHDRAWN | 1u << 14)

enum { REFUND_BYTES = 40 };

static int leaves_something(const struct map_settings *settings, const struct order *order)
{
    return settings->store->after_sync != AFTER_SYNC_IGNORE &&
           !(settings->leave_out & MAP_LEAVE_TAGS) && order->status_id >= 0 &&
           order->status_id < ORDER_STATUS_COUNT && (STATUSES_AFTER >> order->status_id & 1) != 0;
}

/* What was refunded so far, such as "12.5 USD"; "" where it is nothing, or the order does not say it
 * well. An order may be refunded in several parts. */
static void print_refund(char target[REFUND_BYTES], const struct order *order)
{
    struct text currency = text_trim(json_text(order->fields[ORDER_CURRENCY]));
    struct error ignored = {0};
    money refunded = 0;
    char amount[24];
    int digits;

    target[0] = '\0';
    if (map_read_money(order->fields[ORDER_REFUNDED], "refunded_amount", &refunded, &ignored) !=
            0 ||
        refunded <= 0 || currency.length != 3)
        return;
    digits = currency_digits(currency);
    money_print_minor(amount, money_to_minor(refunded, digits), digits);
    snprintf(target, REFUND_BYTES, "%s %.3s", amount, currency.data);
}

/* The title is the same for the same state of the order, and the pusher finds the note by it. So it
 * has no time, and it holds no character that a filter of the account cannot hold. */
static void write_note(const struct map_settings *settings, const struct order *order,
                       int64_t modified_at_ms, struct buffer *out)
{
    struct text status = order_status_name(order);
    char refund[REFUND_BYTES], date[DATE_ISO_BYTES];

    print_refund(refund, order);
    date_print_iso(date, modified_at_ms);
    json_write_literal(out, "\"note\":{\"title\":\"");
    json_write_literal(out, "bc-");
    json_write_part(out, text_of(settings->store->hash), SIZE_MAX);
    json_write_literal(out, "-");
    json_write_raw(out, order->id.data, order->id.length);
    json_write_literal(out, " ");
    json_write_part(out, status, SIZE_MAX);
    if (refund[0] != '\0') {
        json_write_literal(out, " ");
        json_write_part(out, text_of(refund), SIZE_MAX);
    }
    json_write_literal(out, "\",\"text\":\"");
    json_write_part(out, text_of(settings->store->code), SIZE_MAX);
    json_write_literal(out, " #");
    json_write_raw(out, order->id.data, order->id.length);
    json_write_literal(out, " became ");
    json_write_part(out, status, SIZE_MAX);
    json_write_literal(out, " in the store at ");
    json_write_raw(out, date, strlen(date));
    if (refund[0] != '\0') {
        json_write_literal(out, ". Refunded so far: ");
        json_write_part(out, text_of(refund), SIZE_MAX);
    }
    json_write_literal(out, ".\"}");
}

void map_write_after(struct map *map, const struct map_settings *settings,
                     const struct order *order, int64_t modified_at_ms, struct buffer *out)
{
    const struct config_store *store = settings->store;
    const struct tag_value values[] = {{"status", order_status_name(order)},
                                       {"code", text_of(store->code)}};

    if (!leaves_something(settings, order))
        return;
    if (store->after_sync == AFTER_SYNC_NOTE) {
        json_write_literal(out, ",\"after\":{");
        write_note(settings, order, modified_at_ms, out);
        json_write_literal(out, "}");
        return;
    }
    tag_list_reset(&map->tags);
    tag_list_add(&map->tags, store->after_sync_tag, values, sizeof(values) / sizeof(*values));
    if (map->tags.count == 0)
        return;
    json_write_literal(out, ",\"after\":{\"tags\":");
    tag_list_write(&map->tags, out);
    json_write_literal(out, "}");
}
