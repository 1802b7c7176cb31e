/* order.h - reads what filter and mapper both need of a BigCommerce order: whether it can be read
 * at all, which order it is, its status, its dates and its e-mail address.
 *
 * The order is of the V2 API, with
 * `include=consignments.line_items,fees&consignment_structure=object`. The functions are pure,
 * apart from the memory of the reader. Every error is permanent, because the record is `malformed`;
 * its text holds nothing personal. */
#ifndef COMMON_ORDER_H
#define COMMON_ORDER_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "record/event.h"

/* The members of an order that we read. */
enum order_field {
    ORDER_ID = 0,
    ORDER_STATUS_ID,
    ORDER_STATUS,
    ORDER_DATE_CREATED,
    ORDER_DATE_MODIFIED,
    ORDER_BILLING_ADDRESS,
    ORDER_EXTERNAL_SOURCE,
    ORDER_CURRENCY, /* default_currency_code: the currency of all amounts */
    ORDER_TOTAL_INC_TAX,
    ORDER_TOTAL_TAX,
    ORDER_TAX_INCLUSIVE, /* is_tax_inclusive_pricing */
    ORDER_SHIPPING,      /* this amount is without tax and the next one with tax; the same for
                            the pairs below */
    ORDER_SHIPPING_INC_TAX,
    ORDER_HANDLING,
    ORDER_HANDLING_INC_TAX,
    ORDER_WRAPPING,
    ORDER_WRAPPING_INC_TAX,
    ORDER_DISCOUNT,
    ORDER_COUPON_DISCOUNT,
    ORDER_STORE_CREDIT,
    ORDER_GIFT_CERTIFICATE,
    ORDER_REFUNDED,
    ORDER_OPT_IN,
    ORDER_PAYMENT_STATUS,
    ORDER_CUSTOMER_MESSAGE,
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
    ADDRESS_LINE_ITEMS, /* only consignments have these */
    ADDRESS_FIELD_COUNT
};

/* An address. Each text is trimmed; a missing one is {NULL or "", 0}. Borrowed from the order. */
struct address {
    struct text texts[ADDRESS_FIELD_COUNT];
    uint32_t unreadable;    /* bit i: member i was neither a string nor a number, and texts[i] is
                               empty */
    yyjson_val *line_items; /* the untrimmed value, or NULL */
};

/* Memory and tables for reading one order after the other. Embedded. */
struct order_reader {
    struct json_memory memory;
    struct json_names order_names;
    struct json_names address_names;
};

/* One order. Everything is borrowed from the reader until order_close(). */
struct order {
    yyjson_doc *doc;
    yyjson_val *fields[ORDER_FIELD_COUNT]; /* fields[i] is NULL where the order does not have
                                              that member */
    struct text id;                        /* decimal digits, as in the record key */
    int64_t status_id;
    struct text status; /* BigCommerce's own name of the status, for people; may be empty */
    int archived;       /* is_deleted: the merchant archived it */
    int64_t placed_at_ms;
    int64_t modified_at_ms; /* -1: the order does not say */
    struct address billing; /* email trimmed; every text may be empty */
};

/* The statuses that BigCommerce has, and those of them that mean: refunded, cancelled or the like.
 * Bit i is status id i. */
enum { ORDER_STATUS_COUNT = 15 };
#define ORDER_STATUSES_WITHDRAWN (1u << 4 | 1u << 5 | 1u << 6 | 1u << 12 | 1u << 13)

void order_reader_init(struct order_reader *reader);
void order_reader_clear(struct order_reader *reader);

/**
 * @brief Parses an order and reads what filter and mapper need. These must be there: a JSON object
 * with id (the one of the key), status_id and date_created. billing_address may be missing, null or
 * an empty list, but of no other type. is_deleted may be missing, null or a boolean.
 * @param id  what the record key says
 * @returns 0: release with order_close(); or -1: nothing to release
 */
int order_open(struct order_reader *reader, struct text value, struct text id, struct order *order,
               struct error *err);
void order_close(struct order *order);

#define ORDER_EARLIEST_MS INT64_C(946684800000) /* 2000-01-01: no version of an order is older */

/**
 * @brief Which version of the order a record is: what its header modified_at says. Where that is more
 * than a day away from the order's own date, nobody who read the order can have written it, and the
 * order's own date counts.
 * @returns ms since 1970, from ORDER_EARLIEST_MS on; -1: neither says it
 */
int64_t order_version(const struct order *order, const struct event *event);

/**
 * @brief The name that BigCommerce itself gives to the order's status id. The order's own label is not
 * used, because merchants rename labels, and the rules decide by id; only an unknown id has its label.
 * @returns borrowed; valid as long as the order
 */
struct text order_status_name(const struct order *order);

/** @brief Whether the status is one of ORDER_STATUSES_WITHDRAWN. */
int order_is_withdrawn(const struct order *order);

/**
 * @brief Reads the members of an address object. A member of a wrong type is taken as missing, because
 * no order is to be lost for a bad phone number; but an e-mail address that is no string is an error.
 * @param what  the name of the address for the error
 */
int order_read_address(const struct order_reader *reader, yyjson_val *object, const char *what,
                       struct address *address, struct error *err);

/** @brief The text of a string or a number, trimmed; empty when absent; any other type is an
 * error. */
int order_read_text(yyjson_val *value, const char *what, struct text *text, struct error *err);

enum email_fault { EMAIL_USABLE = 0, EMAIL_MISSING, EMAIL_INVALID };
enum { EMAIL_CHARS_MAX = 75 };

/** @brief Whether a trimmed address can be given to Infusionsoft: one `@` with something on both
 * sides; no blank, control character, comma, semicolon, colon, angle or round bracket; at most 75
 * characters. An address is never cut (D9). */
enum email_fault order_check_email(struct text email);

#endif
