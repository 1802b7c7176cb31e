/* order.h - a BigCommerce order (V2,
 * `include=consignments.line_items,fees&consignment_structure=object`) read as far as filter and
 * mapper share it: whether it can be read at all, which order it is, its status, dates and e-mail
 * address. Pure but for the reader's memory. Errors are always permanent: the record is
 * `malformed`; they hold nothing personal. */
#ifndef COMMON_ORDER_H
#define COMMON_ORDER_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

/* Members of an order that we read. */
enum order_field {
    ORDER_ID = 0,
    ORDER_STATUS_ID,
    ORDER_STATUS,
    ORDER_DATE_CREATED,
    ORDER_DATE_MODIFIED,
    ORDER_BILLING_ADDRESS,
    ORDER_EXTERNAL_SOURCE,
    ORDER_CURRENCY, /* default_currency_code: the one the amounts are in */
    ORDER_TOTAL_INC_TAX,
    ORDER_TOTAL_TAX,
    ORDER_TAX_INCLUSIVE, /* is_tax_inclusive_pricing */
    ORDER_SHIPPING,      /* without tax; the next one with tax; and so on */
    ORDER_SHIPPING_INC_TAX,
    ORDER_HANDLING,
    ORDER_HANDLING_INC_TAX,
    ORDER_WRAPPING,
    ORDER_WRAPPING_INC_TAX,
    ORDER_DISCOUNT,
    ORDER_COUPON_DISCOUNT,
    ORDER_STORE_CREDIT,
    ORDER_GIFT_CERTIFICATE,
    ORDER_OPT_IN,
    ORDER_IS_DELETED,
    ORDER_CONSIGNMENTS,
    ORDER_FEES,
    ORDER_COMPLETION, /* `bigfusion`: lines and coupons that the poller fetched */
    ORDER_FIELD_COUNT
};

/* Members of a billing address or a shipping consignment. */
enum address_field {
    ADDRESS_FIRST_NAME = 0,
    ADDRESS_LAST_NAME,
    ADDRESS_COMPANY,
    ADDRESS_STREET_1,
    ADDRESS_STREET_2,
    ADDRESS_CITY,
    ADDRESS_STATE,
    ADDRESS_ZIP,
    ADDRESS_COUNTRY_ISO2,
    ADDRESS_PHONE,
    ADDRESS_EMAIL,
    ADDRESS_LINE_ITEMS, /* consignments only */
    ADDRESS_FIELD_COUNT
};

/* An address: each text trimmed, {NULL or "", 0} when missing. Borrowed from the order. */
struct address {
    struct text texts[ADDRESS_FIELD_COUNT];
    yyjson_val *line_items; /* as it stands, or NULL */
};

/* Memory and tables for reading orders one after the other; embedded. */
struct order_reader {
    struct json_memory memory;
    struct json_names order_names;
    struct json_names address_names;
};

/* One order. Everything is borrowed from the reader until order_close(). */
struct order {
    yyjson_doc *doc;
    yyjson_val *fields[ORDER_FIELD_COUNT]; /* NULL: not there */
    struct text id;                        /* decimal digits, as in the record key */
    int64_t status_id;
    struct text status; /* the system name, for people; may be empty */
    int archived;       /* is_deleted: the merchant archived it */
    int64_t placed_at_ms;
    int64_t modified_at_ms; /* -1: the order does not say */
    struct address billing; /* email trimmed; every text may be empty */
};

/* The statuses that BigCommerce has, and those that mean the order was taken back. As bits by id.
 */
enum { ORDER_STATUS_COUNT = 15 };
#define ORDER_STATUSES_WITHDRAWN (1u << 4 | 1u << 5 | 1u << 6 | 1u << 12 | 1u << 13)

void order_reader_init(struct order_reader *reader);
void order_reader_clear(struct order_reader *reader);

/**
 * @brief Parses an order and reads what both stages need. Required: a JSON object with id (the one
 * of the key), status_id and date_created; billing_address may be missing, null or an empty list,
 * but is no other type.
 * is_deleted may be missing or null, but is no other type than a boolean.
 * @param id  what the record key says
 * @returns 0: release with order_close(); or -1: nothing to release
 */
int order_open(struct order_reader *reader, struct text value, struct text id, struct order *order,
               struct error *err);
void order_close(struct order *order);

/** @brief Whether the status is one of ORDER_STATUSES_WITHDRAWN. */
int order_is_withdrawn(const struct order *order);

/**
 * @brief Reads the members of an address object.
 * @param what  names it in the error
 */
int order_read_address(const struct order_reader *reader, yyjson_val *object, const char *what,
                       struct address *address, struct error *err);

/** @brief Text of a member: string or number, trimmed; empty when absent; an error for any other
 * type. */
int order_read_text(yyjson_val *value, const char *what, struct text *text, struct error *err);

enum email_fault { EMAIL_USABLE = 0, EMAIL_MISSING, EMAIL_INVALID };
enum { EMAIL_CHARS_MAX = 75 };

/**
 * @brief Whether an address (trimmed) can be given to Infusionsoft: something on both sides of the
 * one `@`; no blank, control character, comma, semicolon, colon, angle or round bracket; at most 75
 * characters. It is never cut.
 */
enum email_fault order_check_email(struct text email);

#endif
