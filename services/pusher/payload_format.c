#include "payload_format.h"

#include <stddef.h>

#include "record/order.h"
#include "settings/config.h"

/* The end of 9999-12-31 in ms; 16 digits of a currency's smallest unit; and, for lists, more
 * entries than a record has room for. */
#define INSTANT_MAX 253402300799999
#define AMOUNT_MAX 9999999999999999
enum {
    LIST_MAX = 100000,
    ANY_CHARS = INT32_MAX,
    NAME_CHARS = 200,
    DESCRIPTION_CHARS = 2000,
    NOTES_CHARS = 2000,
    FIELD_CHARS = 2000,
    ID_CHARS = 20,
    TAG_CHARS = 255
};

/* Each macro is one row: name, whether the member may be absent, limits. */
#define TEXT(name, presence, min, max)                                                             \
    {                                                                                              \
        name, PAYLOAD_TEXT, PAYLOAD_##presence, min, max, NULL, NULL                               \
    }
#define WORD(name, words)                                                                          \
    {                                                                                              \
        name, PAYLOAD_WORD, PAYLOAD_REQUIRED, 0, 0, words, NULL                                    \
    }
#define LETTERS(name, count)                                                                       \
    {                                                                                              \
        name, PAYLOAD_LETTERS, PAYLOAD_OPTIONAL, count, count, NULL, NULL                          \
    }
#define NUMBER(name, presence, min, max)                                                           \
    {                                                                                              \
        name, PAYLOAD_INT, PAYLOAD_##presence, min, max, NULL, NULL                                \
    }
#define PLAIN(name, type, presence)                                                                \
    {                                                                                              \
        name, PAYLOAD_##type, PAYLOAD_##presence, 0, 0, NULL, NULL                                 \
    }
#define OBJECT(name, presence, shape)                                                              \
    {                                                                                              \
        name, PAYLOAD_OBJECT, PAYLOAD_##presence, 0, 0, NULL, &shape##_shape                       \
    }
#define LIST(name, presence, min, max, shape)                                                      \
    {                                                                                              \
        name, PAYLOAD_LIST, PAYLOAD_##presence, min, max, NULL, &shape##_shape                     \
    }
#define SHAPE(rules)                                                                               \
    {                                                                                              \
        rules, sizeof(rules) / sizeof((rules)[0])                                                  \
    }

static const char *const order_kind[] = {"order", NULL};
static const char *const withdrawn_kind[] = {"withdrawn", NULL};
static const char *const contact_kind[] = {"contact", NULL};
static const char *const product_kind[] = {"product", NULL};
static const char *const order_types[] = {"ONLINE", NULL};
static const char *const item_types[] = {"PRODUCT", "SHIPPING", "TAX", "FEE", "DISCOUNT", NULL};
static const char *const integrations[] = {"BCORDER", "BCSKU", "BCCOUPON", NULL};
static const char *const email_fields[] = {"EMAIL1", NULL};
static const char *const phone_fields[] = {"PHONE1", NULL};
static const char *const address_fields[] = {"BILLING", "SHIPPING", NULL};

static const struct payload_rule status_rules[] = {
    NUMBER("id", REQUIRED, INT64_MIN, INT64_MAX),
    TEXT("name", REQUIRED, 0, NAME_CHARS),
};
static const struct payload_shape status_shape = SHAPE(status_rules);

static const struct payload_rule email_rules[] = {
    PLAIN("email", EMAIL, REQUIRED),
    WORD("field", email_fields),
    TEXT("opt_in_reason", OPTIONAL, 1, ANY_CHARS),
};
static const struct payload_shape email_shape = SHAPE(email_rules);

static const struct payload_rule phone_rules[] = {
    TEXT("number", REQUIRED, 1, 40),
    WORD("field", phone_fields),
};
static const struct payload_shape phone_shape = SHAPE(phone_rules);

