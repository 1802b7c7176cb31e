#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "mapping/map.h"

/* Whether the store has the money. "authorized" and "capture pending" only reserve it. An order that
 * was refunded in part was paid, and is sent with its full total. */
static int is_paid(const struct order *order)
{
    static const char *const words[] = {"paid", "captured", "partially refunded"};
    struct text status = text_trim(json_text(order->fields[ORDER_PAYMENT_STATUS]));

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (text_equal_nocase(status, text_of(words[i])))
            return 1;
    return 0;
}

/* What was paid, in smallest units. Credits that the total does not leave out are paid with the order
 * itself, whatever the payment of the rest came to. */
static int64_t paid_amount(const struct map *map, const struct map_settings *settings,
                           const struct order *order, int64_t total)
{
    if (settings->store->payments == PAYMENTS_OFF)
        return 0;
    if (settings->store->payments == PAYMENTS_ALL || is_paid(order))
        return total;
    return map->credits < total ? map->credits : total;
}

void map_write_payment(const struct map *map, const struct map_settings *settings,
                       const struct order *order, int64_t total, struct buffer *out)
{
    int64_t amount = paid_amount(map, settings, order, total);
    char text[24], placed[DATE_ISO_BYTES];

    if (amount <= 0) {
        json_write_literal(out, "null");
        return;
    }
    money_print_minor(text, amount, map->digits);
    date_print_iso(placed, order->placed_at_ms);
    json_write_literal(out, "{\"payment_amount\":");
    json_write_raw(out, text, strlen(text));
    json_write_literal(out, ",\"payment_method_type\":");
    json_write_text(out, text_of(settings->store->payment_type), SIZE_MAX);
    json_write_literal(out, ",\"payment_time\":\"");
    json_write_raw(out, placed, strlen(placed));
    json_write_literal(out, "\"}");
}
