#include "record/order.h"

#include <string.h>

#include "base/date.h"
#include "base/text.h"

static const char *const order_names[ORDER_FIELD_COUNT] = {
    [ORDER_ID] = "id",
    [ORDER_STATUS_ID] = "status_id",
    [ORDER_STATUS] = "status",
    [ORDER_DATE_CREATED] = "date_created",
    [ORDER_DATE_MODIFIED] = "date_modified",
    [ORDER_BILLING_ADDRESS] = "billing_address",
    [ORDER_EXTERNAL_SOURCE] = "external_source",
    [ORDER_CURRENCY] = "default_currency_code",
    [ORDER_TOTAL_INC_TAX] = "total_inc_tax",
    [ORDER_TOTAL_TAX] = "total_tax",
    [ORDER_TAX_INCLUSIVE] = "is_tax_inclusive_pricing",
    [ORDER_SHIPPING] = "shipping_cost_ex_tax",
    [ORDER_SHIPPING_INC_TAX] = "shipping_cost_inc_tax",
    [ORDER_HANDLING] = "handling_cost_ex_tax",
    [ORDER_HANDLING_INC_TAX] = "handling_cost_inc_tax",
    [ORDER_WRAPPING] = "wrapping_cost_ex_tax",
    [ORDER_WRAPPING_INC_TAX] = "wrapping_cost_inc_tax",
    [ORDER_DISCOUNT] = "discount_amount",
    [ORDER_COUPON_DISCOUNT] = "coupon_discount",
    [ORDER_STORE_CREDIT] = "store_credit_amount",
    [ORDER_GIFT_CERTIFICATE] = "gift_certificate_amount",
    [ORDER_REFUNDED] = "refunded_amount",
    [ORDER_OPT_IN] = "is_email_opt_in",
    [ORDER_PAYMENT_STATUS] = "payment_status",
    [ORDER_CUSTOMER_MESSAGE] = "customer_message",
    [ORDER_IS_DELETED] = "is_deleted",
    [ORDER_CONSIGNMENTS] = "consignments",
    [ORDER_FEES] = "fees",
    [ORDER_COMPLETION] = "bigfusion",
};

static const char *const status_names[ORDER_STATUS_COUNT] = {
    "Incomplete",
    "Pending",
    "Shipped",
    "Partially Shipped",
    "Refunded",
    "Cancelled",
    "Declined",
    "Awaiting Payment",
    "Awaiting Pickup",
    "Awaiting Shipment",
    "Completed",
    "Awaiting Fulfillment",
    "Manual Verification Required",
    "Disputed",
    "Partially Refunded",
};

static const char *const address_names[ADDRESS_FIELD_COUNT] = {
    [ADDRESS_FIRST_NAME] = "first_name",
    [ADDRESS_LAST_NAME] = "last_name",
    [ADDRESS_COMPANY] = "company",
    [ADDRESS_STREET_1] = "street_1",
    [ADDRESS_STREET_2] = "street_2",
    [ADDRESS_CITY] = "city",
    [ADDRESS_STATE] = "state",
    [ADDRESS_ZIP] = "zip",
    [ADDRESS_COUNTRY_ISO2] = "country_iso2",
    [ADDRESS_PHONE] = "phone",
    [ADDRESS_EMAIL] = "email",
    [ADDRESS_LINE_ITEMS] = "line_items",
};

void order_reader_init(struct order_reader *reader)
{
    *reader = (struct order_reader){0};
    json_names_init(&reader->order_names, order_names, ORDER_FIELD_COUNT);
    json_names_init(&reader->address_names, address_names, ADDRESS_FIELD_COUNT);
}

void order_reader_clear(struct order_reader *reader) { json_memory_clear(&reader->memory); }

int order_read_text(yyjson_val *value, const char *what, struct text *text, struct error *err)
{
    *text = (struct text){NULL, 0};
    if (json_is_absent(value))
        return 0;
    *text = json_text(value);
    if (text->data == NULL)
        return error_set(err, ERROR_PERMANENT, "%s is not text", what);
    *text = text_trim(*text);
    return 0;
}

int order_read_address(const struct order_reader *reader, yyjson_val *object, const char *what,
                       struct address *address, struct error *err)
{
    yyjson_val *fields[ADDRESS_FIELD_COUNT];

    json_pick(&reader->address_names, object, fields);
    if (!json_is_absent(fields[ADDRESS_EMAIL]) && !yyjson_is_str(fields[ADDRESS_EMAIL]))
        return error_set(err, ERROR_PERMANENT, "%s: email is not a string", what);
    address->unreadable = 0;
    for (int i = 0; i < ADDRESS_LINE_ITEMS; i++) {
        address->texts[i] = text_trim(json_text(fields[i]));
        if (address->texts[i].data == NULL && !json_is_absent(fields[i]))
            address->unreadable |= 1u << i;
    }
    address->line_items = fields[ADDRESS_LINE_ITEMS];
    return 0;
}

static int read_billing(const struct order_reader *reader, struct order *order, struct error *err)
{
    yyjson_val *billing = order->fields[ORDER_BILLING_ADDRESS];

    order->billing = (struct address){.line_items = NULL};
    if (json_is_absent(billing) || (yyjson_is_arr(billing) && yyjson_arr_size(billing) == 0))
        return 0;
    if (!yyjson_is_obj(billing))
        return error_set(err, ERROR_PERMANENT, "billing_address is not an object");
    return order_read_address(reader, billing, "billing_address", &order->billing, err);
}