static const struct payload_rule address_rules[] = {
    WORD("field", address_fields),        TEXT("line1", OPTIONAL, 1, 100),
    TEXT("line2", OPTIONAL, 1, 100),      TEXT("locality", OPTIONAL, 1, 100),
    TEXT("postal_code", OPTIONAL, 1, 20), LETTERS("country_code", 3),
    TEXT("region_code", OPTIONAL, 1, 10),
};
static const struct payload_shape address_shape = SHAPE(address_rules);

static const struct payload_rule contact_rules[] = {
    LIST("email_addresses", REQUIRED, 1, 1, email), TEXT("given_name", OPTIONAL, 1, 40),
    TEXT("family_name", OPTIONAL, 1, 40),           LIST("phone_numbers", OPTIONAL, 1, 1, phone),
    LIST("addresses", OPTIONAL, 1, 2, address),
};
static const struct payload_shape contact_shape = SHAPE(contact_rules);

static const struct payload_rule body_rules[] = {
    TEXT("sku", REQUIRED, 1, ANY_CHARS),
    TEXT("name", REQUIRED, 1, NAME_CHARS),
    TEXT("short_description", REQUIRED, 1, NAME_CHARS),
    NUMBER("price", REQUIRED, 0, AMOUNT_MAX),
    {"description", PAYLOAD_LINES, PAYLOAD_OPTIONAL, 1, DESCRIPTION_CHARS, NULL, NULL},
};
static const struct payload_shape body_shape = SHAPE(body_rules);

static const struct payload_rule product_rules[] = {
    TEXT("sku", REQUIRED, 1, ANY_CHARS),
    OBJECT("body", REQUIRED, body),
};
static const struct payload_shape product_shape = SHAPE(product_rules);

/* `product` is optional here, and payload_check() demands it of the lines of type PRODUCT. */
static const struct payload_rule item_rules[] = {
    WORD("item_type", item_types),
    NUMBER("product", OPTIONAL, 0, LIST_MAX),
    TEXT("name", REQUIRED, 1, NAME_CHARS),
    NUMBER("quantity", REQUIRED, 1, INT32_MAX),
    PLAIN("price_per_unit", DECIMAL, REQUIRED),
};
static const struct payload_shape item_shape = SHAPE(item_rules);

static const struct payload_rule shipping_rules[] = {
    TEXT("first_name", OPTIONAL, 1, ANY_CHARS), TEXT("last_name", OPTIONAL, 1, ANY_CHARS),
    TEXT("company", OPTIONAL, 1, ANY_CHARS),    TEXT("phone", OPTIONAL, 1, ANY_CHARS),
    TEXT("line1", OPTIONAL, 1, ANY_CHARS),      TEXT("line2", OPTIONAL, 1, ANY_CHARS),
    TEXT("locality", OPTIONAL, 1, ANY_CHARS),   TEXT("zip_code", OPTIONAL, 1, ANY_CHARS),
    TEXT("region", OPTIONAL, 1, ANY_CHARS),     LETTERS("country_code", 3),
};
static const struct payload_shape shipping_shape = SHAPE(shipping_rules);

static const struct payload_rule order_rules[] = {
    TEXT("order_title", REQUIRED, 1, ANY_CHARS),
    PLAIN("order_time", TIME, REQUIRED),
    WORD("order_type", order_types),
    LIST("order_items", REQUIRED, 0, LIST_MAX, item),
    OBJECT("shipping_address", OPTIONAL, shipping),
    TEXT("notes", OPTIONAL, 1, NOTES_CHARS),
    TEXT("lead_affiliate_id", OPTIONAL, 1, ID_CHARS),
};
static const struct payload_shape order_shape = SHAPE(order_rules);

static const struct payload_rule field_rules[] = {
    TEXT("label", REQUIRED, 1, NAME_CHARS),
    TEXT("content", REQUIRED, 1, FIELD_CHARS),
};
static const struct payload_shape field_shape = SHAPE(field_rules);