static int read_dates(struct order *order, struct error *err)
{
    yyjson_val *modified = order->fields[ORDER_DATE_MODIFIED];

    if (!yyjson_is_str(order->fields[ORDER_DATE_CREATED]) ||
        date_parse_rfc2822(json_text(order->fields[ORDER_DATE_CREATED]), &order->placed_at_ms) !=
            0 ||
        order->placed_at_ms < 0)
        return error_set(err, ERROR_PERMANENT, "date_created is not an RFC 2822 date since 1970");
    order->modified_at_ms = -1;
    if (json_is_absent(modified) || (yyjson_is_str(modified) && yyjson_get_len(modified) == 0))
        return 0;
    if (!yyjson_is_str(modified) ||
        date_parse_rfc2822(json_text(modified), &order->modified_at_ms) != 0 ||
        order->modified_at_ms < 0)
        return error_set(err, ERROR_PERMANENT, "date_modified is not an RFC 2822 date since 1970");
    return 0;
}

static int read_archived(struct order *order, struct error *err)
{
    yyjson_val *deleted = order->fields[ORDER_IS_DELETED];

    if (!json_is_absent(deleted) && !yyjson_is_bool(deleted))
        return error_set(err, ERROR_PERMANENT, "is_deleted is neither true nor false");
    order->archived = yyjson_is_true(deleted);
    return 0;
}

static int read_order(const struct order_reader *reader, struct text id, struct order *order,
                      struct error *err)
{
    yyjson_val *root = yyjson_doc_get_root(order->doc);
    int64_t number;

    if (!yyjson_is_obj(root))
        return error_set(err, ERROR_PERMANENT, "the order is not a JSON object");
    json_pick(&reader->order_names, root, order->fields);
    if (!yyjson_is_raw(order->fields[ORDER_ID]))
        return error_set(err, ERROR_PERMANENT, "the order has no id");
    order->id = json_text(order->fields[ORDER_ID]);
    if (text_to_int(order->id, &number) != 0 || number <= 0)
        return error_set(err, ERROR_PERMANENT,
                         "the order's id is not a whole number of at most 64 bits");
    if (order->id.length != id.length || memcmp(order->id.data, id.data, id.length) != 0)
        return error_set(err, ERROR_PERMANENT, "the order's id is not the one of the record key");
    if (!yyjson_is_raw(order->fields[ORDER_STATUS_ID]) ||
        text_to_int(json_text(order->fields[ORDER_STATUS_ID]), &order->status_id) != 0)
        return error_set(err, ERROR_PERMANENT, "status_id is not a whole number");
    order->status = text_trim(json_text(order->fields[ORDER_STATUS]));
    if (read_archived(order, err) != 0 || read_dates(order, err) != 0)
        return -1;
    return read_billing(reader, order, err);
}

int order_open(struct order_reader *reader, struct text value, struct text id, struct order *order,
               struct error *err)
{
    const char *why;
    size_t where;

    if (value.data == NULL || value.length == 0)
        return error_set(err, ERROR_PERMANENT, "the record is empty");
    order->doc = json_read(&reader->memory, value, &why, &where);
    if (order->doc == NULL)
        return error_set(err, ERROR_PERMANENT, "not JSON: %s at byte %zu", why, where);
    if (read_order(reader, id, order, err) == 0)
        return 0;
    order_close(order);
    return -1;
}

void order_close(struct order *order)
{
    yyjson_doc_free(order->doc);
    order->doc = NULL;
}

int64_t order_version(const struct order *order, const struct event *event)
{
    const int64_t day_ms = 86400000;
    int64_t header = event_header_int(event, HEADER_MODIFIED_AT, -1), own = order->modified_at_ms;

    if (own < 0 || (header >= own - day_ms && header <= own + day_ms))
        own = header;
    return own >= ORDER_EARLIEST_MS ? own : -1;
}

struct text order_status_name(const struct order *order)
{
    if (order->status_id >= 0 && order->status_id < ORDER_STATUS_COUNT)
        return text_of(status_names[order->status_id]);
    return order->status;
}

int order_is_withdrawn(const struct order *order)
{
    return order->status_id >= 0 && order->status_id < ORDER_STATUS_COUNT &&
           (ORDER_STATUSES_WITHDRAWN >> order->status_id & 1) != 0;
}

/* Characters that separate or enclose addresses, or that are allowed only in a quoted local part.
 * Infusionsoft does not accept such addresses. */
static int has_forbidden_sign(struct text email)
{
    for (size_t i = 0; i < email.length; i++)
        if (email.data[i] == '\0' || strchr(",;:<>()", email.data[i]) != NULL)
            return 1;
    return 0;
}

enum email_fault order_check_email(struct text email)
{
    const char *sign;

    if (email.length == 0)
        return EMAIL_MISSING;
    sign = memchr(email.data, '@', email.length);
    if (sign == NULL || sign != memrchr(email.data, '@', email.length) || sign == email.data ||
        sign == email.data + email.length - 1 || text_has_blank(email) ||
        has_forbidden_sign(email) || text_count_chars(email) > EMAIL_CHARS_MAX)
        return EMAIL_INVALID;
    return EMAIL_USABLE;
}