static const struct payload_rule payment_rules[] = {
    PLAIN("payment_amount", AMOUNT, REQUIRED),
    TEXT("payment_method_type", REQUIRED, 1, NAME_CHARS),
    PLAIN("payment_time", TIME, REQUIRED),
};
static const struct payload_shape payment_shape = SHAPE(payment_rules);

static const struct payload_rule tag_rules[] = {
    TEXT("name", REQUIRED, 1, TAG_CHARS),
};
static const struct payload_shape tag_shape = SHAPE(tag_rules);

static const struct payload_rule note_rules[] = {
    TEXT("title", REQUIRED, 1, NAME_CHARS),
    TEXT("text", REQUIRED, 1, DESCRIPTION_CHARS),
};
static const struct payload_shape note_shape = SHAPE(note_rules);

static const struct payload_rule after_rules[] = {
    OBJECT("note", OPTIONAL, note),
    LIST("tags", OPTIONAL, 1, 1, tag),
};
static const struct payload_shape after_shape = SHAPE(after_rules);

static const struct payload_rule goal_rules[] = {
    WORD("integration", integrations),
    TEXT("call_name", REQUIRED, 1, ANY_CHARS),
};
static const struct payload_shape goal_shape = SHAPE(goal_rules);

/* The members that all kinds of payload have. */
#define COMMON_RULES(kind_words)                                                                   \
    NUMBER("format", REQUIRED, 1, 1), WORD("kind", kind_words),                                    \
        TEXT("account", REQUIRED, 1, ANY_CHARS), TEXT("store", OPTIONAL, 1, ANY_CHARS),            \
        NUMBER("modified_at", REQUIRED, ORDER_EARLIEST_MS, INSTANT_MAX)

/* The members that an order has, also one that was taken back. */
#define ORDER_RULES(kind_words)                                                                    \
    COMMON_RULES(kind_words), TEXT("external_key", REQUIRED, 1, ANY_CHARS),                        \
        OBJECT("status", OPTIONAL, status), NUMBER("placed_at", REQUIRED, 0, INSTANT_MAX),         \
        OBJECT("contact", REQUIRED, contact), OBJECT("after", OPTIONAL, after)

#define TAGS_RULE LIST("tags", OPTIONAL, 0, LIST_MAX, tag)

/* What the mapper left out. */
#define LEFT_OUT_RULE                                                                              \
    {                                                                                              \
        "left_out", PAYLOAD_NOTES, PAYLOAD_OPTIONAL, 1, 64, NULL, NULL                             \
    }

static const struct payload_rule payload_rules[] = {
    ORDER_RULES(order_kind),
    TEXT("currency", REQUIRED, 3, 3),
    NUMBER("total", REQUIRED, -AMOUNT_MAX, AMOUNT_MAX),
    LIST("products", REQUIRED, 0, LIST_MAX, product),
    OBJECT("order", REQUIRED, order),
    LIST("fields", OPTIONAL, 1, CONFIG_FIELDS_MAX, field),
    {"payment", PAYLOAD_OR_NULL, PAYLOAD_OPTIONAL, 0, 0, NULL, &payment_shape},
    TAGS_RULE,
    LIST("goals", REQUIRED, 0, LIST_MAX, goal),
    LEFT_OUT_RULE,
};
const struct payload_shape payload_order = SHAPE(payload_rules);

static const struct payload_rule withdrawn_rules[] = {ORDER_RULES(withdrawn_kind)};
const struct payload_shape payload_withdrawn = SHAPE(withdrawn_rules);

static const struct payload_rule customer_rules[] = {
    COMMON_RULES(contact_kind),
    OBJECT("contact", REQUIRED, contact),
    TAGS_RULE,
    LEFT_OUT_RULE,
};
const struct payload_shape payload_contact = SHAPE(customer_rules);

static const struct payload_rule catalog_rules[] = {
    COMMON_RULES(product_kind),
    TEXT("currency", REQUIRED, 3, 3),
    LIST("products", REQUIRED, 1, LIST_MAX, product),
};
const struct payload_shape payload_product = SHAPE(catalog_rules);
